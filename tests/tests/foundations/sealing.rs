//! Sealed secrets are bound to their record, and root keys rotate.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_local::host::Host;
use hooktide_model::fault::Fault;
use hooktide_model::sealing::RootKeys;
use hooktide_store::ports::Keys;
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Upkeep};
use hooktide_tests::world::{SECRET, Shop, World, clock};
use serde_json::json;

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
