//! What an answer left that was lost, and what nobody knows any more: at the provider there is one subscription to each topic,
//! and others' are left alone.

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records;
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_tests::simulated::Simulated;
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// The providers, each with what only the requests have that make a subscription.
const PROVIDERS: [(&str, &str); 4] = [
    ("google-calendar", "web_hook"),
    ("shopify", "webhookSubscriptionCreate"),
    ("square", "idempotency_key"),
    ("woocommerce", "delivery_url"),
];

/// The subscriptions that the simulator has.
async fn there(simulated: &Simulated) -> Vec<Value> {
    let state = simulated.state().await;
    let lists = ["subscriptions", "webhooks"].map(|name| &state["account"][name]);
    lists.into_iter().find_map(Value::as_array).cloned().expect("a list")
}

/// Their ids.
async fn ids(simulated: &Simulated) -> BTreeSet<String> {
    let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    there(simulated).await.iter().map(|one| text(&one["id"])).collect()
}

/// What is known of subscriptions.
async fn known(simulated: &Simulated) -> Vec<Value> {
    let all = simulated.world.get("/v1/subscriptions?limit=100").await.expect(200);
    all["items"].as_array().cloned().expect("a list")
}

/// The ids of those that are known, as the simulator has them.
async fn known_ids(simulated: &Simulated) -> BTreeSet<String> {
    let known = known(simulated).await;
    let ids = known.iter().filter_map(|one| one["provider_id"].as_str());
    // What a channel watches and when it ends is known as well.
    ids.map(|id| if id.starts_with("gid://") { id } else { id.split('/').next().unwrap_or(id) }.to_owned()).collect()
}

/// Lets everything be forgotten that is known of subscriptions, as after a backup was restored.
async fn forget(simulated: &Simulated) {
    let (table, tenant) = (&simulated.world.host.ports.table, Tenant::default_local());
    let (partition, prefix) = (subscription::partition(&tenant), subscription::prefix(&simulated.connection));
    let rows = records::list_all::<Subscription>(&**table, partition, &prefix, 100).await.unwrap();
    assert!(!rows.is_empty());
    for (_, stored) in rows {
        table.write(Write::Delete { key: stored.record.key(&tenant), condition: None }).await.unwrap();
    }
}

/// Loses the answers to what makes a subscription, until the connection has tried.
async fn lose_answers(simulated: &Simulated, part: &str) {
    simulated.control("faults", json!({ "lose": part })).await;
    simulated.after(SECOND).await;
    simulated.control("faults", json!({ "lose": null })).await;
    assert!(known_ids(simulated).await.is_empty(), "nobody heard of any");
}

/// Whether the activity says so.
async fn says(simulated: &Simulated, text: &str) -> bool {
    let activity = simulated.world.activity().await;
    activity.iter().any(|entry| entry["reason"].as_str().is_some_and(|reason| reason.contains(text)))
}

#[tokio::test]
async fn what_an_answer_that_was_lost_left_is_taken_on_and_stays_the_only_one() {
    for (provider, part) in PROVIDERS {
        let simulated = Simulated::new(provider).await;
        lose_answers(&simulated, part).await;
        let made = ids(&simulated).await;
        assert!(!made.is_empty(), "{provider}: what was asked was done");
        for _ in 0..4 {
            simulated.after(HOUR / 2).await;
        }
        assert_eq!(there(&simulated).await.len(), ids(&simulated).await.len(), "{provider}");
        assert_eq!(ids(&simulated).await, known_ids(&simulated).await, "{provider}: {:#?}", known(&simulated).await);
        assert!(ids(&simulated).await.is_superset(&made), "{provider}: none is made twice");
        let known = known(&simulated).await;
        let wanted = known.iter().filter(|one| one["provider_id"].is_string());
        assert!(wanted.clone().count() > 1 && wanted.clone().all(|one| one["state"] == "active"), "{known:#?}");
        // They are ours, so what they bring is verified.
        let sent = simulated.state().await["notifications"].clone();
        assert_eq!(sent["refused"], 0, "{provider}: {sent}");
    }
}

#[tokio::test]
async fn what_is_taken_on_brings_what_changes() {
    for (provider, part) in &PROVIDERS[1..] {
        let simulated = Simulated::new(provider).await;
        lose_answers(&simulated, part).await;
        simulated.after(HOUR).await;
        let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
        let name = if *provider == "shopify" { "title" } else { "name" };
        simulated.control("edit", json!({ "what": "product", "fields": { name: "Gyokuro" } })).await;
        simulated.heard(accepted + 1).await;
        simulated.after(3 * SECOND).await;
        let changes = simulated.world.changes().await;
        let found = changes.iter().find(|change| change["document"]["title"] == "Gyokuro");
        assert_eq!(found.map(|change| &change["via"]), Some(&json!("webhook")), "{provider}");
    }
}

