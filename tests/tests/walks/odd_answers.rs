//! Providers that answer nonsense: nothing is deleted on doubt, the activity says what and since when, and what is read later heals.

use std::collections::BTreeMap;
use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);
const PROVIDERS: [&str; 3] = ["square", "shopify", "woocommerce"];

/// Answers that tell nothing.
const NONSENSE: [Bend; 13] = [
    Bend::Html,
    Bend::Garbage,
    Bend::Text(""),
    Bend::Text("null"),
    Bend::Text("17"),
    Bend::Text(r#"{"objects": null, "data": null}"#),
    Bend::Text(r#"{"data": {"products": {"nodes": [], "pageInfo": {"hasNextPage": true}}}}"#),
    Bend::Cut,
    Bend::Redirect("http://127.0.0.1:1/"),
    Bend::Redirect("https://elsewhere.example.com/"),
    Bend::Status(500),
    Bend::Status(418),
    Bend::Endless,
];

/// What is known of each entity: whether it is there, by its last change.
async fn known(simulated: &Simulated) -> BTreeMap<String, bool> {
    let changes = simulated.world.changes().await;
    let last = |change: &Value| (change["entity"].as_str().unwrap().to_owned(), change["op"] != "deleted");
    changes.iter().filter(|change| change["kind"] == "product").map(last).collect()
}

async fn reasons(simulated: &Simulated) -> Vec<String> {
    let activity = simulated.world.activity().await;
    activity.iter().filter_map(|entry| entry["reason"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn nonsense_deletes_nothing_and_is_told_and_what_is_read_later_heals() {
    for provider in PROVIDERS {
        let simulated = Simulated::new(provider).await;
        simulated.after(Duration::from_secs(1)).await;
        for (number, bend) in NONSENSE.into_iter().enumerate() {
            let before = known(&simulated).await;
            assert!(before.len() > 1 && before.values().all(|there| *there), "{provider} {bend:?}: {before:?}");
            let told = reasons(&simulated).await.len();
            simulated.bends.set(bend);
            let name = format!("Edited {number}");
            let field = if provider == "shopify" { "title" } else { "name" };
            let fields = json!({ field: name });
            simulated.control("faults", json!({ "drop": true })).await;
            simulated.control("edit", json!({ "what": "product", "fields": fields })).await;
            // A night goes by, with its listing of everything, and its repetition.
            for _ in 0..4 {
                simulated.after(7 * HOUR).await;
            }
            assert_eq!(known(&simulated).await, before, "{provider} {bend:?}");
            let since = reasons(&simulated).await[told..].join("\n");
            assert!(since.contains("failing since"), "{provider} {bend:?}: {since}");
            assert!(!since.contains("hush") && !since.contains("secret") && since.len() < 60_000, "{since}");
            simulated.bends.set(Bend::Nothing);
            for _ in 0..4 {
                simulated.after(7 * HOUR).await;
            }
            let changes = simulated.world.changes().await;
            let is_found = changes.iter().any(|change| change["document"]["title"] == *name);
            assert!(is_found, "{provider} {bend:?}: {:#?}", reasons(&simulated).await);
        }
    }
}

#[tokio::test]
async fn numbers_as_texts_and_words_that_nobody_knows_delete_nothing() {
    for provider in PROVIDERS {
        let simulated = Simulated::new(provider).await;
        simulated.after(Duration::from_secs(1)).await;
        let before = known(&simulated).await;
        for bend in [Bend::NumbersAsText, Bend::UnknownWords] {
            simulated.bends.set(bend);
            for _ in 0..4 {
                simulated.after(7 * HOUR).await;
            }
            assert_eq!(known(&simulated).await, before, "{provider} {bend:?}: {:#?}", reasons(&simulated).await);
        }
    }
}

#[tokio::test]
async fn a_provider_that_gives_one_page_for_ever_is_not_followed_for_ever() {
    for provider in PROVIDERS {
        let simulated = Simulated::new(provider).await;
        simulated.after(Duration::from_secs(1)).await;
        for number in 0..120 {
            let field = if provider == "shopify" { "title" } else { "name" };
            let fields = json!({ field: format!("Product {number}") });
            simulated.control("edit", json!({ "what": "product", "fields": fields })).await;
        }
        simulated.silent().await;
        simulated.after(HOUR).await;
        let before = known(&simulated).await;
        let calls = async || simulated.state().await["account"]["calls"].to_string();
        simulated.bends.set(Bend::TheSameForEver);
        for _ in 0..4 {
            simulated.after(7 * HOUR).await;
        }
        let told = reasons(&simulated).await;
        assert_eq!(known(&simulated).await, before, "{provider}: {:#?}", &told[told.len().saturating_sub(20)..]);
        simulated.bends.set(Bend::Nothing);
        for _ in 0..4 {
            simulated.after(7 * HOUR).await;
        }
        assert_eq!(known(&simulated).await, before, "{provider}: {}", calls().await);
    }
}

#[tokio::test]
async fn an_empty_list_is_believed_once_a_second_one_agrees_and_what_comes_back_is_restored() {
    for (provider, resource, empty) in [("square", "catalog", "{}"), ("woocommerce", "products", "[]")] {
        let simulated = Simulated::new(provider).await;
        simulated.after(Duration::from_secs(1)).await;
        let before = known(&simulated).await;
        let lists = |empty: Bend| simulated.bends.set(empty);
        let doubts = async || {
            let is_doubt = |reason: &&String| {
                reason.starts_with(&format!("full sync of {resource}/")) && reason.ends_with("a second listing agrees")
            };
            reasons(&simulated).await.iter().filter(is_doubt).count()
        };
        lists(Bend::Emptied(empty));
        while doubts().await == 0 {
            simulated.after(HOUR).await;
        }
        assert_eq!(known(&simulated).await, before, "{provider}");
        lists(Bend::Nothing);
        simulated.after(9 * HOUR).await;
        assert_eq!(known(&simulated).await, before, "{provider}: the second listing does not agree");
        lists(Bend::Emptied(empty));
        while doubts().await == 1 {
            simulated.after(HOUR).await;
        }
        simulated.after(9 * HOUR).await;
        assert!(known(&simulated).await.values().all(|there| !there), "{provider}: both say that nothing is left");
        lists(Bend::Nothing);
        for _ in 0..4 {
            simulated.after(7 * HOUR).await;
        }
        assert_eq!(known(&simulated).await, before, "{provider}: it was a mistake: {:#?}", reasons(&simulated).await);
    }
}

#[tokio::test]
async fn a_deletion_that_is_told_after_a_doubted_listing_is_known_at_once() {
    let simulated = Simulated::new("square").await;
    simulated.after(Duration::from_secs(1)).await;
    let edited = async |edit: Value| {
        let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
        let made = simulated.control("edit", edit).await;
        simulated.heard(accepted + 1).await;
        simulated.after(Duration::from_secs(5)).await;
        made
    };
    let made = edited(json!({ "what": "product", "fields": { "name": "Gyokuro" } })).await;
    let is_there = async || known(&simulated).await.iter().any(|(id, there)| *there && id.ends_with(&id_of(&made)));
    assert!(is_there().await);
    simulated.bends.set(Bend::Emptied("{}"));
    let is_doubt =
        |reason: &String| reason.starts_with("full sync of catalog/") && reason.ends_with("second listing agrees");
    while !reasons(&simulated).await.iter().any(is_doubt) {
        simulated.after(HOUR).await;
    }
    simulated.bends.set(Bend::Nothing);
    edited(json!({ "what": "product", "id": made["id"] })).await;
    assert!(!is_there().await, "{:#?}", reasons(&simulated).await);
}

fn id_of(made: &Value) -> String {
    format!("/{}", made["id"].as_str().unwrap())
}
