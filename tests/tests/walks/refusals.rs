//! What a provider's refusal means, over HTTP: not every 401 ends the credentials, not every 200 accepts them, and a limit is no
//! fault of anything.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// What a store answers that does not see who asks.
const STRANGER: &str =
    r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}"#;

/// How the sync of the connection is doing.
async fn status(simulated: &Simulated) -> Value {
    simulated.world.get(&format!("/v1/connections/{}/sync", simulated.connection)).await.expect(200)
}

/// The connection.
async fn connection(simulated: &Simulated) -> Value {
    simulated.world.get(&format!("/v1/connections/{}", simulated.connection)).await.expect(200)
}

/// Asks for a sync of a resource.
async fn run(simulated: &Simulated, resource: &str) {
    let path = format!("/v1/connections/{}/sync/run", simulated.connection);
    simulated.world.post(&path, json!({ "resource": resource })).await.expect(202);
    simulated.after(SECOND).await;
}

/// How the last sync of a resource ended, and why.
fn ended(status: &Value, resource: &str) -> (String, String) {
    let resources = status["resources"].as_array().unwrap();
    let last = &resources.iter().find(|one| one["resource"] == resource).unwrap()["last_sync"];
    let text = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("reason"))
}

/// Withholds a scope, or grants it again.
async fn scope(simulated: &Simulated, scope: &str, granted: bool) {
    let fields = granted.then(|| json!({}));
    simulated.control("edit", json!({ "what": "scope", "id": scope, "fields": fields })).await;
}

#[tokio::test]
async fn a_webhook_address_that_is_refused_with_401_ends_no_credentials() {
    let simulated = Simulated::new("google-calendar").await;
    simulated.control("edit", json!({ "what": "domain" })).await;
    for _ in 0..3 {
        simulated.after(MINUTE).await;
        assert_eq!(connection(&simulated).await["credentials"], "ok");
    }
    assert!(!simulated.world.changes().await.is_empty(), "everything was read");
    let shown = status(&simulated).await;
    let subscription = &shown["subscriptions"][0];
    assert_eq!(subscription["state"], "pending", "{subscription:#}");
    assert!(subscription["reason"].as_str().unwrap().contains("certificate"), "{subscription:#}");
    simulated.control("edit", json!({ "what": "domain", "fields": {} })).await;
    simulated.after(HOUR).await;
    assert_eq!(status(&simulated).await["subscriptions"][0]["state"], "active");
}

#[tokio::test]
async fn a_key_that_may_only_read_is_refused_with_401_for_writes_and_goes_on_reading() {
    let simulated = Simulated::new("woocommerce").await;
    let key = simulated.state().await["account"]["credentials"][1].clone();
    assert_eq!(key["writes"], false);
    for name in ["consumer_key", "consumer_secret"] {
        let path = format!("/v1/connections/{}/secrets/{name}", simulated.connection);
        simulated.world.post(&path, json!({ "value": key[name] })).await.expect(201);
    }
    for _ in 0..5 {
        simulated.after(MINUTE).await;
        let shown = connection(&simulated).await;
        assert_eq!(shown["credentials"], "ok", "{shown:#}");
    }
    simulated.control("edit", json!({ "what": "product", "fields": { "name": "Gyokuro" } })).await;
    simulated.after(3 * HOUR).await;
    let changes = simulated.world.changes().await;
    assert!(changes.iter().any(|change| change["document"]["title"] == "Gyokuro"), "{changes:#?}");
    let shown = status(&simulated).await;
    let subscription = &shown["subscriptions"][0];
    assert!(subscription["reason"].as_str().unwrap().contains("Read/Write"), "{subscription:#}");
}

