//! The sample events of providers, in `events/`: what the HTTP API hands to a receiver, and what a receiver puts on the
//! queue, signed with the secrets of one sample world that is always the same.
//!
//! The shapes are those of API Gateway's payload format 2.0 and of Lambda's SQS events; `events/README.md` has the links.

use std::collections::BTreeMap;
use std::fs;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use bytes::Bytes;
use hooktide_flows::Settings;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Becomes, Provider};
use hooktide_store::key::{Area, Key, Partition};
use hooktide_store::ports::QueueName;
use hooktide_store::records::endpoint;
use hooktide_tests::connected::{Connected, sample_secrets};
use hooktide_tests::gateway;
use hooktide_tests::world::World;
use http::{Method, Request};
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{check, root};

#[tokio::test]
async fn the_sample_events_are_current() {
    let world = World::new().await;
    let shop = world.shop().await;
    let mut messages = Vec::new();
    for topic in hooktide_providers::by_id("shopify").expect("shopify").profile().topics {
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
    for provider in hooktide_providers::with_webhooks().filter(|provider| provider.id() != "shopify") {
        world.clock.advance(Duration::from_secs(1));
        let made = world.connect(provider).await;
        for topic in one_of_each_sort(provider) {
            let request = world.sample_of(&made, topic, 1).await;
            check_json(&path(provider.id(), topic), &gateway::event(world.now(), &request));
            world.request(request).await.expect(provider.profile().accepted.as_u16());
        }
        if let Some((name, request)) = handshake(provider, &made) {
            check_json(&path(provider.id(), &name), &gateway::event(world.now(), &request));
            let answer = world.request(request).await;
            assert!(answer.status.is_success(), "{}: {answer:?}", provider.id());
        }
        endpoints.push((provider.id(), made.id));
    }
    check_json("events/world.json", &sample_world(&world, &endpoints).await);
}

/// A topic of each sort that a provider has: changes, syncs, requests about personal data, what is ignored.
fn one_of_each_sort(provider: &dyn Provider) -> Vec<&'static str> {
    let mut seen: Vec<Discriminant<Becomes>> = Vec::new();
    let topics = provider.profile().topics.iter();
    let first = topics.filter(|topic| {
        let sort = discriminant(&topic.becomes);
        let is_first = !seen.contains(&sort);
        seen.push(sort);
        is_first
    });
    first.map(|topic| topic.name).collect()
}

/// The plainest of the handshakes that were recorded of a provider, for the sample world's address and secrets.
fn handshake(provider: &dyn Provider, to: &Connected) -> Option<(String, Request<Bytes>)> {
    let folder = root().join("shared/providers/src").join(provider.id().replace('-', "_")).join("handshakes");
    let recorded = fs::read_dir(folder).ok()?.map(|entry| entry.expect("a file").path());
    let recorded = recorded.map(|path| (path.clone(), fs::read_to_string(path).expect("a handshake")));
    let answered = |text: &String| text.contains("# status: 200\n") || text.contains("\n# keeps: ");
    let (path, text) =
        recorded.filter(|(_, text)| answered(text)).min_by_key(|(path, _)| (path.as_os_str().len(), path.clone()))?;
    let mut text = text.replace("{endpoint}", &to.id);
    for (name, secret) in provider.profile().sample_secrets {
        let recorded = text.lines().find_map(|line| line.strip_prefix(&format!("# secret: {name}=")));
        if let Some(recorded) = recorded.map(str::to_owned) {
            text = text.replace(&recorded, secret);
        }
    }
    let (head, body) = text.split_once("\n\n").expect("a head and a body");
    let mut lines = head.lines().skip_while(|line| line.starts_with("# "));
    let mut line = lines.next().expect("a request line").split(' ');
    let mut request = Request::builder().method(line.next().expect("a method")).uri(line.next().expect("a target"));
    for (name, value) in lines.map(|line| line.split_once(": ").expect("a header")) {
        request = request.header(name, value);
    }
    let name = path.file_stem().expect("a name").to_str().expect("text").to_owned();
    Some((name, request.body(Bytes::copy_from_slice(body.as_bytes())).expect("a request")))
}

/// The file of a topic's sample.
fn path(provider: &str, topic: &str) -> String {
    format!("events/{provider}.{}.json", topic.replace(['/', '.'], "-"))
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
    let of_provider = |provider: &'static dyn Provider| {
        let (account, secrets) = (provider.profile().sample_account, sample_secrets(provider));
        let credentials: BTreeMap<_, _> = provider.profile().sample_credentials.iter().copied().collect();
        let topics = one_of_each_sort(provider);
        let of_it = json!({ "account": account, "secrets": secrets, "credentials": credentials, "topics": topics });
        (provider.id(), of_it)
    };
    // Those that send no webhooks as well, where somebody may be connected to their simulators.
    let is_sampled =
        |provider: &&'static dyn Provider| provider.webhooks().is_some() || provider.simulator(1).is_some();
    let samples: BTreeMap<_, _> = hooktide_providers::ALL.iter().copied().filter(is_sampled).map(of_provider).collect();
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
