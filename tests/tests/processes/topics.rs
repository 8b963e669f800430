//! `serve --demo` has a connection of each provider, and every topic of each, sent over real HTTP, becomes what is declared.

use std::collections::BTreeMap;

use hooktide_providers::{Becomes, Provider};
use hooktide_tests::connected::signed;
use hooktide_tests::server::{Server, eventually};
use http::Method;
use serde_json::{Value, json};

/// The outcome that a topic's delivery must have, and how its reason must begin.
fn expected(provider: &dyn Provider, becomes: Becomes) -> (&'static str, String) {
    match becomes {
        Becomes::Kind(_) => ("processed", String::new()),
        // A sample is about a subscription that nobody made.
        Becomes::Sync(_) if provider.profile().derives_tokens && provider.subscriptions().is_some() => {
            ("ignored", "its subscription".to_owned())
        }
        Becomes::Sync(resource) => ("waiting", format!("a sync of {resource}")),
        Becomes::Privacy => ("waiting", "a request about personal data".to_owned()),
        Becomes::Ignored(reason) => ("ignored", reason.to_owned()),
    }
}

async fn send_all(server: &Server, provider: &dyn Provider) -> usize {
    let mut sent = 0;
    for (number, topic) in (1..).zip(provider.profile().topics) {
        // A deletion is a change only if the entity is known.
        let deletes = [".deleted", "/delete"].iter().any(|end| topic.name.ends_with(end));
        if deletes && matches!(topic.becomes, Becomes::Kind(_)) {
            let known = provider.profile().topics.iter().find(|other| other.becomes == topic.becomes).expect("a topic");
            let before = changes_of(server, provider).await;
            send(server, provider, known.name, number).await;
            eventually("the entity", async || (changes_of(server, provider).await > before).then_some(())).await;
            sent += 1;
        }
        send(server, provider, topic.name, number).await;
        sent += 1;
    }
    sent
}

async fn send(server: &Server, provider: &dyn Provider, topic: &str, number: u64) {
    let path = format!("/test/events/{}/{topic}", provider.id());
    let sample = server.client.call(Method::POST, &path, Some(json!({ "number": number }))).await.expect(200);
    let answer = server.client.send(signed(&sample)).await.expect("an answer");
    assert_eq!(answer.status, provider.profile().accepted, "{} {topic}", provider.id());
    assert!(answer.body.is_empty());
}

async fn changes_of(server: &Server, provider: &dyn Provider) -> usize {
    let changes = server.client.all("/v1/changes").await;
    changes.iter().filter(|change| change["provider"] == provider.id()).count()
}

#[tokio::test]
async fn every_topic_of_every_provider_becomes_what_it_declares() {
    let server = Server::start_with(|_| vec![("HOOKTIDE_DEMO", "true".into())]).await;
    let connections = server.client.call(Method::GET, "/v1/connections?limit=1000", None).await.expect(200);
    let connected: Vec<&str> =
        connections["items"].as_array().unwrap().iter().filter_map(|one| one["provider"].as_str()).collect();
    for provider in hooktide_providers::ALL {
        assert!(connected.contains(&provider.id()), "the demo has no connection of {}", provider.id());
    }
    let mut sent = 0;
    for provider in hooktide_providers::ALL {
        sent += send_all(&server, *provider).await;
    }
    let activity = eventually("all is in the activity", async || {
        let activity = server.client.all("/v1/activity").await;
        let of_topics = activity.iter().filter(|entry| !entry["id"].to_string().contains("-done"));
        let envelopes: std::collections::BTreeSet<String> = of_topics.map(|entry| entry["trace"].to_string()).collect();
        (envelopes.len() >= sent).then_some(activity)
    })
    .await;
    let changes = server.client.all("/v1/changes").await;
    let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
    for change in &changes {
        let key = (change["provider"].as_str().unwrap().to_owned(), change["kind"].as_str().unwrap().to_owned());
        *kinds.entry(key).or_default() += 1;
    }
    let mut missing = Vec::new();
    for provider in hooktide_providers::ALL {
        let mut of_kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for topic in provider.profile().topics {
            let (outcome, reason) = expected(*provider, topic.becomes);
            let fits = |entry: &&Value| {
                entry["provider"] == provider.id()
                    && entry["topic"] == topic.name
                    && entry["outcome"] == outcome
                    && entry["reason"].as_str().unwrap_or_default().starts_with(&reason)
            };
            if !activity.iter().any(|entry| fits(&entry)) {
                let told: Vec<&Value> = activity.iter().filter(|entry| entry["topic"] == topic.name).collect();
                missing.push(format!("{} {}: not {outcome} {reason:?}, but {told:?}", provider.id(), topic.name));
            }
            if let Becomes::Kind(kind) = topic.becomes {
                *of_kinds.entry(kind.as_str()).or_default() += 1;
            }
        }
        for (kind, topics) in of_kinds {
            let told = kinds.get(&(provider.id().to_owned(), kind.to_owned())).copied().unwrap_or_default();
            if told < topics {
                missing.push(format!("{}: {told} changes of a {kind}, of {topics} topics", provider.id()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