#[tokio::test]
async fn a_scope_that_is_lacking_shows_with_its_name_until_it_is_granted_and_everything_else_is_read() {
    for (provider, lacking, resource, other, name) in [
        ("square", "INVENTORY_READ", "stock", "catalog", "name"),
        ("shopify", "read_inventory", "stock", "products", "title"),
    ] {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        scope(&simulated, lacking, false).await;
        run(&simulated, resource).await;
        let advice = format!("hooktide connections authorize {}", simulated.connection);
        for _ in 0..3 {
            let shown = connection(&simulated).await;
            assert_eq!(shown["credentials"], "needs_reauthorization", "{provider}: {shown:#}");
            let told = shown["needs_reauthorization"]["advice"].as_str().unwrap();
            assert!(told.contains(&format!("the scope {lacking}")) && told.contains(&advice), "{provider}: {told}");
            // What was granted is read as before, and does not hide what was not.
            run(&simulated, other).await;
            assert_eq!(ended(&status(&simulated).await, other).0, "done", "{provider}");
            simulated.after(2 * HOUR).await;
        }
        assert_eq!(ended(&status(&simulated).await, resource).0, "refused", "{provider}");
        let edit = json!({ "what": "product", "fields": { name: "Gyokuro" } });
        simulated.control("edit", edit).await;
        simulated.after(2 * HOUR).await;
        let changes = simulated.world.changes().await;
        assert!(changes.iter().any(|change| change["document"]["title"] == "Gyokuro"), "{provider}: {changes:#?}");
        // Whoever allows it at the provider need not tell anybody.
        scope(&simulated, lacking, true).await;
        simulated.after(2 * HOUR).await;
        assert_eq!(ended(&status(&simulated).await, resource).0, "done", "{provider}");
        assert_eq!(connection(&simulated).await["credentials"], "ok", "{provider}");
    }
}

#[tokio::test]
async fn calls_that_are_limited_for_long_suspend_no_subscription() {
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let states = async || {
        let shown = status(&simulated).await;
        let all = shown["subscriptions"].as_array().unwrap().clone();
        all.iter().map(|one| (one["state"].clone(), one["reason"].clone())).collect::<Vec<_>>()
    };
    let active = states().await;
    assert!(!active.is_empty() && active.iter().all(|(state, _)| state == "active"), "{active:?}");
    // The daily look at each of them falls into the time.
    simulated.after(23 * HOUR).await;
    simulated.control("faults", json!({ "quota": 0 })).await;
    for _ in 0..36 {
        simulated.after(5 * MINUTE).await;
    }
    assert_eq!(states().await, active);
    simulated.control("faults", json!({ "quota": null })).await;
    simulated.after(HOUR).await;
    assert_eq!(states().await, active);
    assert_eq!(connection(&simulated).await["credentials"], "ok");
}

#[tokio::test]
async fn a_store_that_is_too_slow_for_long_pages_is_read_in_shorter_ones() {
    let simulated = Simulated::new("woocommerce").await;
    simulated.bends.set(Bend::SlowBeyond(30));
    for _ in 0..5 {
        simulated.after(MINUTE).await;
    }
    let shown = status(&simulated).await;
    assert_eq!(ended(&shown, "products").0, "done", "{shown:#}");
    assert!(!simulated.world.changes().await.is_empty());
}

#[tokio::test]
async fn a_refusal_of_a_store_names_what_its_host_may_do_to_us_and_the_remedy() {
    let simulated = Simulated::new("woocommerce").await;
    simulated.bends.set(Bend::Instead(401, STRANGER));
    simulated.after(SECOND).await;
    let told = connection(&simulated).await["needs_reauthorization"]["advice"].as_str().unwrap().to_owned();
    for part in ["give the connection new ones", "header Authorization", "CGIPassAuth On", "X-Forwarded-Proto: https"] {
        assert!(told.contains(part), "{told}");
    }
    for bend in [Bend::Html, Bend::Status(404)] {
        let simulated = Simulated::new("woocommerce").await;
        simulated.bends.set(bend);
        simulated.after(SECOND).await;
        let (_, reason) = ended(&status(&simulated).await, "products");
        assert!(reason.contains("plain permalinks") && reason.contains("Settings, Permalinks"), "{bend:?}: {reason}");
        assert_eq!(connection(&simulated).await["credentials"], "ok", "{bend:?}");
    }
}
