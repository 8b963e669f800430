//! The sample events of providers, in `events/`: what the HTTP API hands to a receiver, and what a receiver puts on the
//! queue, signed with the secrets of one sample world that is always the same.
//!
//! The shapes are those of API Gateway's payload format 2.0 and of Lambda's SQS events; `events/README.md` has the links.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use bytes::Bytes;
use hooktide_core::flows::Settings;
use hooktide_core::key::{Area, Key, Partition};
use hooktide_core::ports::QueueName;
use hooktide_core::providers::{self, Becomes, Provider, Sample, Unsigned};
use hooktide_core::records::endpoint;
use hooktide_core::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_core::tenant::Tenant;
use hooktide_tests::gateway;
use hooktide_tests::world::World;
use http::{Method, Request};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::check;

#[tokio::test]
async fn the_sample_events_are_current() {
    let world = World::new().await;
    let shop = world.shop().await;
    let mut messages = Vec::new();
    for topic in providers::by_id("shopify").expect("shopify").topics() {
        world.clock.advance(Duration::from_secs(1));
        let request = world.sample(&shop, topic.name, 1, world.now());
        check_json(&path("shopify", topic.name), &gateway::event(world.now(), &request));
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

    let mut endpoints = vec![("shopify", shop.id)];
    for provider in providers::ALL.iter().copied().filter(|provider| shows(*provider)) {
        world.clock.advance(Duration::from_secs(1));
        let made = connect(&world, provider).await;
        for topic in one_of_each_sort(provider) {
            let request = signed(&world, provider, &made.url, topic);
            check_json(&path(provider.id(), topic), &gateway::event(world.now(), &request));
            world.request(request).await.expect(provider.accepted().as_u16());
        }
        endpoints.push((provider.id(), made.id));
    }
    check_json("events/world.json", &sample_world(&world, &endpoints).await);
}

/// Whether there are samples of a provider here, beside all of Shopify's: what is proved by a token that we derive has no
/// secret that a sample world could hold.
fn shows(provider: &dyn Provider) -> bool {
    provider.id() != "shopify" && !provider.derives_tokens()
}

/// A topic of each sort that a provider has: changes, syncs, requests about personal data, what is ignored.
fn one_of_each_sort(provider: &dyn Provider) -> Vec<&'static str> {
    let mut seen: Vec<Discriminant<Becomes>> = Vec::new();
    let topics = provider.topics().iter();
    let first = topics.filter(|topic| {
        let sort = discriminant(&topic.becomes);
        let is_first = !seen.contains(&sort);
        seen.push(sort);
        is_first
    });
    first.map(|topic| topic.name).collect()
}

/// The file of a topic's sample.
fn path(provider: &str, topic: &str) -> String {
    format!("events/{provider}.{}.json", topic.replace(['/', '.'], "-"))
}

struct Connected {
    id: String,
    url: String,
}

/// A connection with the provider's sample secrets.
async fn connect(world: &World, provider: &dyn Provider) -> Connected {
    let secrets: BTreeMap<_, _> = provider.sample_secrets().iter().copied().collect();
    let (id, account) = (provider.id(), provider.sample_account());
    let made = world.post("/v1/connections", json!({ "provider": id, "account": account, "secrets": secrets })).await;
    let made = made.expect(201);
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    Connected { id: text("id"), url: text("webhook_url") }
}

/// A sample of a topic, signed with the provider's sample secrets.
fn signed(world: &World, provider: &dyn Provider, url: &str, topic: &str) -> Request<Bytes> {
    let (account, now) = (provider.sample_account(), world.now());
    let live = |(name, text): &(&str, &str)| LiveSecret {
        name: (*name).to_owned(),
        id: KeyId("sample".to_owned()),
        secret: Secret::new(text.as_bytes()),
        retires_at: None,
    };
    let delivery = world.host.ports.entropy.time_ordered_id(now);
    let unsigned = Unsigned {
        topic,
        body: provider.sample(topic, &Sample { number: 1, updated_at: now, account }).expect("a sample of the topic"),
        account,
        delivery: &delivery,
        secrets: &Secrets::new(provider.sample_secrets().iter().map(live).collect()),
        url,
        now,
    };
    provider.sign(unsigned).expect("a signed request")
}

fn check_json(path: &str, value: &Value) {
    check(path, &format!("{}\n", serde_json::to_string_pretty(value).expect("JSON")));
}

/// The root keys, what the table must have for the samples to be accepted and processed, and what they are signed with:
/// the address, where that is signed, and the secrets, for those who sign them anew.
async fn sample_world(world: &World, endpoints: &[(&str, String)]) -> Value {
    let table = &world.host.ports.table;
    let tenant = Tenant::default_local();
    let mut items = Vec::new();
    for (provider, id) in endpoints {
        let connection: Key = Partition::of(&tenant, Area::Connections).key(id.clone());
        for key in [endpoint::key(provider, id), connection] {
            let item = table.get(&key).await.expect("a read").expect("an item");
            items.push(serde_json::to_value(&item).expect("DynamoDB's JSON"));
        }
    }
    let secrets = |provider: &&dyn Provider| {
        let named: BTreeMap<_, _> = provider.sample_secrets().iter().copied().collect();
        (provider.id(), json!({ "account": provider.sample_account(), "secrets": named }))
    };
    let samples: BTreeMap<_, _> = providers::ALL.iter().map(secrets).collect();
    let root = world.host.ports.keys.root().await.expect("root keys");
    let root: Value = serde_json::from_slice(root.to_json().expose()).expect("JSON");
    let public_url = &Settings::default().public_url;
    json!({ "root_keys": root, "items": items, "public_url": public_url, "samples": samples })
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
