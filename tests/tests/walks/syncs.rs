//! A connection to a provider's simulator is read, subscribed and kept up to date, over HTTP.

use std::time::Duration;

use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// The changes of products, as (title, via).
async fn products(simulated: &Simulated) -> Vec<(String, String)> {
    let changes = simulated.world.changes().await;
    let products = changes.iter().filter(|change| change["kind"] == "product");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    products.map(|change| (text(&change["document"]["title"]), text(&change["via"]))).collect()
}

#[tokio::test]
async fn what_there_is_is_read_at_once_and_an_edit_rings() {
    for provider in ["square", "woocommerce"] {
        if hooktide_providers::by_id(provider).unwrap().simulator(1).is_none() {
            continue;
        }
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let first = products(&simulated).await;
        assert!(
            first.len() > 1 && first.iter().all(|(_, via)| via == "full"),
            "{provider}: {first:?} {:#?}",
            told(&simulated).await
        );
        let activity = simulated.world.activity().await;
        let says = |text: &str| {
            activity.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.contains(text)))
        };
        assert!(says("full sync of") && says("is active"), "{provider}: {activity:#?}");
        let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
        let id = simulated.control("edit", json!({ "what": "product", "fields": { "name": "Gyokuro" } })).await;
        assert!(id["id"].is_string(), "{id}");
        simulated.heard(accepted + 1).await;
        simulated.after(3 * SECOND).await;
        let after = products(&simulated).await;
        assert_eq!(after.last(), Some(&("Gyokuro".to_owned(), "webhook".to_owned())), "{provider}");
        assert_eq!(after.len(), first.len() + 1, "{provider}: what did not change is not told again");
    }
}

#[tokio::test]
async fn what_no_notification_told_is_found_by_a_probe_and_after_five_of_these_the_resource_is_polled_until_one_rings()
{
    let simulated = Simulated::new("square").await;
    simulated.after(SECOND).await;
    let edit =
        async |name: &str| simulated.control("edit", json!({ "what": "product", "fields": { "name": name } })).await;
    let found = async |name: &str| {
        let found = products(&simulated).await.into_iter().find(|(title, _)| title == name);
        found.map(|(_, via)| via).unwrap_or_default()
    };
    edit("Bancha").await;
    simulated.heard(1).await;
    simulated.after(3 * SECOND).await;
    assert_eq!(found("Bancha").await, "webhook");
    simulated.control("faults", json!({ "drop": true })).await;
    edit("Lost").await;
    simulated.after(HOUR / 2).await;
    assert_eq!(found("Lost").await, "", "nothing is polled in mode webhook");
    for round in 0..5 {
        simulated.after(7 * HOUR).await;
        edit(&format!("Lost {round}")).await;
    }
    assert!(["probe", "full"].contains(&found("Lost").await.as_str()), "{}", found("Lost").await);
    simulated.after(7 * HOUR).await;
    edit("Polled").await;
    simulated.after(2 * HOUR).await;
    assert_eq!(found("Polled").await, "polling", "{:#?}", told(&simulated).await);
    simulated.control("faults", json!({ "drop": false })).await;
    let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
    edit("Heard").await;
    simulated.heard(accepted + 1).await;
    simulated.after(3 * SECOND).await;
    assert_eq!(found("Heard").await, "webhook", "{:#?}", told(&simulated).await);
    simulated.control("faults", json!({ "drop": true })).await;
    edit("Again").await;
    simulated.after(2 * HOUR).await;
    assert_eq!(found("Again").await, "", "it is in mode webhook again: {:#?}", told(&simulated).await);
}

/// What the activity says of syncs and subscriptions.
async fn told(simulated: &Simulated) -> Vec<String> {
    let activity = simulated.world.activity().await;
    let reason = |entry: &Value| Some(format!("{} {}", entry["processed_at"].as_str()?, entry["reason"].as_str()?));
    activity.iter().filter_map(reason).collect()
}
