//! What people see of the syncs of a connection, and decide about them, over HTTP against a simulator.

use std::time::Duration;

use hooktide_tests::simulated::Simulated;
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// How the sync of the connection is doing.
async fn status(simulated: &Simulated) -> Value {
    simulated.world.get(&format!("/v1/connections/{}/sync", simulated.connection)).await.expect(200)
}

/// Changes how it is synced.
async fn change(simulated: &Simulated, body: Value) -> Value {
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    simulated.world.call(&simulated.world.operator, Method::PUT, &path, Some(body)).await.expect(200)
}

/// Asks for a sync.
async fn run(simulated: &Simulated, body: Value) -> Value {
    simulated.world.post(&format!("/v1/connections/{}/sync/run", simulated.connection), body).await.expect(202)
}

/// A field of the resource of this name.
fn of<'a>(status: &'a Value, resource: &str, field: &str) -> &'a Value {
    let resources = status["resources"].as_array().unwrap();
    &resources.iter().find(|one| one["resource"] == resource).unwrap()[field]
}

#[tokio::test]
async fn a_connection_shows_its_mode_rules_credentials_resources_and_subscriptions() {
    let simulated = Simulated::new("square").await;
    let before = status(&simulated).await;
    assert_eq!((of(&before, "catalog", "cursor_age_seconds"), &before["mode"]), (&Value::Null, &json!("auto")));
    simulated.after(SECOND).await;
    let shown = status(&simulated).await;
    assert_eq!(
        (&shown["mode"], &shown["mode_from"], &shown["credentials"]),
        (&json!("auto"), &json!("default"), &json!("ok"))
    );
    let rules = json!({
        "realtimeSyncEnabled": true, "propagateChanges": false, "propagateCreates": false,
        "propagateUpdates": false, "propagateDeletes": false, "propagateInventory": false,
    });
    assert_eq!(shown["rules"], rules);
    let last = of(&shown, "catalog", "last_sync");
    assert_eq!((&last["outcome"], of(&shown, "catalog", "mode")), (&json!("done"), &json!("webhook")), "{shown:#}");
    assert!(of(&shown, "catalog", "calls_today").as_u64() > Some(0), "{shown:#}");
    assert!(of(&shown, "catalog", "next_due").is_string(), "{shown:#}");
    let subscription = &shown["subscriptions"][0];
    assert_eq!((&subscription["state"], &subscription["advice"]), (&json!("active"), &Value::Null), "{subscription:#}");
    assert!(subscription["provider_id"].is_string());
    for list in ["resources", "subscriptions"] {
        let path = format!("/v1/{list}?connection={}&limit=1", simulated.connection);
        let first = simulated.world.get(&path).await.expect(200);
        assert_eq!(first["items"][0], shown[list][0], "{list}");
        let mut all = first["items"].as_array().unwrap().clone();
        let mut next = first["next"].clone();
        while let Some(after) = next.as_str() {
            let place = reqwest::Url::parse_with_params(&format!("http://h{path}"), [("after", after)]).unwrap();
            let page = simulated.world.get(&format!("{}?{}", place.path(), place.query().unwrap())).await.expect(200);
            all.extend(page["items"].as_array().unwrap().clone());
            next = page["next"].clone();
        }
        assert_eq!(json!(all), shown[list], "{list}");
        let others = simulated.world.get(&format!("/v1/{list}?connection=other")).await.expect(200);
        assert_eq!(others["items"], json!([]), "{list}");
    }
}

#[tokio::test]
async fn a_sync_that_is_asked_for_begins_at_once_and_is_recorded_as_what_it_is() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    simulated.control("faults", json!({ "drop": true })).await;
    for (number, (body, kind)) in
        [(json!({}), "probe"), (json!({ "full": true }), "full"), (json!({ "reset": true }), "full")]
            .into_iter()
            .enumerate()
    {
        let title = format!("Tea {number}");
        simulated.control("edit", json!({ "what": "product", "fields": { "name": title } })).await;
        let begun = run(&simulated, body.clone()).await;
        assert!(begun["resources"].as_array().unwrap().contains(&json!("catalog")), "{begun}");
        simulated.after(SECOND).await;
        let changes = simulated.world.changes().await;
        let found = changes.iter().find(|change| change["document"]["title"] == title);
        assert_eq!(found.map(|change| &change["via"]), Some(&json!(kind)), "{body}");
        assert_eq!(of(&status(&simulated).await, "catalog", "last_sync")["kind"], kind, "{body}");
    }
    let path = format!("/v1/connections/{}/sync/run", simulated.connection);
    let refused = simulated.world.post(&path, json!({ "resource": "teapots" })).await.expect(422);
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("catalog"), "{refused}");
    let one = run(&simulated, json!({ "resource": "catalog" })).await;
    assert_eq!(one["resources"], json!(["catalog"]));
}

#[tokio::test]
async fn a_connection_that_is_to_be_polled_ends_its_subscriptions_and_returns_to_webhooks_when_it_may() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let changed = change(&simulated, json!({ "mode": "polling" })).await;
    assert_eq!((&changed["mode"], &changed["mode_from"]), (&json!("polling"), &json!("connection")));
    assert_eq!(of(&changed, "catalog", "mode"), "polling", "before its next run as well");
    simulated.after(SECOND).await;
    let polled = status(&simulated).await;
    assert_eq!(
        (of(&polled, "catalog", "mode"), &polled["subscriptions"]),
        (&json!("polling"), &json!([])),
        "{polled:#}"
    );
    let back = change(&simulated, json!({ "mode": null })).await;
    assert_eq!((&back["mode"], &back["mode_from"]), (&json!("auto"), &json!("default")));
    simulated.after(SECOND).await;
    simulated.after(SECOND).await;
    let back = status(&simulated).await;
    assert_eq!(of(&back, "catalog", "mode"), "webhook", "{back:#}");
}