#[tokio::test]
async fn what_nobody_knows_any_more_is_taken_on_or_ended_and_what_is_sent_elsewhere_is_left_alone() {
    for (provider, topic) in
        [("shopify", "products/update"), ("square", "catalog.version.updated"), ("woocommerce", "product.updated")]
    {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let before = ids(&simulated).await;
        let elsewhere = "http://127.0.0.1:9/elsewhere";
        simulated.subscribe(topic, elsewhere).await;
        let foreign: BTreeSet<String> = ids(&simulated).await.difference(&before).cloned().collect();
        assert_eq!(foreign.len(), 1, "{provider}");
        // Shopify takes one for each topic and address.
        if provider != "shopify" {
            let path = format!("/v1/connections/{}", simulated.connection);
            let shown = simulated.world.get(&path).await.expect(200);
            simulated.subscribe(topic, shown["webhook_url"].as_str().unwrap()).await;
        }
        forget(&simulated).await;
        for _ in 0..3 {
            simulated.after(25 * HOUR).await;
        }
        let ours: BTreeSet<String> = ids(&simulated).await.difference(&foreign).cloned().collect();
        assert!(ids(&simulated).await.is_superset(&foreign), "{provider}: it is somebody else's");
        assert_eq!(ours, known_ids(&simulated).await, "{provider}: {:#?}", known(&simulated).await);
        assert_eq!(ours.len(), before.len(), "{provider}: one for each topic");
        assert!(known(&simulated).await.iter().all(|one| one["resource"].is_string()), "no stray is left");
        // The secret of a store's webhook is known only with the reference that it was made with. Of two at Square, either is kept.
        let made = ours.difference(&before).count();
        let expected = match provider {
            "woocommerce" => before.len()..=before.len(),
            "square" => 0..=1,
            _ => 0..=0,
        };
        assert!(expected.contains(&made), "{provider}: {made} were made anew");
        assert_eq!(says(&simulated, "is ended: nothing here knew it").await, provider != "shopify", "{provider}");
    }
}

#[tokio::test]
async fn a_connection_that_is_deleted_ends_what_an_answer_left_that_was_lost() {
    for (provider, part) in &PROVIDERS[1..] {
        let simulated = Simulated::new(provider).await;
        lose_answers(&simulated, part).await;
        assert!(!ids(&simulated).await.is_empty(), "{provider}");
        let path = format!("/v1/connections/{}", simulated.connection);
        let deleted = simulated.world.call(&simulated.world.operator, Method::DELETE, &path, None).await.expect(200);
        assert!(deleted["ending"].as_u64() > Some(0), "{provider}: nobody knows that there is none: {deleted}");
        for _ in 0..3 {
            simulated.after(HOUR / 4).await;
        }
        assert_eq!(ids(&simulated).await, BTreeSet::new(), "{provider}");
    }
}

#[tokio::test]
async fn another_address_has_its_subscriptions_before_those_of_the_former_one_end() {
    for (provider, _) in PROVIDERS {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let before = ids(&simulated).await;
        let address = format!("https://proxy.example.com/{provider}");
        let path = format!("/v1/connections/{}", simulated.connection);
        let settings = json!({ "settings": { "notification_url": address } });
        simulated.world.call(&simulated.world.operator, Method::PATCH, &path, Some(settings)).await.expect(200);
        simulated.after(SECOND).await;
        let there = there(&simulated).await;
        let addresses = ["uri", "notification_url", "delivery_url", "address"];
        let address_of = |one: &Value| addresses.iter().find_map(|name| one[name].as_str().map(str::to_owned));
        assert!(there.iter().all(|one| address_of(one).as_ref() == Some(&address)), "{provider}: {there:#?}");
        assert_eq!(there.len(), before.len(), "{provider}");
        assert_eq!(ids(&simulated).await, known_ids(&simulated).await, "{provider}");
    }
}

#[tokio::test]
async fn a_connection_without_credentials_for_a_while_keeps_its_subscriptions() {
    let simulated = Simulated::new("woocommerce").await;
    simulated.after(SECOND).await;
    let before = known_ids(&simulated).await;
    let path = format!("/v1/connections/{}", simulated.connection);
    let operator = simulated.world.operator.clone();
    let mut taken = Vec::new();
    for name in ["consumer_key", "consumer_secret"] {
        let shown = simulated.world.get(&path).await.expect(200);
        let id = shown["secrets"][name][0]["key_id"].as_str().expect("a key").to_owned();
        let secret = format!("{path}/secrets/{name}/{id}");
        simulated.world.call(&operator, Method::DELETE, &secret, None).await;
        taken.push(name);
    }
    simulated.after(25 * HOUR).await;
    assert_eq!(simulated.world.get(&format!("{path}/sync")).await.expect(200)["credentials"], "missing");
    assert_eq!(known_ids(&simulated).await, before, "nobody ended them");
    let provider = hooktide_providers::by_id("woocommerce").unwrap();
    for name in taken {
        let (_, text) = provider.profile().sample_credentials.iter().find(|(known, _)| *known == name).unwrap();
        let added = json!({ "value": text });
        simulated.world.call(&operator, Method::POST, &format!("{path}/secrets/{name}"), Some(added)).await;
    }
    simulated.after(25 * HOUR).await;
    assert_eq!((known_ids(&simulated).await, ids(&simulated).await), (before.clone(), before));
}
