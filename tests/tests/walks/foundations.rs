//! What is dear to change later: versions of records, identities, ties, times, sealed secrets and root keys.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_api::Options;
use hooktide_core::fault::Fault;
use hooktide_core::flows::Settings;
use hooktide_core::flows::process::Processor;
use hooktide_core::flows::receive::Receiver;
use hooktide_core::names::JobKind;
use hooktide_core::ports::{AttributeValue, Key, Keys, Write};
use hooktide_core::records::endpoint::{self, Endpoint};
use hooktide_core::records::{self, Upkeep, delivery, job};
use hooktide_core::sealing::RootKeys;
use hooktide_core::tenant::Tenant;
use hooktide_local::host::Host;
use hooktide_local::queue::QueueSettings;
use hooktide_tests::bodies;
use hooktide_tests::world::{SECRET, Shop, World, clock};
use serde_json::{Value, json};

/// Writes another version into a stored item.
async fn set_version(world: &World, key: &Key, version: u32) {
    let table = &*world.host.ports.table;
    let mut item = table.get(key).await.expect("a read").expect("an item");
    item.inner_mut().insert("v".into(), AttributeValue::N(version.to_string()));
    table.write(Write::Put { item, condition: None }).await.expect("a write");
}

async fn send(world: &World, shop: &Shop, topic: &str, number: u64) {
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.request(world.sample(shop, topic, number, world.now())).await.status, 200);
}

/// The key of the state of the product that a change is about.
fn entity_key(shop: &Shop, change: &Value) -> Key {
    let id = change["entity"].as_str().and_then(|entity| entity.rsplit('/').next()).expect("an id").to_owned();
    let kind = hooktide_core::names::Kind::Product;
    records::entity::EntityId { kind, connection: shop.id.clone(), id }.key(&Tenant::default_local())
}

#[tokio::test]
async fn a_message_waits_where_it_meets_a_record_of_newer_code() {
    let world = World::new().await;
    let shop = world.shop().await;
    for topic in ["products/update", "inventory_levels/update"] {
        send(&world, &shop, topic, 1).await;
    }
    world.tick().await;
    let product = entity_key(&shop, &world.changes().await[0]);
    let mark = job::key(&Tenant::default_local(), JobKind::Sync, &format!("stock/{}", shop.id));
    let endpoint = endpoint::key("shopify", &shop.id);
    for (name, key, topic) in [
        ("entity", product, "products/update"),
        ("job mark", mark, "inventory_levels/update"),
        ("endpoint", endpoint, "products/update"),
    ] {
        let before = world.activity().await.len();
        send(&world, &shop, topic, 1).await;
        set_version(&world, &key, 2).await;
        for _ in 0..20 {
            world.tick().await;
            world.clock.advance(Duration::from_secs(300));
        }
        assert_eq!(world.activity().await.len(), before, "{name}: it waits, without a word");
        assert!(world.idle().await.is_err(), "{name}");
        set_version(&world, &key, 1).await;
        world.after(Duration::from_secs(900)).await;
        assert_eq!(world.activity().await.len(), before + 1, "{name}: the newer code runs");
        assert_eq!(world.idle().await, Ok(()), "{name}");
    }
    let outcomes = world.outcomes().await;
    assert!(outcomes.iter().all(|outcome| ["processed", "waiting"].contains(&outcome.as_str())), "{outcomes:?}");
}

#[tokio::test]
async fn a_record_of_newer_code_takes_no_other_message_along() {
    let world = World::new().await;
    let shop = world.shop().await;
    send(&world, &shop, "products/update", 1).await;
    world.tick().await;
    let product = entity_key(&shop, &world.changes().await[0]);
    set_version(&world, &product, 2).await;
    for number in 1..=5 {
        send(&world, &shop, "products/update", number).await;
    }
    world.tick().await;
    assert_eq!(world.changes().await.len(), 5, "the four others, at once");
    set_version(&world, &product, 1).await;
    world.after(Duration::from_secs(900)).await;
    assert_eq!(world.changes().await.len(), 6);
}

#[test]
fn a_function_ends_before_its_lease_and_its_lease_before_its_message_is_seen_again() {
    const FUNCTION: Duration = Duration::from_secs(30);
    const WINDOW: Duration = Duration::from_secs(2);
    let visibility = QueueSettings::default().visibility;
    for lease in [job::LEASE, delivery::LEASE] {
        assert!(FUNCTION < lease && lease < visibility);
    }
    assert!(visibility >= 6 * FUNCTION + WINDOW);
}

#[tokio::test]
async fn an_unsigned_id_makes_nothing_old() {
    let world = World::new().await;
    let shop = world.shop().await;
    let first = world.sample(&shop, "products/update", 1, world.now());
    world.request(first.clone()).await;
    world.tick().await;
    let id = &first.headers()["x-shopify-webhook-id"];
    for number in [1, 2] {
        world.clock.advance(Duration::from_secs(1));
        let mut other = world.sample(&shop, "products/update", number, world.now());
        other.headers_mut().insert("x-shopify-webhook-id", id.clone());
        world.request(other).await;
        world.tick().await;
    }
    let mut made_up = first;
    made_up.headers_mut().insert("x-shopify-webhook-id", "made-up".parse().expect("a value"));
    world.clock.advance(Duration::from_secs(1));
    world.request(made_up).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed", "processed", "processed", "stale"]);
    assert_eq!(world.changes().await.len(), 3);
}