#[tokio::test]
async fn a_connection_that_is_switched_off_is_not_read_and_what_changed_meanwhile_is_found_when_it_is_on_again() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let off =
        change(&simulated, json!({ "rules": { "realtimeSyncEnabled": false, "propagateInventory": true } })).await;
    assert_eq!((of(&off, "catalog", "mode"), of(&off, "catalog", "next_due")), (&json!("off"), &Value::Null));
    assert_eq!(
        (&off["rules"]["realtimeSyncEnabled"], &off["rules"]["propagateInventory"]),
        (&json!(false), &json!(true))
    );
    simulated.after(SECOND).await;
    simulated.control("edit", json!({ "what": "product", "fields": { "name": "Kukicha" } })).await;
    simulated.after(26 * 3600 * SECOND).await;
    let changes = simulated.world.changes().await;
    let found = changes.iter().any(|change| change["document"]["title"] == "Kukicha");
    let shown = status(&simulated).await;
    assert!(!found && shown["subscriptions"] == json!([]), "{shown:#}");
    change(&simulated, json!({ "rules": { "realtimeSyncEnabled": true } })).await;
    simulated.after(SECOND).await;
    let changes = simulated.world.changes().await;
    let found = changes.iter().find(|change| change["document"]["title"] == "Kukicha");
    assert_eq!(found.map(|change| &change["via"]), Some(&json!("probe")));
}

#[tokio::test]
async fn each_check_that_fails_says_what_to_do() {
    // The keys of a store are not renewed by themselves.
    let simulated = Simulated::new("woocommerce").await;
    simulated.after(SECOND).await;
    let path = format!("/v1/connections/{}/sync/test", simulated.connection);
    let test = async || {
        let tested = simulated.world.post(&path, json!({})).await.expect(200);
        let checks = tested["checks"].as_array().unwrap().clone();
        let named = |check: &Value| (check["name"].as_str().unwrap().to_owned(), check.clone());
        checks.iter().map(named).collect::<Vec<_>>()
    };
    let well = test().await;
    let names: Vec<&str> = well.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["credentials", "reachability", "subscription", "round_trip"]);
    assert!(well.iter().all(|(_, check)| check["ok"] == true && check["advice"].is_null()), "{well:#?}");
    for (fault, failing) in [
        (json!({ "down": true }), vec!["round_trip"]),
        (json!({ "down": false, "expire_credentials": true }), vec!["credentials", "round_trip"]),
    ] {
        simulated.control("faults", fault.clone()).await;
        let tested = test().await;
        let failed: Vec<&(String, Value)> = tested.iter().filter(|(_, check)| check["ok"] == false).collect();
        assert_eq!(failed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), failing, "{fault} {tested:#?}");
        assert!(failed.iter().all(|(_, check)| check["advice"].is_string()), "{failed:#?}");
    }
}

#[tokio::test]
async fn a_subscription_that_was_given_up_is_repaired_at_once_when_it_is_enabled() {
    let simulated = Simulated::new("square").await;
    simulated.control("faults", json!({ "down": true })).await;
    for _ in 0..12 {
        simulated.after(3600 * SECOND).await;
    }
    let first = status(&simulated).await["subscriptions"][0].clone();
    assert_eq!(first["state"], "disabled", "{first:#}");
    assert!(first["advice"].as_str().unwrap().contains(first["id"].as_str().unwrap()), "{first:#}");
    simulated.control("faults", json!({ "down": false })).await;
    simulated.after(SECOND).await;
    assert_eq!(status(&simulated).await["subscriptions"][0]["state"], "disabled", "until its daily probe");
    let path = format!("/v1/subscriptions/{}/enable", first["id"].as_str().unwrap());
    assert_eq!(simulated.world.post(&path, json!({})).await.expect(200)["state"], "pending");
    simulated.after(SECOND).await;
    assert_eq!(status(&simulated).await["subscriptions"][0]["state"], "active");
    assert_eq!(simulated.world.post(&path, json!({})).await.expect(200)["state"], "active", "as it is");
}

#[tokio::test]
async fn what_a_provider_takes_only_in_its_dashboard_is_told_with_the_address_to_enter() {
    let world = hooktide_tests::world::World::new().await;
    let secrets = json!({ "hmac_key": "a2V5" });
    let made = world
        .post("/v1/connections", json!({ "provider": "paysafe", "account": "1", "secrets": secrets }))
        .await
        .expect(201);
    let all = world.get("/v1/subscriptions").await.expect(200);
    let one = &all["items"][0];
    assert_eq!((&one["state"], &one["connection"]), (&json!("manual"), &made["id"]));
    assert!(one["advice"].as_str().unwrap().contains(made["webhook_url"].as_str().unwrap()), "{one:#}");
    let path = format!("/v1/subscriptions/{}/enable", one["id"].as_str().unwrap());
    world.post(&path, json!({})).await.expect(409);
    let run = format!("/v1/connections/{}/sync/run", made["id"].as_str().unwrap());
    world.post(&run, json!({})).await.expect(409);
}
