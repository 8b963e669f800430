//! A world with every kind of record.

use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_model::names::Scope;
use hooktide_tests::bodies;
use hooktide_tests::faults::FaultyWorld;
use hooktide_tests::world::{SECRET, Shop};
use http::Method;
use serde_json::json;

/// A world with every kind of record of the tenants `anna` and `bert`, and the shop of each.
pub async fn with_everything() -> (FaultyWorld, [Shop; 2]) {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let app = world.shared_endpoint("app").await;
    let mut shops = Vec::new();
    for name in ["anna", "bert"] {
        let token = world.token(name, &[Scope::Admin]).await;
        let post = async |path: &str, body| world.call(&token, Method::POST, path, Some(body)).await;
        let account = format!("{name}.myshopify.com");
        let own = json!({ "provider": "shopify", "account": account, "secrets": { "client_secret": SECRET, "access_token": "t" } });
        let own = post("/v1/connections", own).await.expect(201);
        let text = |name: &str| own[name].as_str().unwrap_or_default().to_owned();
        let shop = Shop { id: text("id"), url: text("webhook_url"), account: account.clone(), secret: SECRET.into() };
        let shared = json!({ "provider": "shopify", "account": account, "endpoint": app.id });
        post("/v1/connections", shared).await.expect(201);
        post("/v1/endpoints", json!({ "provider": "shopify", "secrets": { "client_secret": "s" } })).await.expect(201);
        post("/v1/tokens", json!({})).await.expect(201);
        post("/v1/sync/mode", json!({ "mode": "auto", "percent": 100 })).await.expect(202);
        for topic in ["products/update", "inventory_levels/update", "customers/redact"] {
            world.request(world.sample(&shop, topic, 1, world.now())).await;
        }
        world.request(world.signed(&shop, "products/update", "no JSON")).await;
        let large = bodies::enlarged(world.sample(&shop, "products/update", 5, world.now()).body(), 5);
        world.request(world.signed(&shop, "products/update", large)).await;
        world.request(world.sample(&Shop { account, ..app.clone() }, "products/update", 2, world.now())).await;
        world.tick().await;
        post("/v1/dead-letters/replay", json!({})).await.expect(202);
        world.tick().await;
        // This one waits for long.
        world.request(world.sample(&shop, "products/update", 3, world.now())).await;
        let after = Some(Duration::from_secs(3600));
        faulty.table.poison("product#", Fault::Retryable { detail: "later".into(), after });
        world.tick().await;
        faulty.table.heal();
        shops.push(shop);
    }
    let unknown = Shop { account: "nobody.myshopify.com".into(), ..app };
    world.request(world.sample(&unknown, "products/update", 4, world.now())).await;
    world.tick().await;
    (faulty, shops.try_into().expect("two shops"))
}
