//! On an endpoint with many accounts, nobody can pass another account's entities off as their own.

use hooktide_tests::world::{SECRET, Shop, World};
use http::HeaderValue;
use serde_json::json;

async fn two_shops() -> (World, Shop, Shop) {
    let world = World::new().await;
    let endpoint = json!({ "provider": "shopify", "secrets": { "client_secret": SECRET } });
    let endpoint = world.post("/v1/endpoints", endpoint).await.expect(201)["id"].clone();
    let shop = async |account: &str| {
        world.shop_with(json!({ "provider": "shopify", "account": account, "endpoint": endpoint })).await
    };
    let (ours, theirs) = (shop("ours.myshopify.com").await, shop("theirs.myshopify.com").await);
    (world, ours, theirs)
}

#[tokio::test]
async fn a_delivery_sent_again_for_another_shop_is_ignored() {
    let (world, ours, theirs) = two_shops().await;
    let genuine = world.sample(&ours, "products/update", 1, world.now());
    let mut forged = genuine.clone();
    forged.headers_mut().insert("x-shopify-shop-domain", HeaderValue::from_static("theirs.myshopify.com"));
    world.request(genuine).await;
    world.tick().await;
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(world.request(forged.clone()).await.status, 200, "its signature is genuine");
    world.tick().await;
    let changes = world.changes().await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["connection"], json!(ours.id));
    let last = world.activity().await.pop().unwrap();
    assert_eq!(last["connection"], json!(theirs.id));
    assert_eq!(
        (&last["outcome"], &last["reason"]),
        (&json!("ignored"), &json!("the entity belongs to another account of this endpoint"))
    );
    // The other shop's own entities are untouched by that.
    world.update(&theirs, 2).await;
    assert_eq!(world.changes().await.len(), 2);
}

#[tokio::test]
async fn what_belonged_to_a_deleted_connection_is_free_again() {
    let (world, ours, theirs) = two_shops().await;
    world.update(&ours, 1).await;
    let path = format!("/v1/connections/{}", ours.id);
    world.call(&world.operator, http::Method::DELETE, &path, None).await.expect(200);
    world.update(&theirs, 1).await;
    assert_eq!(world.changes().await.len(), 2);
}
