//! The sample events of providers, in `events/`: what the HTTP API hands to a receiver, and what a receiver puts on the
//! queue, signed with the secrets of one sample world that is always the same.
//!
//! The shapes are those of API Gateway's payload format 2.0 and of Lambda's SQS events; `events/README.md` has the links.

use std::time::Duration;

use bytes::Bytes;
use hooktide_core::key::{Area, Key, Partition};
use hooktide_core::ports::QueueName;
use hooktide_core::providers;
use hooktide_core::records::endpoint;
use hooktide_core::tenant::Tenant;
use hooktide_tests::gateway;
use hooktide_tests::world::{Shop, World};
use http::{Method, Request};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::check;

#[tokio::test]
async fn the_sample_events_are_current() {
    let world = World::new().await;
    let shop = world.shop().await;
    check_json("events/world.json", &sample_world(&world, &shop).await);

    let mut messages = Vec::new();
    for topic in providers::by_id("shopify").expect("shopify").topics() {
        world.clock.advance(Duration::from_secs(1));
        let request = world.sample(&shop, topic.name, 1, world.now());
        let name = topic.name.replace('/', "-");
        check_json(&format!("events/shopify.{name}.json"), &gateway::event(world.now(), &request));
        if topic.name.starts_with("products/") {
            world.request(request).await;
            messages.extend(world.take_messages(QueueName::Notices).await);
        }
    }
    let records: Vec<Value> = messages.iter().map(|message| queue_record(&world, &message.body)).collect();
    check_json("events/processor.notices.json", &json!({ "Records": records }));

    let genuine = world.sample(&shop, "products/update", 1, world.now());
    let (parts, body) = genuine.clone().into_parts();
    let tampered = String::from_utf8(body.to_vec()).expect("text").replace("First flush", "Second flush");
    let tampered = Request::from_parts(parts, Bytes::from(tampered));
    check_json("events/shopify.tampered.json", &gateway::event(world.now(), &tampered));

    let (mut parts, body) = genuine.clone().into_parts();
    parts.uri = "/webhooks/shopify/aaaaaaaaaaaaaaaaaaaaaa".parse().expect("an address");
    check_json("events/shopify.unknown-address.json", &gateway::event(world.now(), &Request::from_parts(parts, body)));

    let (mut parts, _) = genuine.into_parts();
    parts.method = Method::GET;
    check_json(
        "events/shopify.wrong-method.json",
        &gateway::event(world.now(), &Request::from_parts(parts, Bytes::new())),
    );
}

fn check_json(path: &str, value: &Value) {
    check(path, &format!("{}\n", serde_json::to_string_pretty(value).expect("JSON")));
}

/// The root keys, and what the table must have for the samples to be accepted and processed.
async fn sample_world(world: &World, shop: &Shop) -> Value {
    let table = &world.host.ports.table;
    let tenant = Tenant::default_local();
    let connection: Key = Partition::of(&tenant, Area::Connections).key(shop.id.clone());
    let mut items = Vec::new();
    for key in [endpoint::key("shopify", &shop.id), connection] {
        let item = table.get(&key).await.expect("a read").expect("an item");
        items.push(serde_json::to_value(&item).expect("DynamoDB's JSON"));
    }
    let root = world.host.ports.keys.root().await.expect("root keys");
    let root: Value = serde_json::from_slice(root.to_json().expose()).expect("JSON");
    json!({ "root_keys": root, "items": items })
}

/// A message as Lambda hands it over from the queue for notices.
fn queue_record(world: &World, body: &str) -> Value {
    let envelope: Map<String, Value> = serde_json::from_str(body).expect("an envelope");
    let sent_at = world.now().as_millisecond().to_string();
    json!({
        "messageId": format!("19dd0b57-b21e-4ac1-bd88-{:0>12}", envelope["sha256"].as_str().map_or("", |hash| &hash[..12])),
        "receiptHandle": "AQEBzWwaftRI0KuVm4tP",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent_at,
            "SenderId": "AROAEXAMPLE:hooktide-receiver-shopify",
            "ApproximateFirstReceiveTimestamp": sent_at,
            "MessageGroupId": envelope["endpoint"],
        },
        "messageAttributes": {},
        "md5OfBody": data_encoding::HEXLOWER.encode(&Md5::digest(body)),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:hooktide-notices",
        "awsRegion": "us-east-1",
    })
}
