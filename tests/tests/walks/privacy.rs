//! Requests about personal data are done, and there is a record of it.

use hooktide_core::providers;
use hooktide_tests::connected::sample_secrets;
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

async fn records(world: &World) -> Vec<Value> {
    let page = world.get("/v1/privacy-requests").await.expect(200);
    page["items"].as_array().cloned().unwrap_or_default()
}

async fn letters(world: &World) -> usize {
    world.get("/v1/dead-letters").await.expect(200)["items"].as_array().map_or(0, Vec::len)
}

/// Dead letters of which only one is about the customer of the sample requests.
async fn keep_letters(world: &World, shop: &hooktide_tests::world::Shop) {
    for body in ["about john@example.com", "about nobody"] {
        world.request(world.signed(shop, "orders/create", body)).await.expect(200);
    }
    world.tick().await;
    assert_eq!(letters(world).await, 2);
}

#[tokio::test]
async fn a_customer_who_is_to_be_erased_is_in_no_kept_delivery_any_more() {
    let world = World::new().await;
    let shop = world.shop().await;
    keep_letters(&world, &shop).await;
    world.request(world.sample(&shop, "customers/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    assert_eq!(letters(&world).await, 1);
    let [done] = &records(&world).await[..] else { panic!("one record") };
    assert_eq!((&done["act"], &done["deliveries"]), (&json!("erase"), &json!(1)));
    assert!(!done.to_string().contains("john"), "the record names nobody");
    let told = world.activity().await;
    assert!(told.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.starts_with("erased"))));
    assert!(world.blobs("kept").await.is_empty());
}

#[tokio::test]
async fn a_customer_who_asks_is_told_which_kept_deliveries_there_are() {
    let world = World::new().await;
    let shop = world.shop().await;
    keep_letters(&world, &shop).await;
    world.request(world.sample(&shop, "customers/data_request", 1, world.now())).await.expect(200);
    world.tick().await;
    assert_eq!(letters(&world).await, 2, "nothing is erased");
    let [done] = &records(&world).await[..] else { panic!("one record") };
    let listed = done["listed"].as_array().unwrap();
    assert_eq!((&done["act"], listed.len()), (&json!("disclose"), 1));
    let letter = world.get(&format!("/v1/dead-letters/{}", listed[0].as_str().unwrap())).await.expect(200);
    assert_eq!(letter["body"], "about john@example.com");
}

#[tokio::test]
async fn a_shop_that_is_to_be_erased_has_no_things_left() {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in 0..30 {
        world.update(&shop, number).await;
    }
    world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    let [done] = &records(&world).await[..] else { panic!("one record") };
    assert_eq!((&done["entities"], &done["documents"]), (&json!(30), &json!(30)));
    assert!(world.changes().await.iter().all(|change| change["document"].is_null()), "documents are gone");
    // The same request again, as a provider that heard nothing sends it.
    world.request(world.sample(&shop, "shop/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    world.idle().await.unwrap();
}

/// A run looks at so many letters at the most; the record goes on from where the last one ended.
#[tokio::test]
async fn a_shelf_that_is_too_long_for_one_run_is_looked_through_in_several() {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in 0..2_100 {
        let body = if number % 100 == 0 { format!("{number} john@example.com") } else { format!("{number} nobody") };
        world.request(world.signed(&shop, "orders/create", body)).await.expect(200);
    }
    world.tick().await;
    world.request(world.sample(&shop, "customers/redact", 1, world.now())).await.expect(200);
    world.tick().await;
    let [done] = &records(&world).await[..] else { panic!("one record") };
    assert_eq!(done["deliveries"], json!(21));
    assert!(done["done_at"].is_string(), "{done}");
    world.idle().await.unwrap();
}

/// eBay tells of every user who leaves, whoever they are: what is held about them is looked for with all its sellers.
#[tokio::test]
async fn an_account_that_ebay_deletes_is_looked_for_with_every_tenant_of_the_endpoint() {
    let world = World::new().await;
    let provider = providers::by_id("ebay").unwrap();
    let body = json!({ "provider": "ebay", "secrets": sample_secrets(provider) });
    let endpoint = world.post("/v1/endpoints", body).await.expect(201)["id"].as_str().unwrap().to_owned();
    let own = world.connect(provider).await;
    let shared = json!({ "provider": "ebay", "account": "someseller", "endpoint": endpoint });
    world.post("/v1/connections", shared).await.expect(201);
    let request = world.sample_of(&own, "MARKETPLACE_ACCOUNT_DELETION", 1).await;
    let (mut parts, body) = request.into_parts();
    parts.uri = format!("/webhooks/ebay/{endpoint}").parse().unwrap();
    world.request(http::Request::from_parts(parts, body)).await.expect(200);
    world.tick().await;
    let [done] = &records(&world).await[..] else { panic!("one record") };
    assert_eq!((&done["provider"], &done["connection"]), (&json!("ebay"), &Value::Null));
    let other = world.token("other", &[hooktide_core::names::Scope::Read]).await;
    let seen = world.call(&other, Method::GET, "/v1/privacy-requests", None).await.expect(200);
    assert_eq!(seen["items"], json!([]));
}
