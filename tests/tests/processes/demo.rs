//! `serve --demo` on a folder that an earlier start left: its simulators are new, and are subscribed to again.

use std::time::Duration;

use hooktide_tests::server::{Server, eventually};
use serde_json::{Value, json};

/// The providers that are subscribed to.
const SUBSCRIBED: [&str; 5] = ["google-calendar", "microsoft-graph", "shopify", "square", "woocommerce"];

/// The address of a simulator of the last start.
fn simulator(server: &Server, provider: &str) -> String {
    let told = std::fs::read(server.beside("stdout")).unwrap();
    let ready: Value = serde_json::from_slice(&told).unwrap();
    format!("http://{}", ready["simulators"][provider].as_str().unwrap())
}

/// How many subscriptions each provider has, once there are some at all of them and that stays so for a while.
async fn subscribed(server: &Server) -> Vec<usize> {
    let count = async |provider: &str| {
        let answer = reqwest::get(format!("{}/_control/state", simulator(server, provider))).await.ok()?;
        let state: Value = answer.json().await.ok()?;
        // WooCommerce calls them webhooks.
        let there = ["subscriptions", "webhooks"].iter().find_map(|name| state["account"][*name].as_array());
        there.map(Vec::len).filter(|count| *count > 0)
    };
    eventually("all are subscribed to", async || {
        let mut rounds = Vec::new();
        for _ in 0..2 {
            let mut all = Vec::new();
            for provider in SUBSCRIBED {
                all.push(count(provider).await?);
            }
            rounds.push(all);
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        (rounds[0] == rounds[1]).then(|| rounds.remove(0))
    })
    .await
}

#[tokio::test]
async fn a_demo_that_is_started_again_is_told_what_changes_at_its_new_simulators() {
    let mut server = Server::start_with(|_| vec![("HOOKTIDE_DEMO", "true".into())]).await;
    let first = subscribed(&server).await;
    assert!(!server.log().contains("is not due"), "what is expected is no warning: {}", server.log());
    assert!(server.stop("TERM").await.success());
    server.start_again().await;
    assert_eq!(subscribed(&server).await, first);
    let edit = json!({ "what": "event", "id": null, "fields": { "summary": "Lunch" } });
    let edit =
        reqwest::Client::new().post(format!("{}/_control/edit", simulator(&server, "google-calendar"))).json(&edit);
    let made: Value = edit.send().await.unwrap().json().await.unwrap();
    let id = made["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    eventually("the event is told by a webhook", async || {
        let changes = server.client.all("/v1/changes").await;
        changes.iter().any(|change| change["document"]["id"] == id.as_str()).then_some(())
    })
    .await;
}
