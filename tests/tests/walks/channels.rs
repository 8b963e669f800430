//! Google's channels, which no list shows: each calendar has one, whatever was lost, late or silent.

use std::collections::BTreeMap;
use std::time::Duration;

use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records;
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
/// The path of the events of the main calendar.
const MAIN: &str = "calendars/owner%40example.com/events";

/// The ids of the channels that are open, by what they watch.
async fn open(simulated: &Simulated) -> BTreeMap<String, Vec<String>> {
    let state = simulated.state().await;
    let mut open: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for channel in state["account"]["subscriptions"].as_array().expect("channels") {
        let text = |name: &str| channel[name].as_str().expect("a text").to_owned();
        open.entry(text("path")).or_default().push(text("id"));
    }
    open
}

/// What is known of subscriptions.
async fn known(simulated: &Simulated) -> Vec<Value> {
    let all = simulated.world.get("/v1/subscriptions?limit=100").await.expect(200);
    all["items"].as_array().cloned().expect("a list")
}

/// Makes an event in the main calendar, and waits until so many messages are heard.
async fn told(simulated: &Simulated, messages: u64) {
    let accepted = simulated.state().await["notifications"]["accepted"].as_u64().unwrap();
    made(simulated).await;
    simulated.heard(accepted + messages).await;
    simulated.after(3 * SECOND).await;
}

async fn made(simulated: &Simulated) {
    let at = simulated.world.now();
    let time = |hours: i64| json!({ "dateTime": (at + jiff::SignedDuration::from_hours(hours)).to_string() });
    simulated.control("edit", json!({ "what": "event", "fields": { "start": time(1), "end": time(2) } })).await;
}

/// How the last change became known.
async fn last_via(simulated: &Simulated) -> Value {
    simulated.world.changes().await.last().expect("a change")["via"].clone()
}

#[tokio::test]
async fn a_channel_that_nobody_knows_is_stopped_by_what_its_own_message_says() {
    let simulated = Simulated::google_calendar().await;
    let former = open(&simulated).await;
    // A backup is restored that has none of them.
    let (table, tenant) = (&simulated.world.host.ports.table, Tenant::default_local());
    let (partition, prefix) = (subscription::partition(&tenant), subscription::prefix(&simulated.connection));
    for (_, stored) in records::list_all::<Subscription>(&**table, partition, &prefix, 100).await.unwrap() {
        table.write(Write::Delete { key: stored.record.key(&tenant), condition: None }).await.unwrap();
    }
    simulated.after(25 * HOUR).await;
    assert_eq!(open(&simulated).await[MAIN].len(), 2, "another one was opened");
    told(&simulated, 2).await;
    simulated.after(60 * SECOND).await;
    let now = open(&simulated).await;
    assert!(now[MAIN].len() == 1 && now[MAIN] != former[MAIN], "{now:?} {former:?}");
    assert_eq!(last_via(&simulated).await, "webhook");
    let activity = simulated.world.activity().await;
    let says = |text: &str| activity.iter().any(|entry| entry["reason"].as_str().is_some_and(|it| it.contains(text)));
    assert!(says("its subscription was replaced, has ended, or is not known"), "{activity:#?}");
    assert!(says("a subscription is ended: nothing here knew it"), "{activity:#?}");
    let waiting = simulated.world.get("/v1/waiting").await.expect(200);
    assert!(!waiting.to_string().contains(&former[MAIN][0]), "no mark is left that nobody can settle: {waiting:#}");
    let known = known(&simulated).await;
    assert!(known.len() == 4 && known.iter().all(|one| one["resource"].is_string()), "{known:#?}");
}

#[tokio::test]
async fn a_channel_whose_answer_was_lost_can_be_ended_once_it_has_told_something() {
    let simulated = Simulated::new("google-calendar").await;
    simulated.control("faults", json!({ "lose": "web_hook" })).await;
    simulated.after(SECOND).await;
    simulated.control("faults", json!({ "lose": null })).await;
    simulated.after(HOUR / 2).await;
    let whole = async || {
        let known = known(&simulated).await;
        let ids = known.iter().filter_map(|one| one["provider_id"].as_str());
        let main = &open(&simulated).await[MAIN][0];
        ids.filter(|id| id.starts_with(main)).map(|id| !id.contains("//")).collect::<Vec<_>>()
    };
    assert_eq!(whole().await, [false], "what it watches nobody heard: {:#?}", known(&simulated).await);
    told(&simulated, 1).await;
    assert_eq!(whole().await, [true], "{:#?}", known(&simulated).await);
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    let polling = Some(json!({ "mode": "polling" }));
    simulated.world.call(&simulated.world.operator, http::Method::PUT, &path, polling).await.expect(200);
    simulated.after(SECOND).await;
    assert_eq!(open(&simulated).await.get(MAIN), None);
}

