//! Several live secrets: rotation needs no downtime, and nothing is accepted without one.

use std::time::Duration;

use hooktide_tests::world::{SECRET, Shop, World};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// A shop with these secrets, newest first; a delivery is signed with the first.
async fn shop_with_secrets(world: &World, secrets: &[&str]) -> Shop {
    let made = world
        .shop_with(
            json!({ "provider": "shopify", "account": "demo.myshopify.com", "secrets": { "client_secret": secrets } }),
        )
        .await;
    signing(&made, secrets[0])
}

fn signing(shop: &Shop, secret: &str) -> Shop {
    Shop { secret: secret.to_owned(), ..shop.clone() }
}

/// Sends an update that is signed with a secret of the shop, and processes it.
async fn deliver(world: &World, shop: &Shop) -> u16 {
    world.update(shop, 1).await.status.as_u16()
}

async fn views(world: &World, shop: &Shop) -> Vec<Value> {
    let connection = world.get(&format!("/v1/connections/{}", shop.id)).await.expect(200);
    connection["secrets"]["client_secret"].as_array().cloned().unwrap_or_default()
}

fn key_id(view: &Value) -> String {
    view["key_id"].as_str().expect("a key id").to_owned()
}

async fn add(world: &World, shop: &Shop, body: Value) -> String {
    let path = format!("/v1/connections/{}/secrets/client_secret", shop.id);
    key_id(&world.post(&path, body).await.expect(201))
}

async fn remove(world: &World, shop: &Shop, key_id: &str) -> StatusCode {
    let path = format!("/v1/connections/{}/secrets/client_secret/{key_id}", shop.id);
    world.call(&world.operator, Method::DELETE, &path, None).await.status
}

#[tokio::test]
async fn each_live_secret_verifies_and_the_activity_names_it() {
    let world = World::new().await;
    let shop = shop_with_secrets(&world, &["new", "old"]).await;
    let known = views(&world, &shop).await;
    assert_eq!(known.len(), 2);
    assert!(known.iter().all(|view| view["last_verified_at"].is_null()));
    assert_eq!(deliver(&world, &shop).await, 200);
    assert_eq!(deliver(&world, &signing(&shop, "old")).await, 200);
    assert_eq!(deliver(&world, &signing(&shop, "neither")).await, 401);
    let verified: Vec<Value> = world.activity().await.iter().map(|entry| entry["verified_with"].clone()).collect();
    assert_eq!(verified, [known[0]["key_id"].clone(), known[1]["key_id"].clone()]);
    let seen = views(&world, &shop).await;
    assert!(seen.iter().all(|view| view["last_verified_at"].is_string()), "{seen:?}");
    let told = world.get("/v1/connections").await;
    assert!(!String::from_utf8_lossy(&told.body).contains("\"new\""), "a secret is never given back");
}

#[tokio::test]
async fn a_secret_that_is_added_counts_at_once_although_the_endpoint_is_cached() {
    let world = World::new().await;
    let shop = shop_with_secrets(&world, &["first", "second"]).await;
    assert_eq!(deliver(&world, &shop).await, 200);
    assert_eq!(deliver(&world, &signing(&shop, "third")).await, 401);
    let third = add(&world, &shop, json!({ "value": "third" })).await;
    assert_eq!(deliver(&world, &signing(&shop, "third")).await, 200);
    assert_eq!(deliver(&world, &shop).await, 200, "the others still count");
    assert_eq!(deliver(&world, &signing(&shop, "second")).await, 200);
    assert_eq!(world.activity().await[1]["verified_with"], json!(third));
    assert_eq!(key_id(&views(&world, &shop).await[0]), third, "newest first");
}

#[tokio::test]
async fn other_secrets_end_when_a_new_one_says_so() {
    let world = World::new().await;
    let shop = shop_with_secrets(&world, &["old"]).await;
    assert_eq!(deliver(&world, &shop).await, 200);
    add(&world, &shop, json!({ "value": "new", "retire_others_after": 3600 })).await;
    let new = signing(&shop, "new");
    assert_eq!(deliver(&world, &new).await, 200);
    world.clock.advance(Duration::from_secs(3590));
    assert_eq!(deliver(&world, &shop).await, 200, "not yet");
    world.clock.advance(Duration::from_secs(10));
    assert_eq!(deliver(&world, &shop).await, 401, "the hour is over");
    assert_eq!(deliver(&world, &new).await, 200);
    let at = (world.now() + Duration::from_secs(60)).to_string();
    add(&world, &shop, json!({ "value": "newest", "retire_others_after": at })).await;
    // As long as a receiver may remember the endpoint as it was.
    world.clock.advance(Duration::from_secs(300));
    assert_eq!((deliver(&world, &new).await, deliver(&world, &signing(&shop, "newest")).await), (401, 200));
}

#[tokio::test]
async fn a_secret_that_is_removed_stops_counting_when_the_endpoint_is_read_again() {
    let world = World::new().await;
    let shop = shop_with_secrets(&world, &["stays", "leaked"]).await;
    let leaked = signing(&shop, "leaked");
    assert_eq!(deliver(&world, &leaked).await, 200);
    let known = views(&world, &shop).await;
    assert_eq!(remove(&world, &shop, &key_id(&known[1])).await, 204);
    assert_eq!(remove(&world, &shop, &key_id(&known[1])).await, 404);
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(deliver(&world, &leaked).await, 401);
    assert_eq!(deliver(&world, &shop).await, 200);
}

#[tokio::test]
async fn the_last_live_secret_cannot_be_removed() {
    let world = World::new().await;
    let shop = shop_with_secrets(&world, &["only"]).await;
    let only = key_id(&views(&world, &shop).await[0]);
    assert_eq!(remove(&world, &shop, &only).await, 409);
    let new = add(&world, &shop, json!({ "value": "new", "retire_others_after": 60 })).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(remove(&world, &shop, &new).await, 409, "the other one no longer counts");
    assert_eq!(deliver(&world, &signing(&shop, "new")).await, 200);
    assert_eq!(remove(&world, &shop, &only).await, 204, "one that no longer counts may go");
    assert_eq!(remove(&world, &shop, &new).await, 409);
}

#[tokio::test]
async fn without_a_live_secret_everything_is_refused() {
    let world = World::new().await;
    let no_secret = json!({ "provider": "shopify", "account": "demo.myshopify.com" });
    let refused = world.post("/v1/connections", no_secret).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "secrets.client_secret");
    for empty in [json!(""), json!([]), json!(["", ""]), json!([" "])] {
        let body =
            json!({ "provider": "shopify", "account": "a.myshopify.com", "secrets": { "client_secret": empty } });
        world.post("/v1/connections", body).await.expect(422);
    }
    let shop = world.shop().await;
    world.without_secrets(&shop).await;
    assert_eq!(deliver(&world, &shop).await, 401);
    assert_eq!(deliver(&world, &signing(&shop, "")).await, 401, "an empty key signs nothing either");
    let path = format!("/v1/connections/{}/secrets/client_secret", shop.id);
    world.post(&path, json!({ "value": SECRET })).await.expect(201);
    assert_eq!(deliver(&world, &shop).await, 200);
}
