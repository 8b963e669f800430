//! Access tokens are got anew when they end: once for all workers, and without ever losing what they are got with.

use std::time::Duration;

use futures::future::join_all;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_store::ports::QueueName;
use hooktide_tests::faults::{How, Plan, Until, Which};
use hooktide_tests::provided::Provided;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// An account whose token has ended, after two workers met that at the same time.
async fn two_workers(seed: u64, is_guarded: bool) -> Provided {
    let provided = Provided::new("square").await;
    provided.account.expire();
    provided.ask("anna").await;
    provided.account.edit("product", Some(json!({ "name": "Gyokuro" })));
    let messages = provided.faulty.world.take_messages(QueueName::Jobs).await;
    assert!(messages.len() > 1, "one for the catalog, one for the stock: {messages:?}");
    provided.faulty.faults.interleave(seed);
    if !is_guarded {
        provided.faulty.table.unguard("#authorizations");
    }
    let host = &provided.faulty.world.host;
    let workers = messages.into_iter().map(|message| async move {
        let worker = Syncer::new(host.ports.clone(), &host.settings);
        worker.run(vec![message], host.clock.now()).await
    });
    join_all(workers).await;
    provided
}

#[tokio::test]
async fn two_workers_that_meet_an_ended_token_get_one_other() {
    for seed in 0..10 {
        let provided = two_workers(seed, true).await;
        assert_eq!(provided.account.calls("oauth2/token"), 1, "seed {seed}");
        provided.after(5 * SECOND).await;
        assert!(provided.knows("Gyokuro").await, "seed {seed}");
        assert_eq!(provided.account.calls("oauth2/token"), 1, "seed {seed}: the other one uses it as well");
    }
}

#[tokio::test]
async fn a_refresh_without_a_lock_would_be_seen() {
    for seed in 0..10 {
        if two_workers(seed, false).await.account.calls("oauth2/token") > 1 {
            return;
        }
    }
    panic!("two workers refresh at the same time, and nobody sees it");
}

#[tokio::test]
async fn a_token_is_got_anew_before_it_ends_and_no_call_is_refused() {
    let provided = Provided::new("square").await;
    provided.account.expire();
    provided.ask("anna").await;
    provided.after(SECOND).await;
    assert_eq!(provided.account.calls("oauth2/token"), 1);
    provided.after(29 * DAY).await;
    assert_eq!(provided.account.calls("oauth2/token"), 1);
    provided.after(DAY - 4 * MINUTE).await;
    provided.ask("bert").await;
    provided.after(SECOND).await;
    assert_eq!(provided.account.calls("oauth2/token"), 2, "less than five minutes before its end");
    assert_eq!(provided.shown().await["credentials"], "ok");
}

#[tokio::test]
async fn a_rotated_refresh_token_survives_a_crash_before_and_after_its_write() {
    // A worker that ends before a call has ended after the one before it.
    at_every_call("shopify", Until::After, How::Crash).await;
}

#[tokio::test]
async fn whatever_fails_or_ends_during_a_refresh_the_credentials_survive() {
    for until in [Until::Before, Until::After] {
        at_every_call("shopify", until, How::Retryable).await;
    }
    at_every_call("square", Until::After, How::Crash).await;
}

/// Lets each call of a refresh fail in turn, until none is left.
async fn at_every_call(provider: &str, until: Until, how: How) {
    let name = if provider == "square" { "name" } else { "title" };
    for call in 0..200 {
        let provided = Provided::new(provider).await;
        let world = &provided.faulty.world;
        provided.account.expire();
        provided.ask("anna").await;
        provided.faulty.faults.arm(Plan { which: Which::Nth(call), until, how });
        provided.faulty.faults.run(world.host.tick()).await;
        let struck = provided.faulty.faults.disarm();
        provided.account.edit("product", Some(json!({ name: "Gyokuro" })));
        provided.after(HOUR).await;
        provided.ask("bert").await;
        provided.after(HOUR).await;
        let told = format!("{provider}: call {call} of {until:?}, {how:?}");
        assert_eq!(provided.shown().await["credentials"], "ok", "{told}");
        assert!(provided.knows("Gyokuro").await, "{told}: {:#?}", world.activity().await);
        if struck == 0 {
            assert!(call > 10, "{told}: a refresh makes more calls");
            return;
        }
    }
    panic!("the refresh never came to its end");
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_does_not_lose_the_credentials() {
    for provider in ["square", "shopify"] {
        let name = if provider == "square" { "name" } else { "title" };
        let provided = Provided::new(provider).await;
        provided.account.expire();
        provided.account.lose(Some("oauth"));
        provided.ask("anna").await;
        provided.after(MINUTE).await;
        assert_eq!(provided.shown().await["credentials"], "ok", "nobody said that they are refused");
        provided.account.lose(None);
        provided.account.edit("product", Some(json!({ name: "Gyokuro" })));
        provided.after(HOUR).await;
        provided.ask("bert").await;
        provided.after(SECOND).await;
        assert!(provided.knows("Gyokuro").await, "{provider}: {:#?}", provided.faulty.world.activity().await);
        // The tokens that came last are used the next time.
        provided.account.expire();
        provided.account.edit("product", Some(json!({ name: "Sencha" })));
        provided.after(HOUR).await;
        provided.ask("carl").await;
        provided.after(SECOND).await;
        assert!(provided.knows("Sencha").await, "{provider}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_shows_and_nothing_is_asked_until_there_is_another() {
    for provider in ["square", "shopify"] {
        let provided = Provided::new(provider).await;
        provided.account.edit("app", None);
        provided.ask("anna").await;
        provided.after(SECOND).await;
        let shown = provided.shown().await;
        assert_eq!(shown["credentials"], "needs_reauthorization", "{shown}");
        let advice = shown["needs_reauthorization"]["advice"].as_str().unwrap();
        assert!(advice.contains(&format!("hooktide connections authorize {}", provided.connection)), "{advice}");
        let activity = provided.faulty.world.activity().await;
        let told = |entry: &serde_json::Value| entry["reason"].as_str().is_some_and(|reason| reason.contains(advice));
        assert!(activity.iter().any(told), "{activity:#?}");
        let calls = provided.account.calls("");
        provided.ask("bert").await;
        provided.after(MINUTE).await;
        assert_eq!(provided.account.calls(""), calls, "{provider}: nothing is asked");
        for text in [shown.to_string(), format!("{activity:?}")] {
            assert!(!text.contains("hush-"), "{text}");
        }
        let path = format!("/v1/connections/{}/secrets/refresh_token", provided.connection);
        provided.faulty.world.post(&path, json!({ "value": "another" })).await.expect(201);
        assert_eq!(provided.shown().await["credentials"], "ok", "{provider}: it is not known to be refused");
        provided.after(SECOND).await;
        assert!(provided.account.calls("") > calls || provider == "shopify", "{provider} is asked at once");
        assert_eq!(provided.shown().await["credentials"], "needs_reauthorization", "{provider}: it was no better");
    }
}
