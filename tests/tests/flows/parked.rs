//! What is asked for while nobody can read is done once somebody can, whatever was under way before.

use std::time::Duration;

use hooktide_tests::provided::Provided;
use http::Method;
use serde_json::{Value, json};

/// The rest of a minute, of which [`Provided::after`] takes twelve seconds by itself.
const MINUTE: Duration = Duration::from_secs(48);
const SECRET: &str = "consumer_secret";

/// A store whose connection makes so few calls that a reading of what changed is under way for a while.
async fn with_reading() -> Provided {
    let provided = Provided::with("woocommerce", json!({ "rate_per_minute": 6 })).await;
    for _ in 0..10 {
        provided.after(MINUTE).await;
    }
    provided.run(json!({})).await;
    provided.faulty.world.tick().await;
    let reading = provided.resource("products").await.reading.expect("a reading that is under way");
    assert!(!reading.everything && reading.pages == 1, "{reading:?}");
    provided
}

/// Takes the secret that the store is asked with away.
async fn without_secret(provided: &Provided) {
    let key_id = provided.shown().await["secrets"][SECRET][0]["key_id"].as_str().expect("a key").to_owned();
    let path = format!("/v1/connections/{}/secrets/{SECRET}/{key_id}", provided.connection);
    let world = &provided.faulty.world;
    assert!(world.call(&world.operator, Method::DELETE, &path, None).await.status.is_success());
}

/// Gives it back.
async fn with_secret(provided: &Provided) {
    let credentials = hooktide_providers::by_id("woocommerce").expect("a provider").profile().sample_credentials;
    let (_, value) = credentials.iter().find(|(name, _)| *name == SECRET).expect("a secret");
    let path = format!("/v1/connections/{}/secrets/{SECRET}", provided.connection);
    provided.faulty.world.post(&path, json!({ "value": value })).await.expect(201);
}

#[tokio::test]
async fn a_full_sync_that_a_person_asks_for_while_it_is_off_is_one() {
    let provided = with_reading().await;
    provided.switch(false).await;
    provided.after(MINUTE).await;
    let before = provided.tells("full sync of products/").await;
    provided.run(json!({ "full": true })).await;
    for _ in 0..10 {
        provided.after(MINUTE).await;
    }
    assert_eq!(provided.tells("full sync of products/").await, before + 1, "{:#?}", provided.told().await);
}

#[tokio::test]
async fn a_hint_that_comes_while_nobody_can_read_is_settled_by_its_entity_afterwards() {
    for is_switched_off in [true, false] {
        let provided = with_reading().await;
        match is_switched_off {
            true => provided.switch(false).await,
            false => without_secret(&provided).await,
        }
        provided.after(MINUTE).await;
        let products = provided.account.state()["products"].as_array().expect("products").clone();
        let variable = products.iter().find(|product| product["type"] == "variable").expect("one with variations");
        let fields = json!({ "stock_quantity": 41, "manage_stock": true });
        provided.account.edit_one("variation-alone", Some(&variable["variations"][0].to_string()), Some(fields));
        provided.hint("products", &[&variable["id"].to_string()]).await;
        provided.after(MINUTE).await;
        match is_switched_off {
            true => provided.switch(true).await,
            false => with_secret(&provided).await,
        }
        for _ in 0..10 {
            provided.after(MINUTE).await;
        }
        let changes = provided.faulty.world.changes().await;
        let has = |change: &&Value| change["document"]["variants"].to_string().contains("\"stock\":41");
        let found = changes.iter().find(has).map(|change| &change["via"]);
        assert_eq!(found, Some(&json!("webhook")), "{is_switched_off}: {:#?}", provided.told().await);
        assert_eq!(provided.tells("1 hint is settled").await, 1, "{is_switched_off}");
    }
}
