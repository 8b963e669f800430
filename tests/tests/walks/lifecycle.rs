//! What Microsoft says of subscriptions themselves: each has an answer of its own.

use std::time::Duration;

use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A connection whose calendars are read, and watched.
async fn watched() -> Simulated {
    let simulated = Simulated::new("microsoft-graph").await;
    for _ in 0..2 {
        simulated.after(SECOND).await;
    }
    simulated.include_all().await;
    // Both addresses of each of the three.
    simulated.heard(6).await;
    simulated
}

/// The subscriptions that Microsoft has, by their ids, with when each ends.
async fn there(simulated: &Simulated) -> Vec<(String, String)> {
    let state = simulated.state().await;
    let all = state["account"]["subscriptions"].as_array().cloned().expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    all.iter().map(|one| (text(&one["id"]), text(&one["expirationDateTime"]))).collect()
}

/// Lets Microsoft say something of a subscription.
async fn say(simulated: &Simulated, id: &str, fields: Value) {
    let accepted = simulated.state().await["notifications"]["accepted"].as_u64().expect("a count");
    simulated.control("edit", json!({ "what": "subscription", "id": id, "fields": fields })).await;
    simulated.heard(accepted + 1).await;
    for _ in 0..2 {
        simulated.after(3 * SECOND).await;
    }
}

#[tokio::test]
async fn a_subscription_that_is_removed_is_made_anew_at_once() {
    let simulated = watched().await;
    let before = there(&simulated).await;
    assert_eq!(before.len(), 3, "one for each calendar: {before:?}");
    let id = &before[0].0;
    say(&simulated, id, Value::Null).await;
    let after = there(&simulated).await;
    assert!(after.len() == 3 && after.iter().all(|(other, _)| other != id), "{before:?} {after:?}");
}

#[tokio::test]
async fn a_subscription_that_must_be_authorised_again_is_renewed_at_once() {
    let simulated = watched().await;
    simulated.after(24 * HOUR).await;
    let (id, ended) = there(&simulated).await[0].clone();
    say(&simulated, &id, json!({ "lifecycle": "reauthorizationRequired" })).await;
    let after = there(&simulated).await;
    let (_, ends) = after.iter().find(|(other, _)| *other == id).expect("it is there");
    assert!(*ends > ended, "{ended} {ends}");
    let state = simulated.state().await;
    let renewed = state["account"]["calls"].as_object().expect("calls").keys().any(|call| call.starts_with("PATCH"));
    assert!(renewed, "{state:#?}");
}

#[tokio::test]
async fn what_microsoft_missed_to_send_is_read_now() {
    let simulated = watched().await;
    let before = simulated.world.changes().await.len();
    simulated.control("faults", json!({ "drop": true })).await;
    simulated.control("edit", json!({ "what": "event", "fields": { "subject": "Lunch" } })).await;
    simulated.after(3 * SECOND).await;
    assert_eq!(simulated.world.changes().await.len(), before, "nobody heard of it");
    simulated.control("faults", json!({ "drop": false })).await;
    for (id, _) in there(&simulated).await {
        say(&simulated, &id, json!({ "lifecycle": "missed" })).await;
    }
    let changes = simulated.world.changes().await;
    assert_eq!((changes.len(), &changes[before]["via"]), (before + 1, &json!("webhook")), "{changes:#?}");
}
