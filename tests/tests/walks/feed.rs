//! `/v1/changes`: everything once and in order, however it is paged; 304, filters, and cursors that are too old.

use std::collections::BTreeMap;
use std::time::Duration;

use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, QueueName, Range, Write};
use hooktide_store::records;
use hooktide_tests::world::{Answer, Shop, World};
use http::Request;
use serde_json::{Value, json};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world whose journal has one lane.
async fn with_one_lane() -> (World, Shop) {
    let world = World::with(Settings { lanes: 1, ..Settings::default() }, Options::default()).await;
    let shop = world.shop().await;
    (world, shop)
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

async fn page(world: &World, query: &str) -> (Vec<Value>, String, bool) {
    let page = world.get(&format!("/v1/changes?{query}")).await.expect(200);
    let items = page["items"].as_array().cloned().unwrap_or_default();
    (items, page["next"].as_str().expect("a cursor").to_owned(), page["more"] == json!(true))
}

/// Reads on from a cursor to the end.
async fn rest(world: &World, query: &str, cursor: &str) -> (Vec<Value>, String) {
    let (mut all, mut next) = (Vec::new(), cursor.to_owned());
    loop {
        let after = if next.is_empty() { String::new() } else { format!("&after={next}") };
        let (items, cursor, more) = page(world, &format!("{query}{after}")).await;
        all.extend(items);
        next = cursor;
        if !more {
            return (all, next);
        }
    }
}

async fn cursor_at_the_end(world: &World) -> String {
    rest(world, "limit=1000", "").await.1
}

async fn expect_gone(answer: Answer) {
    let problem = answer.expect(410);
    assert_eq!(problem["type"], "urn:hooktide:problem:cursor-expired");
}

/// The positions of the first lane, in order.
async fn positions(world: &World) -> Vec<String> {
    let partition = Partition::of(&Tenant::default_local(), Area::Journal(0));
    let range = Range::Between("0".repeat(16), "9".repeat(16));
    let query = Query { partition, range, descending: false, limit: 1_000 };
    let page = world.host.ports.table.query(&query).await.expect("a page");
    page.items.iter().map(|item| records::sort_of(item).to_owned()).collect()
}

/// Deletes positions of the first lane, as the store does once they expired.
async fn expire(world: &World, positions: &[String]) {
    for position in positions {
        let key = Partition::of(&Tenant::default_local(), Area::Journal(0)).key(position);
        world.host.ports.table.write(Write::Delete { key, condition: None }).await.expect("a deletion");
    }
}

#[tokio::test]
async fn pages_of_any_size_hold_each_change_once_and_in_the_order_of_its_thing() {
    let world = World::new().await;
    let shop = world.shop().await;
    // Single ones and batches, over all lanes.
    for round in 0..12 {
        for number in 0..=(round % 4) {
            world.clock.advance(Duration::from_millis(1));
            world.request(world.sample(&shop, "products/update", number, world.now())).await;
            world.request(world.signed(&shop, "carts/create", format!("{{\"n\":{round}}}"))).await;
        }
        world.clock.advance(Duration::from_secs(1));
        world.tick().await;
    }
    let (all, _) = rest(&world, "limit=1000", "").await;
    assert_eq!(all.len(), 30);
    for limit in 1..=12 {
        let (paged, end) = rest(&world, &format!("limit={limit}"), "").await;
        assert_eq!(ids(&paged), ids(&all), "pages of {limit}");
        assert_eq!(rest(&world, "limit=1", &end).await.0, Vec::<Value>::new());
        let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
        for change in &paged {
            let version = change["version"].as_str().and_then(|text| text.parse().ok()).expect("a version");
            let before = versions.insert(change["entity"].as_str().expect("an entity"), version);
            assert!(before.is_none_or(|before| before < version), "pages of {limit}: {change}");
        }
    }
    for wrong in ["limit=0", "limit=1001", "limit=x", "after=x", "after=AQ", "kind=surprise"] {
        world.get(&format!("/v1/changes?{wrong}")).await.expect(422);
    }
}

/// Processors whose clocks are half a minute off, in turn: by the times alone, every other change would come too early.
#[tokio::test]
async fn changes_of_one_product_are_read_in_their_order_through_all_lanes() {
    let world = World::new().await;
    let shop = world.shop().await;
    for round in 0..40 {
        world.clock.advance(Duration::from_secs(1));
        world.request(world.sample(&shop, "products/update", round % 3, world.now())).await.expect(200);
        let skew = Duration::from_secs(if round % 2 == 0 { 30 } else { 0 });
        let messages = world.take_messages(QueueName::Notices).await;
        assert!(world.host.processor.process(messages, world.now() + skew).await.is_empty());
    }
    let read = async |limit: usize| rest(&world, &format!("limit={limit}"), "").await.0;
    for limit in [1, 2, 3, 7, 1000] {
        let mut versions: BTreeMap<String, i64> = BTreeMap::new();
        let changes = read(limit).await;
        assert_eq!(changes.len(), 40, "pages of {limit}");
        for change in changes {
            let version = change["version"].as_str().and_then(|text| text.parse().ok()).expect("a version");
            let before = versions.insert(change["entity"].to_string(), version);
            assert!(before.is_none_or(|before| before < version), "pages of {limit}: {change}");
        }
    }
}

/// A shop of which one change was processed, and the cursor behind that.
async fn with_a_change() -> (World, Shop, String) {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    let cursor = cursor_at_the_end(&world).await;
    (world, shop, cursor)
}

#[tokio::test]
async fn a_reader_that_has_everything_is_told_so_by_304() {
    let (world, shop, cursor) = with_a_change().await;
    let conditional = async |tag: &str| {
        let request = Request::get(format!("/v1/changes?after={cursor}"))
            .header("authorization", format!("Bearer {}", world.operator))
            .header("if-none-match", tag);
        world.request(request.body(Default::default()).expect("a request")).await
    };
    let first = conditional("\"other\"").await;
    let tag = first.headers["etag"].to_str().expect("text").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    first.expect(200);
    for sent in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = conditional(&sent).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{sent}");
        assert_eq!(again.headers["etag"], tag.as_str());
    }
    world.update(&shop, 1).await;
    let news = conditional(&tag).await;
    assert_ne!(news.headers["etag"], tag.as_str());
    assert_eq!(news.expect(200)["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_reader_may_begin_now() {
    let world = World::new().await;
    let shop = world.shop().await;
    let (_, empty, _) = page(&world, "after=now").await;
    world.update_each(&shop, 1..=8).await;
    let (items, now, more) = page(&world, "after=now").await;
    assert_eq!((items.len(), more), (0, false));
    world.update_each(&shop, 9..=16).await;
    assert_eq!(rest(&world, "limit=3", &now).await.0.len(), 8);
    assert_eq!(rest(&world, "limit=3", &empty).await.0.len(), 16, "before the first, now is the beginning");
}

#[tokio::test]
async fn readers_may_want_some_kinds_and_tags_only() {
    let world = World::new().await;
    let one = world.shop().await;
    let two = world.shop_with(json!({
        "provider": "shopify", "account": "two.myshopify.com", "secrets": { "client_secret": one.secret },
    }));
    let two = two.await;
    for (shop, number) in [(&one, 1), (&one, 2), (&two, 1)] {
        world.update(shop, number).await;
    }
    for (query, count) in [
        ("kind=product".to_owned(), 3),
        ("kind=stock".to_owned(), 0),
        ("tag=products".to_owned(), 3),
        (format!("tag=product/{}/*", one.id), 2),
        (format!("tag={}", world.entity(&two, 1)), 1),
        (format!("kind=product&tag=product/{}/*", two.id), 1),
        ("tag=product".to_owned(), 0),
    ] {
        assert_eq!(rest(&world, &format!("{query}&limit=1"), "").await.0.len(), count, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_ends_with_what_is_kept() {
    let (world, shop, cursor) = with_a_change().await;
    world.clock.advance(29 * DAY);
    world.get(&format!("/v1/changes?after={cursor}")).await.expect(200);
    world.clock.advance(DAY);
    for path in ["changes", "activity", "events"] {
        expect_gone(world.get(&format!("/v1/{path}?after={cursor}")).await).await;
    }
    world.clock.advance(DAY);
    world.update(&shop, 2).await;
    world.host.sweep().await.expect("a sweep");
    assert_eq!(rest(&world, "limit=10", "").await.0.len(), 1, "without a cursor, what is left");
}

#[tokio::test]
async fn a_reader_that_missed_something_is_told_so() {
    let (world, shop) = with_one_lane().await;
    world.update(&shop, 1).await;
    let cursor = cursor_at_the_end(&world).await;
    world.update_each(&shop, 2..=5).await;
    let all = positions(&world).await;
    expire(&world, &all[..2]).await;
    expect_gone(world.get(&format!("/v1/changes?after={cursor}")).await).await;
    assert_eq!(rest(&world, "limit=1", "").await.0.len(), 3, "without a cursor, what is left");
}

#[tokio::test]
async fn a_reader_from_the_oldest_on_is_not_stopped_by_what_expired_in_no_order() {
    let (world, shop) = with_one_lane().await;
    world.update_each(&shop, 1..=60).await;
    let all = positions(&world).await;
    let holes: Vec<String> =
        all[..50].iter().enumerate().filter(|(n, _)| n % 3 != 1).map(|(_, at)| at.clone()).collect();
    expire(&world, &holes).await;
    for limit in [1, 7, 25, 1000] {
        let (left, end) = rest(&world, &format!("limit={limit}"), "").await;
        assert_eq!(left.len(), 60 - holes.len(), "pages of {limit}");
        assert_eq!(rest(&world, "limit=1000", &end).await.0.len(), 0);
    }
}

#[tokio::test]
async fn a_lane_that_expired_whole_starts_anew_and_its_readers_miss_nothing() {
    let (world, shop) = with_one_lane().await;
    world.update_each(&shop, 1..=3).await;
    let mut cursor = cursor_at_the_end(&world).await;
    for round in 0..3 {
        let before = positions(&world).await;
        expire(&world, &before).await;
        assert_eq!(rest(&world, "limit=10", &cursor).await.0.len(), 0, "an empty lane is no gap");
        // Longer than a processor trusts what it remembers of the lane's end.
        world.clock.advance(DAY);
        world.update_each(&shop, 1..=4).await;
        let after = positions(&world).await;
        assert!(after[0] > *before.last().expect("positions"), "round {round}: no position is used twice");
        let (news, end) = rest(&world, "limit=1", &cursor).await;
        assert_eq!(news.len(), 4, "round {round}");
        assert_eq!(rest(&world, "limit=1000", "").await.0, news, "round {round}");
        cursor = end;
    }
}

/// As after the store was restored to an earlier time, or lost.
#[tokio::test]
async fn a_cursor_ahead_of_everything_is_told_to_resync() {
    let (world, shop) = with_one_lane().await;
    world.update_each(&shop, 0..4).await;
    let (_, end) = rest(&world, "limit=1000", "").await;
    let all = positions(&world).await;
    world.get(&format!("/v1/changes?after={end}")).await.expect(200);
    expire(&world, &all[1..]).await;
    for lost in [&[][..], &[all[0].clone(), "genesis".to_owned()]] {
        expire(&world, lost).await;
        for path in ["/v1/changes", "/v1/activity"] {
            expect_gone(world.get(&format!("{path}?after={end}")).await).await;
        }
        let anew = world.get("/v1/changes").await.expect(200)["next"].as_str().unwrap().to_owned();
        world.get(&format!("/v1/changes?after={anew}")).await.expect(200);
    }
}
