//! Calls stay within what an account may have, and a provider that does not answer is left alone.

use std::time::Duration;

use hooktide_tests::provided::Provided;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);
/// The rest of a minute, of which [`Provided::after`] takes twelve seconds by itself.
const MINUTE: Duration = Duration::from_secs(48);

#[tokio::test]
async fn a_connection_with_a_rate_is_read_within_it() {
    let provided = Provided::with("square", json!({ "rate_per_minute": 2 })).await;
    let mut most = 0;
    for _ in 0..15 {
        let before = provided.account.calls("");
        provided.after(MINUTE).await;
        most = most.max(provided.account.calls("") - before);
    }
    assert!((1..=2).contains(&most), "{most} calls in a minute");
    let changes = provided.faulty.world.changes().await;
    let of = |kind: &str| changes.iter().filter(|change| change["kind"] == kind).count();
    assert!(of("product") > 1 && of("stock") > 1, "all of it was read: {changes:#?}");
    let activity = provided.faulty.world.activity().await;
    assert!(activity.iter().all(|entry| entry["outcome"] != "failed"), "to wait is no failure: {activity:#?}");
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_left_alone_and_read_again_once_it_does() {
    let provided = Provided::new("square").await;
    provided.account.lose(Some("/v2/"));
    provided.ask("anna").await;
    for _ in 0..10 {
        provided.after(MINUTE).await;
    }
    let shown = provided.shown().await;
    assert!(shown["degraded"]["since"].is_string(), "{shown}");
    let before = provided.account.calls("v2");
    for _ in 0..60 {
        provided.after(MINUTE).await;
    }
    let tries = provided.account.calls("v2") - before;
    assert!((1..=8).contains(&tries), "{tries} tries in an hour");
    provided.account.lose(None);
    provided.account.edit("product", Some(json!({ "name": "Gyokuro" })));
    for _ in 0..20 {
        provided.after(MINUTE).await;
    }
    provided.ask("bert").await;
    provided.after(SECOND).await;
    assert!(provided.knows("Gyokuro").await, "{:#?}", provided.faulty.world.activity().await);
    assert_eq!(provided.shown().await["degraded"], json!(null));
}

#[tokio::test]
async fn a_rate_limit_keeps_the_whole_account_back_until_it_is_over() {
    let provided = Provided::new("google-calendar").await;
    for number in 0..6 {
        provided.account.edit("calendar", Some(json!({ "summary": format!("Calendar {number}") })));
    }
    provided.ask("anna").await;
    provided.after(MINUTE).await;
    provided.faulty.world.include_all(&provided.connection).await;
    provided.after(MINUTE).await;
    provided.account.limit(Some(0));
    let before = provided.account.calls("");
    provided.ask("bert").await;
    provided.after(SECOND).await;
    let asked = provided.account.calls("") - before;
    assert!((1..=3).contains(&asked), "{asked} calls for ten resources, of which each would ask by itself");
    let before = provided.account.calls("");
    for _ in 0..60 {
        provided.after(MINUTE).await;
    }
    let asked = provided.account.calls("") - before;
    assert!((2..=12).contains(&asked), "{asked} calls in an hour");
    provided.account.limit(None);
    let before = provided.account.calls("GET calendars/{id}/events");
    for _ in 0..20 {
        provided.after(MINUTE).await;
    }
    let read = provided.account.calls("GET calendars/{id}/events") - before;
    assert!(read >= 9, "{read} of nine calendars: {:#?}", provided.faulty.world.activity().await);
}