#[tokio::test]
async fn a_tie_ends_in_the_same_state_in_any_order_and_any_batches() {
    let mut ends = Vec::new();
    for order in [["one", "two", "three"], ["three", "two", "one"], ["two", "three", "one"]] {
        for together in [true, false] {
            let world = World::new().await;
            let shop = world.shop().await;
            let updated_at = world.now();
            for title in order {
                let body = bodies::product(1, updated_at, title).to_string();
                world.request(world.signed(&shop, "products/update", body)).await;
                if !together {
                    world.after(Duration::from_millis(1)).await;
                }
            }
            world.tick().await;
            let changes = world.changes().await;
            let last = changes.last().expect("a change");
            ends.push(last["document"]["title"].as_str().expect("a title").to_owned());
            let stored = world.host.ports.table.get(&entity_key(&shop, last)).await.expect("a read");
            assert!(stored.is_some());
        }
    }
    ends.dedup();
    assert_eq!(ends.len(), 1, "{ends:?}");
}

#[tokio::test]
async fn a_sealed_secret_opens_only_in_the_record_that_it_was_sealed_for() {
    let world = World::new().await;
    let shop = world.shop().await;
    let other =
        json!({ "provider": "shopify", "account": "b.myshopify.com", "secrets": { "client_secret": "theirs" } });
    let other = world.shop_with(other).await;
    let table = &*world.host.ports.table;
    let read = async |shop: &Shop| {
        let stored = records::get::<Endpoint>(table, &endpoint::key("shopify", &shop.id)).await;
        stored.expect("a read").expect("an endpoint")
    };
    let (ours, theirs) = (read(&shop).await, read(&other).await);
    let copied = Endpoint { secrets: ours.record.secrets, ..theirs.record };
    let write = records::replace(&copied.key(), Some(theirs.rev), &copied, Upkeep::default()).expect("an endpoint");
    table.write(write).await.expect("a write");
    let planted = Shop { secret: SECRET.into(), ..other };
    let answer = world.request(world.sample(&planted, "products/update", 1, world.now())).await;
    assert_eq!(answer.status, 500, "our own fault, so the provider tries again");
    assert_eq!(world.tick().await, 0);
    assert_eq!(world.update(&shop, 1).await.status, 200);
}

/// Root keys that rotate while the host runs.
struct Rotating(Mutex<Arc<RootKeys>>);

#[async_trait]
impl Keys for Rotating {
    async fn root(&self) -> Result<Arc<RootKeys>, Fault> {
        Ok(Arc::clone(&self.0.lock().expect("root keys")))
    }
}

#[tokio::test]
async fn root_keys_rotate_and_everything_older_stays_readable() {
    let clock = clock();
    let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).expect("a host");
    let keys = Arc::new(Rotating(Mutex::new(host.ports.keys.root().await.expect("root keys"))));
    host.ports.keys = Arc::clone(&keys) as Arc<dyn Keys>;
    host.receiver = Arc::new(Receiver::new(host.ports.clone(), host.settings.clone()));
    host.processor = Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
    let world = World::over(Arc::new(host), clock, Options::default()).await;
    let shop = world.shop().await;
    let feed_token = world.post("/v1/feed-tokens", json!({})).await.expect(201)["token"].clone();
    let mut rotated = (*keys.root().await.expect("root keys")).clone();
    let before = rotated.current_id().to_owned();
    rotated.rotate(&world.host.ports.entropy);
    *keys.0.lock().expect("root keys") = Arc::new(rotated);
    // Longer than a receiver remembers the endpoint.
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(world.update(&shop, 1).await.status, 200, "the address and the secret are as before");
    let path = format!("/v1/connections/{}/secrets/client_secret", shop.id);
    world.post(&path, json!({ "value": "sealed with the new key" })).await.expect(201);
    world.clock.advance(Duration::from_secs(301));
    assert_eq!(world.update(&shop, 2).await.status, 200);
    let new = Shop { secret: "sealed with the new key".into(), ..shop.clone() };
    assert_eq!(world.update(&new, 3).await.status, 200);
    let stored = records::get::<Endpoint>(&*world.host.ports.table, &endpoint::key("shopify", &shop.id)).await;
    let secrets = stored.expect("a read").expect("an endpoint").record.secrets;
    let with: Vec<bool> = secrets.iter().map(|secret| secret.sealed.starts_with(&before)).collect();
    assert_eq!(with, [false, true], "each with the key that was current");
    let feed = format!("/v1/changes?token={}", feed_token.as_str().expect("a token"));
    let request = http::Request::get(feed).body(Default::default()).expect("a request");
    assert_eq!(world.request(request).await.expect(200)["items"].as_array().map(Vec::len), Some(3));
}
