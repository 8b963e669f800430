//! Deliveries about several accounts of which a part cannot be processed: whoever keeps the body can read all of it.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::fault::Fault;
use hooktide_model::names::Scope;
use hooktide_tests::faults::FaultyWorld;
use hooktide_tests::world::{Shop, World};
use http::{Method, Request};
use serde_json::{Value, json};

const CODE: &str = "hush-clover-auth-code";

/// An endpoint for an app of many merchants.
async fn app(world: &World) -> Shop {
    let body = json!({ "provider": "clover", "name": "app", "secrets": { "auth_code": CODE } });
    world.endpoint_with(body, CODE).await
}

/// One event of each merchant; of the first, one that cannot be read.
fn events(world: &World, app: &Shop, odd: &str, merchants: &[&str]) -> Request<Bytes> {
    let ts = world.now().as_millisecond();
    let event = |merchant: &&str| {
        ((*merchant).to_owned(), json!([{ "objectId": format!("I:{merchant}"), "type": "UPDATE", "ts": ts }]))
    };
    let mut all: serde_json::Map<String, Value> = merchants.iter().map(event).collect();
    if !odd.is_empty() {
        all.insert(odd.to_owned(), json!([{ "objectId": ["I", 1], "type": "UPDATE", "ts": ts }]));
    }
    let body = json!({ "appId": "APP", "merchants": all }).to_string();
    Request::post(&app.url).header("x-clover-auth", CODE).body(body.into()).expect("a request")
}

async fn items(world: &World, token: &str, path: &str) -> Vec<Value> {
    let page = world.call(token, Method::GET, path, None).await.expect(200);
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Connects a merchant for a tenant, and processes what was held for it.
async fn connect(world: &World, app: &Shop, tenant: &str, token: &str, merchant: &str) -> String {
    let claim = world.claim(app, merchant, tenant).await;
    let body = json!({ "provider": "clover", "claim": claim });
    let made = world.call(token, Method::POST, "/v1/connections", Some(body)).await.expect(201);
    world.tick().await;
    world.after(Duration::from_secs(1)).await;
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_body_of_several_tenants_that_cannot_be_processed_whole_stays_with_the_owner_of_its_endpoint() {
    let world = World::new().await;
    let app = app(&world).await;
    let anna = world.token("anna", &[Scope::Operate]).await;
    let body = events(&world, &app, "ODDMERCHANT01", &["MERCHANT00001", "MERCHANT00002"]);
    world.request(body).await.expect(200);
    world.tick().await;
    assert_eq!((items(&world, &world.operator, "/v1/dead-letters").await.len(), world.held(&app).await.len()), (1, 2));
    // What was held for one merchant is released to another tenant.
    connect(&world, &app, "anna", &anna, "MERCHANT00001").await;
    let told = items(&world, &anna, "/v1/activity").await;
    assert_eq!(told.iter().map(|entry| &entry["outcome"]).collect::<Vec<_>>(), ["waiting"], "{told:?}");
    // And one that names nobody else but an odd merchant.
    world.clock.advance(Duration::from_secs(1));
    world.request(events(&world, &app, "ODDMERCHANT01", &["MERCHANT00001"])).await.expect(200);
    world.tick().await;
    let told = items(&world, &anna, "/v1/activity").await;
    assert_eq!(told.iter().map(|entry| &entry["outcome"]).collect::<Vec<_>>(), ["waiting"; 2], "{told:?}");
    assert_eq!(items(&world, &anna, "/v1/dead-letters").await, [0; 0], "a body names other tenants' merchants");
    let letters = items(&world, &world.operator, "/v1/dead-letters").await;
    assert!(letters.len() == 2 && letters.iter().all(|letter| letter["class"] == "unreadable"), "{letters:?}");
    assert_eq!(world.held(&app).await.len(), 1, "the other merchant's waits on");
}

#[tokio::test]
async fn what_fails_of_one_body_for_several_accounts_is_kept_apart_and_replayed() {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let app = app(world).await;
    let (anna, bert) = (world.token("anna", &[Scope::Operate]).await, world.token("bert", &[Scope::Operate]).await);
    world.request(events(world, &app, "", &["MERCHANT00001", "MERCHANT00002", "MERCHANT00003"])).await.expect(200);
    world.tick().await;
    faulty.table.refuse("catalog/", Fault::failed("refused"));
    for (tenant, token, merchant) in [("anna", &anna, "MERCHANT00001"), ("bert", &bert, "MERCHANT00002")] {
        connect(world, &app, tenant, token, merchant).await;
    }
    faulty.settle().await;
    for token in [&anna, &bert] {
        assert_eq!(items(world, token, "/v1/dead-letters").await, [0; 0], "the body names other tenants' merchants");
    }
    let letters = items(world, &world.operator, "/v1/dead-letters").await;
    assert_eq!(letters.len(), 2, "neither takes the place of the other: {letters:?}");
    for letter in &letters {
        let path = format!("/v1/dead-letters/{}", letter["id"].as_str().expect("an id"));
        assert_eq!(world.get(&path).await.expect(200)["class"], "tries-exhausted");
    }
    faulty.table.heal();
    world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
    faulty.settle().await;
    assert_eq!(items(world, &world.operator, "/v1/dead-letters").await, [0; 0]);
    for token in [&anna, &bert] {
        let told = items(world, token, "/v1/activity").await;
        assert!(told.iter().any(|entry| entry["outcome"] == "waiting"), "{told:?}");
    }
}
