//! The first walk: a signed webhook becomes a change.

use std::time::Duration;

use hooktide_tests::world::World;
use serde_json::json;

#[tokio::test]
async fn a_signed_webhook_becomes_a_change_with_its_document() {
    let world = World::new().await;
    let shop = world.shop().await;
    assert_eq!(world.update(&shop, 1).await.status, 200);
    let changes = world.changes().await;
    assert_eq!(changes.len(), 1);
    let change = &changes[0];
    assert_eq!(change["kind"], "product");
    assert_eq!(change["op"], "created");
    assert_eq!(change["via"], "webhook");
    assert_eq!(change["connection"], json!(shop.id));
    assert_eq!(change["entity"], json!(format!("product/{}/{}", shop.id, change["document"]["id"].as_str().unwrap())));
    assert_eq!(change["tags"], json!([change["entity"], "products", format!("product/{}/*", shop.id)]),);
    assert_eq!(change["document"]["title"], "First flush No. 1");
    assert_eq!(change["document"]["variants"][0]["sku"], "TEA-1-1");
    let activity = world.activity().await;
    assert_eq!(activity[0]["outcome"], "processed");
    assert_eq!(activity[0]["trace"], change["trace"]);
}

#[tokio::test]
async fn a_repeat_is_a_duplicate_and_an_older_version_is_stale() {
    let world = World::new().await;
    let shop = world.shop().await;
    let first = world.sample(&shop, "products/update", 1, world.now());
    world.request(first.clone()).await;
    world.tick().await;
    world.clock.advance(Duration::from_millis(1));
    world.request(first).await;
    world.tick().await;
    world.clock.advance(Duration::from_millis(1));
    world.request(world.sample(&shop, "products/update", 1, world.now() - Duration::from_secs(3600))).await;
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed", "duplicate", "stale"]);
    assert_eq!(world.changes().await.len(), 1);
}

#[tokio::test]
async fn a_deletion_is_final() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.update(&shop, 1).await;
    world.clock.advance(Duration::from_millis(1));
    world.request(world.sample(&shop, "products/delete", 1, world.now())).await;
    world.tick().await;
    world.clock.advance(Duration::from_secs(60));
    world.update(&shop, 1).await;
    let changes = world.changes().await;
    assert_eq!(changes.len(), 2);
    assert_eq!((&changes[1]["op"], &changes[1]["version"]), (&json!("deleted"), &json!("final")));
    assert_eq!(world.outcomes().await, ["processed", "processed", "stale"]);
}

#[tokio::test]
async fn a_tampered_body_is_refused_and_leaves_no_trace() {
    let world = World::new().await;
    let shop = world.shop().await;
    let (parts, body) = world.sample(&shop, "products/update", 1, world.now()).into_parts();
    let mut body = body.to_vec();
    body[10] ^= 1;
    assert_eq!(world.request(http::Request::from_parts(parts, body.into())).await.status, 401);
    assert_eq!(world.tick().await, 0);
    assert!(world.activity().await.is_empty());
}

#[tokio::test]
async fn hints_wait_privacy_requests_are_done_and_unknown_topics_are_ignored() {
    let world = World::new().await;
    let shop = world.shop().await;
    for (topic, number) in [("inventory_levels/update", 1), ("inventory_levels/update", 2), ("customers/redact", 1)] {
        world.request(world.sample(&shop, topic, number, world.now())).await;
    }
    world.request(world.signed(&shop, "carts/create", "{}")).await;
    world.request(world.signed(&shop, "products/delete", r#"{"id":1,"title":"x"}"#)).await;
    world.tick().await;
    let activity = world.activity().await;
    let mut told: Vec<String> = activity
        .iter()
        .map(|entry| format!("{} {} {}", entry["topic"], entry["outcome"], entry["reason"]).replace('"', ""))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "carts/create ignored unknown topic".to_owned(),
            "customers/redact processed erased: 0 entities, 0 documents, 0 kept deliveries".to_owned(),
            "customers/redact waiting a request about personal data; it is being done".to_owned(),
            format!("inventory_levels/update waiting a sync of stock/{} is due", shop.id),
            format!("inventory_levels/update waiting a sync of stock/{} is due", shop.id),
            "products/delete ignored topic does not fit body".to_owned(),
        ]
    );
}
