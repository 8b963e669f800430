//! A share of all connections is switched to polling, and back, without a deployment.

use std::time::Duration;

use hooktide_model::names::Scope;
use hooktide_tests::simulated::Simulated;
use hooktide_tests::world::World;
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// Switches with a token.
async fn switch(world: &World, token: &str, mode: &str, percent: u8) -> Value {
    let body = json!({ "mode": mode, "percent": percent });
    world.call(token, Method::POST, "/v1/sync/mode", Some(body)).await.expect(202)
}

/// The mode of the connection, who decides it, and the mode of its first resource.
async fn mode(simulated: &Simulated) -> (Value, Value, Value) {
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    let shown = simulated.world.get(&path).await.expect(200);
    (shown["mode"].clone(), shown["mode_from"].clone(), shown["resources"][0]["mode"].clone())
}

/// How many subscriptions the provider has.
async fn subscriptions(simulated: &Simulated) -> usize {
    let all = simulated.world.get("/v1/subscriptions").await.expect(200);
    all["items"].as_array().unwrap().iter().filter(|one| one["provider_id"].is_string()).count()
}

#[tokio::test]
async fn a_tenants_switch_ends_its_subscriptions_within_seconds_and_auto_makes_them_again() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let admin = simulated.world.token("default", &[Scope::Admin]).await;
    assert!(subscriptions(&simulated).await > 0);
    let switched = switch(&simulated.world, &admin, "polling", 100).await;
    assert_eq!(switched, json!({ "polling_percent": 100, "operator_polling_percent": 0 }));
    simulated.control("faults", json!({ "drop": true })).await;
    simulated.control("edit", json!({ "what": "product", "fields": { "name": "Polled" } })).await;
    simulated.after(SECOND).await;
    assert_eq!(mode(&simulated).await, (json!("polling"), json!("tenant"), json!("polling")));
    assert_eq!(subscriptions(&simulated).await, 0);
    let changes = simulated.world.changes().await;
    let found = changes.iter().find(|change| change["document"]["title"] == "Polled");
    assert_eq!(found.map(|change| &change["via"]), Some(&json!("polling")), "at once");
    let told = simulated.world.activity().await;
    let told: Vec<&str> = told.iter().filter_map(|entry| entry["reason"].as_str()).collect();
    assert!(told.iter().any(|text| text.starts_with("100 % of the connections are switched to polling")), "{told:#?}");
    switch(&simulated.world, &admin, "auto", 100).await;
    simulated.after(SECOND).await;
    simulated.after(SECOND).await;
    assert_eq!(mode(&simulated).await, (json!("auto"), json!("default"), json!("webhook")));
    assert!(subscriptions(&simulated).await > 0);
}

#[tokio::test]
async fn the_operators_switch_is_for_all_tenants_unless_it_acts_for_one_and_a_connections_own_mode_wins() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let world = &simulated.world;
    let other = world.token("other", &[Scope::Admin]).await;
    switch(world, &other, "polling", 100).await;
    simulated.after(SECOND).await;
    assert_eq!(mode(&simulated).await.1, "default", "another tenant's is another's");
    switch(world, &world.operator, "polling", 100).await;
    simulated.after(SECOND).await;
    assert_eq!(mode(&simulated).await, (json!("polling"), json!("operator"), json!("polling")));
    let admin = world.token("default", &[Scope::Admin]).await;
    switch(world, &admin, "auto", 100).await;
    assert_eq!(mode(&simulated).await.1, "operator", "a tenant cannot undo it for all its connections");
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    world.call(&admin, Method::PUT, &path, Some(json!({ "mode": "auto" }))).await.expect(200);
    simulated.after(SECOND).await;
    simulated.after(SECOND).await;
    assert_eq!(mode(&simulated).await, (json!("auto"), json!("connection"), json!("webhook")));
    let shown = world.call(&admin, Method::GET, "/v1/sync/mode", None).await.expect(200);
    assert_eq!(shown, json!({ "polling_percent": 0, "operator_polling_percent": 100 }));
    switch(world, &world.operator, "auto", 100).await;
    let shown = world.call(&other, Method::GET, "/v1/sync/mode", None).await.expect(200);
    assert_eq!(shown, json!({ "polling_percent": 100, "operator_polling_percent": 0 }), "theirs stays");
}

#[tokio::test]
async fn a_share_that_is_no_share_is_refused() {
    let world = World::new().await;
    for body in [json!({ "mode": "polling", "percent": 101 }), json!({ "mode": "off", "percent": 1 }), json!({})] {
        world.post("/v1/sync/mode", body).await.expect(422);
    }
}