#[tokio::test]
async fn a_channel_that_is_silent_is_replaced_at_once_and_polled_for_if_that_does_not_help() {
    let simulated = Simulated::google_calendar().await;
    told(&simulated, 1).await;
    let first = open(&simulated).await[MAIN].clone();
    simulated.control("faults", json!({ "drop": true })).await;
    made(&simulated).await;
    simulated.after(7 * HOUR).await;
    let via = last_via(&simulated).await;
    assert!(via == "probe" || via == "full", "{via}");
    simulated.after(60 * SECOND).await;
    let second = open(&simulated).await[MAIN].clone();
    assert!(second.len() == 1 && second != first, "one in place of the other: {first:?} {second:?}");
    let main = async || {
        let known = known(&simulated).await;
        known.into_iter().find(|one| one["resource"] == "calendar/owner@example.com").expect("a subscription")
    };
    assert_eq!((&main().await["state"], &main().await["failures"]), (&json!("degraded"), &json!(1)));
    // The failures of one are those of its successors.
    for _ in 0..5 {
        made(&simulated).await;
        simulated.after(7 * HOUR).await;
        simulated.after(HOUR).await;
        assert_eq!(open(&simulated).await[MAIN].len(), 1, "{:#?}", main().await);
    }
    assert_eq!(main().await["state"], "suspended", "{:#?}", main().await);
    simulated.control("faults", json!({ "drop": false })).await;
    told(&simulated, 1).await;
    assert_eq!((last_via(&simulated).await, &main().await["state"]), (json!("webhook"), &json!("active")));
}

#[tokio::test]
async fn channels_that_ended_while_nothing_ran_are_opened_once() {
    let simulated = Simulated::google_calendar().await;
    simulated.world.clock.advance(8 * 24 * HOUR);
    for _ in 0..5 {
        simulated.after(60 * SECOND).await;
    }
    let open = open(&simulated).await;
    assert!(open.len() == 3 && open.values().all(|channels| channels.len() == 1), "{open:?}");
    assert_eq!(known(&simulated).await.len(), 4);
}

#[tokio::test]
async fn a_channel_is_open_before_the_one_that_it_replaces_ends() {
    let simulated = Simulated::new("google-calendar").await;
    simulated.after(SECOND).await;
    let first = open(&simulated).await;
    let mut seen = Vec::new();
    for _ in 0..(7 * 24) {
        simulated.world.clock.advance(HOUR);
        simulated.world.host.sweep_subscriptions().await.expect("subscriptions are looked at");
        seen.push(open(&simulated).await[MAIN].clone());
    }
    assert!(seen.iter().all(|channels| channels.len() == 1), "{seen:?}");
    assert_ne!(seen.last(), Some(&first[MAIN]), "{seen:?}");
}

#[tokio::test]
async fn a_calendar_about_which_nothing_is_sent_is_polled_and_no_trouble() {
    let simulated = Simulated::google_calendar().await;
    for _ in 0..12 {
        simulated.after(2 * HOUR).await;
    }
    let known = known(&simulated).await;
    let holidays = known.iter().find(|one| one["provider_id"].is_null()).expect("one without a channel");
    let resource = holidays["resource"].as_str().unwrap();
    assert!(resource.contains("#holiday@"), "{holidays:#}");
    assert_eq!((&holidays["state"], &holidays["failures"]), (&json!("pending"), &json!(0)));
    assert_eq!(holidays["advice"], Value::Null, "there is nothing to do: {holidays:#}");
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    let tested = simulated.world.post(&format!("{path}/test"), json!({})).await.expect(200);
    let check = tested["checks"].as_array().unwrap().iter().find(|check| check["name"] == "subscription").unwrap();
    assert_eq!((&check["ok"], check["detail"].as_str().unwrap().contains(resource)), (&json!(true), true), "{check:#}");
    let shown = simulated.world.get(&path).await.expect(200);
    let mode = |name: &str| {
        let resources = shown["resources"].as_array().unwrap();
        resources.iter().find(|one| one["resource"] == name).unwrap()["mode"].clone()
    };
    assert_eq!((mode(resource), mode("calendar/owner@example.com")), (json!("polling"), json!("webhook")));
    let address = format!("/webhooks/google-calendar/{}", simulated.connection);
    let place = simulated.world.get(&address).await.headers["location"].to_str().unwrap().to_owned();
    let feed = simulated.world.get(&place).await.expect(200);
    assert_eq!(feed["mode"], "webhook", "what the provider reports comes by webhook: {feed:#}");
    let asked = simulated.state().await["account"]["calls"]["POST calendars/{id}/events/watch"].as_u64();
    assert_eq!(asked, Some(3), "it is asked for again after a week");
    for _ in 0..8 {
        simulated.after(24 * HOUR).await;
    }
    let known = self::known(&simulated).await;
    let holidays = known.iter().find(|one| one["resource"] == resource).unwrap();
    assert_eq!((&holidays["state"], &holidays["failures"]), (&json!("pending"), &json!(0)));
}
