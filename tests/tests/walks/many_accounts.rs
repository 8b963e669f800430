//! One delivery that names many accounts: its body is kept once, what can be committed is, and others go on meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use hooktide_flows::message::Message;
use hooktide_model::fault::Fault;
use hooktide_store::ports::QueueName;
use hooktide_tests::faults::FaultyWorld;
use hooktide_tests::memory;
use hooktide_tests::world::{Shop, World};
use http::Request;
use serde_json::{Value, json};

const CODE: &str = "hush-clover-auth-code";

/// An operator's endpoint for an app of many merchants.
async fn app(world: &World) -> Shop {
    let body = json!({ "provider": "clover", "name": "app", "secrets": { "auth_code": CODE } });
    world.endpoint_with(body, CODE).await
}

fn merchant(number: usize) -> String {
    format!("MERCHANT{number:05}")
}

/// One event of each of so many merchants.
fn events(world: &World, app: &Shop, merchants: usize) -> Request<Bytes> {
    let ts = world.now().as_millisecond();
    let event = |n| (merchant(n), json!([{ "objectId": format!("I:ITEM{n:05}"), "type": "UPDATE", "ts": ts }]));
    let merchants: serde_json::Map<String, Value> = (0..merchants).map(event).collect();
    let body = json!({ "appId": "APP", "merchants": merchants }).to_string();
    Request::post(&app.url).header("x-clover-auth", CODE).body(body.into()).expect("a request")
}

/// How many notices are held, and for how many accounts.
async fn held(world: &World, app: &Shop) -> (usize, usize) {
    let letters = world.held(app).await;
    let accounts: BTreeSet<_> = letters.iter().filter_map(|letter| letter.account.clone()).collect();
    (letters.len(), accounts.len())
}

async fn connect(world: &World, app: &Shop, number: usize) -> String {
    let body = json!({ "provider": "clover", "account": merchant(number), "endpoint": app.id });
    world.post("/v1/connections", body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn the_body_of_a_delivery_for_twelve_thousand_unknown_accounts_is_kept_once() {
    const MERCHANTS: usize = 12_000;
    let world = World::new().await;
    let app = app(&world).await;
    let request = events(&world, &app, MERCHANTS);
    assert!(request.body().len() > 900_000, "{} bytes", request.body().len());
    world.request(request).await.expect(200);
    let before = memory::peak(std::process::id()).unwrap();
    world.tick().await;
    let grown = memory::peak(std::process::id()).unwrap() - before;
    assert!(grown < 200.0, "{grown} MB, with a table in memory");
    let letters = world.held(&app).await;
    assert_eq!(letters.len(), MERCHANTS);
    assert!(letters.iter().all(|letter| letter.message.len() < 1024), "each refers to the body");
    assert_eq!(world.blobs("kept").await.len(), 1);
}

/// As a function whose time is nearly up: what is committed stays, what is left comes again and goes on from there.
#[tokio::test]
async fn a_run_that_is_over_goes_on_from_what_is_committed_and_others_come_first() {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let (app, shop) = (app(world).await, world.shop().await);
    world.request(events(world, &app, 200)).await.expect(200);
    world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
    let messages: Vec<Message> = world.take_messages(QueueName::Notices).await;
    let mut runs = 0;
    let mut left = messages.clone();
    while !left.is_empty() {
        // There is time for a few commits.
        let written = || faulty.table.written().len();
        let before = written();
        let is_over = || written() > before + 100;
        let failed = world.host.processor.process_until(left.clone(), world.now(), &is_over).await;
        left.retain(|message| failed.contains(&message.handle));
        assert_eq!(world.changes().await.len(), 1, "the other's is done in the first run");
        assert!(left.len() < 2);
        runs += 1;
        assert!(runs < 20, "it gets on");
        if left.is_empty() {
            break;
        }
        assert!(held(world, &app).await.0 >= 25 * runs, "each run adds to it");
    }
    assert!(runs > 1, "one run was not enough");
    assert_eq!(held(world, &app).await, (200, 200));
    let told = world.activity().await;
    assert_eq!(told.iter().filter(|entry| entry["provider"] == "clover").count(), 200, "each account once");
}

#[tokio::test]
async fn one_of_many_accounts_that_connects_gets_what_is_its_own() {
    let world = World::new().await;
    let app = app(&world).await;
    world.request(events(&world, &app, 1000)).await.expect(200);
    world.tick().await;
    assert_eq!((held(&world, &app).await, world.blobs("kept").await.len()), ((1000, 1000), 1));
    let told = world.activity().await.len();
    let connection = connect(&world, &app, 7).await;
    for _ in 0..3 {
        world.after(Duration::from_secs(1)).await;
    }
    assert_eq!(held(&world, &app).await, (999, 999));
    let activity = world.activity().await;
    let news: Vec<&Value> = activity.iter().skip(told).collect();
    assert_eq!(news.len(), 1, "nothing more is told of the others: {news:?}");
    assert_eq!((&news[0]["connection"], &news[0]["outcome"]), (&json!(connection), &json!("waiting")));
    // The body is still there for the next.
    connect(&world, &app, 8).await;
    for _ in 0..3 {
        world.after(Duration::from_secs(1)).await;
    }
    assert_eq!(held(&world, &app).await, (998, 998));
    assert_eq!(world.get("/v1/dead-letters").await.expect(200)["items"], json!([]));
}

/// What a store refuses for its size, or for one item, is committed in parts; what cannot be names itself.
#[tokio::test]
async fn what_one_message_tells_is_committed_but_for_what_is_refused() {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let app = app(world).await;
    world.request(events(world, &app, 100)).await.expect(200);
    faulty.table.refuse(&merchant(42), Fault::failed("a transaction takes no more than 4 MB"));
    faulty.settle().await;
    assert_eq!(held(world, &app).await, (99, 99));
    let letters = world.get("/v1/dead-letters").await.expect(200);
    let [letter] = letters["items"].as_array().unwrap().as_slice() else { panic!("one letter: {letters}") };
    let reason = letter["reason"].as_str().unwrap();
    assert!(reason.contains("-42 tells could not be committed") && reason.contains("4 MB"), "{reason}");
    faulty.table.heal();
    world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
    faulty.settle().await;
    assert_eq!(held(world, &app).await, (100, 100));
}
