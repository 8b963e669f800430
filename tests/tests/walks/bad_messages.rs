//! Messages that this code cannot process: foreign text, and envelopes of newer code.

use std::time::Duration;

use hooktide_model::envelope::{Envelope, VERSION};
use hooktide_store::ports::{Outgoing, QueueName, Source, send_one};
use hooktide_tests::bodies;
use hooktide_tests::world::{Answer, World};
use http::Request;
use serde_json::{Value, json};

async fn put(world: &World, body: String) {
    let message = Outgoing { queue: QueueName::Notices, body, delay: Duration::ZERO, group: "any".into() };
    send_one(&*world.host.ports.queue, message).await.expect("a message is sent");
}

/// Reads as the operator acting for the tenant `system`.
async fn as_system(world: &World, path: &str) -> Answer {
    let request = Request::get(path)
        .header("authorization", format!("Bearer {}", world.operator))
        .header("hooktide-tenant", "system");
    world.request(request.body(Default::default()).expect("a request")).await
}

async fn letters_of_system(world: &World) -> Vec<Value> {
    let list = as_system(world, "/v1/dead-letters").await.expect(200);
    let mut letters = Vec::new();
    for item in list["items"].as_array().expect("items") {
        let path = format!("/v1/dead-letters/{}", item["id"].as_str().expect("an id"));
        letters.push(as_system(world, &path).await.expect(200));
    }
    letters
}

/// A message as newer code would have written it.
async fn newer_message(world: &World) -> Value {
    let shop = world.shop().await;
    world.request(world.sample(&shop, "products/update", 1, world.now())).await;
    let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
    let mut newer: Value = serde_json::from_str(&message.body).expect("JSON");
    newer["v"] = json!(VERSION + 1);
    newer["what_only_newer_code_knows"] = json!({ "any": "thing" });
    newer
}

#[tokio::test]
async fn foreign_text_is_kept_whole_for_the_operator() {
    let long = bodies::noise(1, 1024 * 1024);
    for text in
        ["", "hello", "{}", r#"{"v":"two"}"#, r#"{"v":2,"kind":"surprise"}"#, r#"{"v":0}"#, "\u{0}\u{10ffff}", &long]
    {
        let world = World::new().await;
        put(&world, text.to_owned()).await;
        assert_eq!(world.tick().await, 1);
        let name: String = text.chars().take(30).collect();
        let letters = letters_of_system(&world).await;
        assert_eq!(letters.len(), 1, "{name:?}");
        assert_eq!((&letters[0]["class"], &letters[0]["provider"]), (&json!("unreadable"), &json!(null)), "{name:?}");
        assert_eq!(letters[0]["body"].as_str(), Some(text), "{name:?}");
        assert_eq!(world.idle().await, Ok(()), "{name:?}");
        assert_eq!(world.get("/v1/dead-letters").await.expect(200)["items"], json!([]), "{name:?}: no tenant sees it");
    }
}

#[tokio::test]
async fn an_envelope_of_a_provider_that_this_code_does_not_know_waits_until_code_that_does_runs() {
    let world = World::new().await;
    let mut unknown = newer_message(&world).await;
    (unknown["v"], unknown["provider"]) = (json!(VERSION), json!("nobody"));
    put(&world, unknown.to_string()).await;
    for _ in 0..20 {
        assert_eq!(world.tick().await, 1, "it is looked at again");
        world.clock.advance(Duration::from_secs(900));
    }
    assert!(letters_of_system(&world).await.is_empty());
    let waiting = world.take_messages(QueueName::Notices).await.pop().expect("the message");
    let mut waiting: Value = serde_json::from_str(&waiting.body).expect("JSON");
    assert_eq!(waiting["sha256"], unknown["sha256"]);
    waiting["provider"] = json!("shopify");
    put(&world, waiting.to_string()).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed"]);
}

/// A world with a message on its queue that newer code wrote.
async fn with_newer_message() -> (World, Value) {
    let world = World::new().await;
    let newer = newer_message(&world).await;
    put(&world, newer.to_string()).await;
    (world, newer)
}

#[tokio::test]
async fn a_message_of_newer_code_waits_until_that_runs() {
    let (world, newer) = with_newer_message().await;
    for _ in 0..50 {
        assert_eq!(world.tick().await, 1, "it is looked at again");
        world.clock.advance(Duration::from_secs(60));
    }
    assert!(letters_of_system(&world).await.is_empty());
    assert!(world.activity().await.is_empty());
    let waiting = world.take_messages(QueueName::Notices).await.pop().expect("the message");
    assert_eq!(serde_json::from_str::<Value>(&waiting.body).expect("JSON"), newer, "whole, as the newer code wrote it");
    // The newer code runs here: for it the message has the current version.
    let mut current = newer;
    current["v"] = json!(VERSION);
    put(&world, current.to_string()).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed"]);
    assert_eq!(world.changes().await.len(), 1);
}

#[tokio::test]
async fn a_message_of_newer_code_that_the_queue_gave_up_on_waits_on() {
    let (world, newer) = with_newer_message().await;
    for _ in 0..10 {
        // A processor takes it and dies.
        assert_eq!(world.host.queue.receive(Source::Queue(QueueName::Notices), 1).await.expect("a batch").len(), 1);
        world.clock.advance(Duration::from_secs(200));
    }
    assert!(world.host.queue.receive(Source::Queue(QueueName::Notices), 1).await.expect("a batch").is_empty());
    assert_eq!(world.tick().await, 1, "from the dead queue");
    assert!(letters_of_system(&world).await.is_empty());
    world.clock.advance(Duration::from_secs(60));
    let waiting = world.take_messages(QueueName::Notices).await.pop().expect("the message");
    assert_eq!(serde_json::from_str::<Value>(&waiting.body).expect("JSON"), newer);
}

#[tokio::test]
async fn a_message_of_the_first_version_is_processed() {
    let world = World::new().await;
    let mut older = newer_message(&world).await;
    older["v"] = json!(1);
    older.as_object_mut().expect("an object").remove("traceparent");
    put(&world, older.to_string()).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed"]);
    let trace = world.changes().await[0]["trace"].clone();
    let read_again = Envelope::decode(&older.to_string()).expect("an envelope");
    assert_eq!(trace.as_str(), Some(read_again.trace()), "the same whenever it is read");
}
