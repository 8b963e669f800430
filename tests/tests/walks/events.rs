//! `/v1/events` where answers cannot be streamed: what is there, then the end; a reader resumes where it was cut off.

use std::time::Duration;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records;
use hooktide_tests::world::{Answer, Shop, World};
use http::Request;
use serde_json::{Value, json};

/// A server-sent event.
#[derive(Debug, Clone, Default, PartialEq)]
struct Event {
    id: String,
    event: String,
    data: Value,
    retry: Option<u64>,
}

fn parse(answer: &Answer) -> Vec<Event> {
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"text/event-stream".parse().expect("a value"))
    );
    let text = std::str::from_utf8(&answer.body).expect("text");
    let mut events = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        let mut event = Event::default();
        for line in block.lines() {
            match line.split_once(": ").expect("a field") {
                ("id", id) => event.id = id.to_owned(),
                ("event", name) => event.event = name.to_owned(),
                ("data", data) => event.data = serde_json::from_str(data).expect("JSON"),
                ("retry", retry) => event.retry = retry.parse().ok(),
                (field, _) => panic!("{field} is no field"),
            }
        }
        events.push(event);
    }
    events
}

async fn events(world: &World, query: &str, last_event_id: Option<&str>) -> Answer {
    let mut request =
        Request::get(format!("/v1/events?{query}")).header("authorization", format!("Bearer {}", world.operator));
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    world.request(request.body(Bytes::new()).expect("a request")).await
}

/// Those that carry something.
fn told(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| !event.event.is_empty()).collect()
}

async fn oldest(world: &World) -> String {
    world.get("/v1/changes?after=now").await.expect(200)["next"].as_str().expect("a cursor").to_owned()
}

/// A shop of which two changes were processed, and the cursor before them.
async fn with_two_changes() -> (World, Shop, String) {
    let world = World::new().await;
    let shop = world.shop().await;
    let start = oldest(&world).await;
    world.update(&shop, 1).await;
    world.update(&shop, 2).await;
    (world, shop, start)
}

#[tokio::test]
async fn what_is_there_comes_on_two_channels_and_the_answer_ends() {
    let (world, _, start) = with_two_changes().await;
    let events = parse(&events(&world, &format!("after={start}"), None).await);
    assert_eq!(events[0].retry, Some(10_000), "where answers are not streamed");
    assert_eq!(events[1].id, start, "where the reader stands, before anything comes");
    let changes = world.changes().await;
    let told = told(&events);
    assert_eq!(told.len(), 4);
    for (pair, change) in told.chunks(2).zip(&changes) {
        assert_eq!((pair[0].event.as_str(), &pair[0].data), ("product-updates", change));
        let invalidation = json!({ "tags": change["tags"], "change": change["id"] });
        assert_eq!((pair[1].event.as_str(), &pair[1].data), ("product-cache-invalidation", &invalidation));
    }
    let mut cursors: Vec<&str> = told.iter().map(|event| event.id.as_str()).collect();
    cursors.dedup();
    assert_eq!(cursors.len(), 4, "each event has a cursor of its own");
}

#[tokio::test]
async fn a_reader_resumes_wherever_it_was_cut_off() {
    let world = World::new().await;
    let shop = world.shop().await;
    let start = oldest(&world).await;
    for number in 1..=3 {
        world.request(world.sample(&shop, "products/update", number, world.now())).await;
    }
    world.tick().await;
    world.update(&shop, 4).await;
    world.update(&shop, 1).await;
    let all = parse(&events(&world, "", Some(&start)).await);
    let all: Vec<Event> = told(&all).into_iter().cloned().collect();
    assert_eq!(all.len(), 10);
    for (had, event) in all.iter().enumerate() {
        let rest = parse(&events(&world, "", Some(&event.id)).await);
        let rest: Vec<(&str, &Value)> = told(&rest).iter().map(|one| (one.event.as_str(), &one.data)).collect();
        let left: Vec<(&str, &Value)> = all[had + 1..].iter().map(|one| (one.event.as_str(), &one.data)).collect();
        assert_eq!(rest, left, "after {} events", had + 1);
    }
    let last = &all[9].id;
    assert!(told(&parse(&events(&world, &format!("after={start}"), Some(last)).await)).is_empty(), "the header counts");
    let page = world.get(&format!("/v1/changes?after={}", all[3].id)).await.expect(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3), "the same cursors serve polling");
}

#[tokio::test]
async fn a_reader_that_had_everything_is_not_told_that_it_missed_what_expired() {
    for query in ["", "channels=product-updates", "channels=product-cache-invalidation"] {
        let options = Options { stream_life: Duration::ZERO, ..Options::default() };
        let world = World::with(Settings { lanes: 1, ..Settings::default() }, options).await;
        let shop = world.shop().await;
        let start = oldest(&world).await;
        world.request(world.sample(&shop, "products/update", 1, world.now())).await;
        world.request(world.signed(&shop, "carts/create", "{}")).await;
        world.tick().await;
        let first = parse(&events(&world, query, Some(&start)).await);
        let last = &told(&first).last().expect("an event").id.clone();
        let partition = Partition::of(&Tenant::default_local(), Area::Journal(0));
        let all = Query { partition: partition.clone(), range: Range::All, descending: false, limit: 1 };
        let page = world.host.ports.table.query(&all).await.expect("a page");
        world.update(&shop, 2).await;
        let key = partition.key(records::sort_of(&page.items[0]));
        world.host.ports.table.write(Write::Delete { key, condition: None }).await.expect("a deletion");
        let rest = parse(&events(&world, query, Some(last)).await);
        let channels = if query.is_empty() { 2 } else { 1 };
        assert_eq!(told(&rest).len(), channels, "{query}");
    }
}

#[tokio::test]
async fn without_a_cursor_events_begin_now() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    let first = parse(&events(&world, "", None).await);
    assert!(told(&first).is_empty());
    let id = first.iter().rev().map(|event| event.id.clone()).find(|id| !id.is_empty()).expect("a cursor");
    world.update(&shop, 2).await;
    assert_eq!(told(&parse(&events(&world, "", Some(&id)).await)).len(), 2);
}

#[tokio::test]
async fn readers_may_want_some_channels_and_tags_only() {
    let (world, shop, start) = with_two_changes().await;
    for (query, count) in [
        ("channels=product-updates".to_owned(), 2),
        ("channels=product-cache-invalidation".to_owned(), 2),
        ("channels=product-cache-invalidation,product-updates".to_owned(), 4),
        ("channels=stock-updates".to_owned(), 0),
        (format!("tags={}", world.entity(&shop, 2)), 2),
        (format!("tags=stock,product/{}/*&channels=product-updates", shop.id), 2),
        ("tags=stock".to_owned(), 0),
    ] {
        let answer = parse(&events(&world, &format!("{query}&after={start}"), None).await);
        assert_eq!(told(&answer).len(), count, "{query}");
        let last = answer.iter().rev().find(|event| !event.id.is_empty()).expect("a cursor");
        let again = parse(&events(&world, &query, Some(&last.id)).await);
        assert!(told(&again).is_empty(), "{query}: the reader learns how far the feed is");
    }
    assert_eq!(events(&world, "channels=surprise", None).await.status, 422);
    assert_eq!(events(&world, "", Some("surprise")).await.status, 422);
}
