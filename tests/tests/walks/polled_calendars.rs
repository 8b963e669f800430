//! Calendars of providers that call nobody: they are polled, and nothing is deleted on doubt.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::simulated::{Simulated, connection};
use hooktide_tests::world::World;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than any time between two polls.
const POLL: Duration = Duration::from_secs(11 * 60);

/// The changes of calendar events after the first so many.
async fn changes(simulated: &Simulated, after: usize) -> Vec<Value> {
    let all = simulated.world.changes().await.into_iter();
    all.filter(|change| change["kind"] == "calendar-event").skip(after).collect()
}

fn told<'a>(changes: &'a [Value], field: &str) -> Vec<&'a str> {
    changes.iter().filter_map(|change| change[field].as_str()).collect()
}

#[tokio::test]
async fn calendars_without_webhooks_are_polled_every_few_minutes() {
    for provider in ["caldav", "ics"] {
        let simulated = Simulated::new(provider).await;
        let path = format!("/v1/connections/{}", simulated.connection);
        let shown = simulated.world.get(&path).await.expect(200);
        assert_eq!(shown["webhook_url"], Value::Null, "{shown:#}");
        simulated.after(SECOND).await;
        simulated.include_all().await;
        let first = changes(&simulated, 0).await;
        assert_eq!(first.len(), 4, "{provider}: {first:#?}");
        let sync = simulated.world.get(&format!("{path}/sync")).await.expect(200);
        let resources = sync["resources"].as_array().unwrap();
        let is_soon = |one: &Value| one["mode"] == "polling" && one["last_sync"]["outcome"] == "done";
        assert!(resources.len() >= 2 && resources.iter().all(is_soon), "{provider}: {sync:#}");

        let edit = json!({ "what": "event", "fields": { "DTSTART": "20261215T090000Z", "DTEND": "20261215T100000Z" } });
        let made = simulated.control("edit", edit).await["id"].as_str().unwrap().to_owned();
        simulated.after(POLL).await;
        let new = changes(&simulated, 4).await;
        assert_eq!((new.len(), &new[0]["document"]["start"]), (1, &json!("2026-12-15T09:00:00Z")), "{new:#?}");
        simulated.control("edit", json!({ "what": "event", "id": made })).await;
        simulated.after(POLL).await;
        let gone = changes(&simulated, 5).await;
        assert_eq!((gone.len(), &gone[0]["document"]), (1, &Value::Null), "{provider}: {gone:#?}");
        let tested = simulated.world.post(&format!("{path}/sync/test"), json!({})).await.expect(200);
        let checks = tested["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["ok"] == true), "{provider}: {tested:#}");
    }
}

#[tokio::test]
async fn a_feed_that_is_cut_empty_or_a_page_for_a_while_deletes_nothing() {
    let simulated = Simulated::new("ics").await;
    simulated.after(SECOND).await;
    for habit in ["no-events", "html", "cut", "empty"] {
        simulated.control("edit", json!({ "what": "habit", "id": habit, "fields": {} })).await;
        simulated.control("edit", json!({ "what": "habit", "id": "no-etag", "fields": {} })).await;
        simulated.control("edit", json!({ "what": "habit", "id": "no-date", "fields": {} })).await;
        simulated.after(POLL).await;
        assert_eq!(changes(&simulated, 4).await, Vec::<Value>::new(), "{habit}");
        simulated.control("edit", json!({ "what": "habit", "id": habit })).await;
        simulated.after(POLL).await;
        simulated.after(POLL).await;
        assert_eq!(changes(&simulated, 4).await, Vec::<Value>::new(), "{habit}, and after it");
    }
    let activity = simulated.world.activity().await;
    let reasons = told(&activity, "reason").join("\n");
    for said in ["less than half", "does not begin with BEGIN:VCALENDAR", "cut off", "is empty"] {
        assert!(reasons.contains(said), "{said}: {reasons}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_say_where_it_is_is_told_which_setting_says_so() {
    let world = World::new().await;
    for (provider, expected) in [
        ("caldav", "Give the connection the setting `url`."),
        ("ics", "Give the connection the setting `url`."),
        ("woocommerce", "Give the connection an account, or the setting `site`."),
    ] {
        let mut new = connection(hooktide_providers::by_id(provider).expect("a provider"), &json!({}));
        if provider == "woocommerce" {
            new["account"] = Value::Null;
        }
        let made = world.post("/v1/connections", new).await.expect(201);
        let path = format!("/v1/connections/{}/sync/test", made["id"].as_str().expect("an id"));
        let tested = world.post(&path, json!({})).await.expect(200);
        let checks = tested["checks"].as_array().expect("checks");
        let found = checks.iter().find(|check| check["name"] == "round_trip").expect("a round trip");
        assert_eq!(found["advice"], expected, "{provider}: {tested:#}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_deep_is_told_as_such_and_not_as_a_server_that_is_none() {
    let simulated = Simulated::new("caldav").await;
    let deep = format!("<multistatus xmlns=\"DAV:\">{}{}</multistatus>", "<a>".repeat(60), "</a>".repeat(60));
    simulated.bends.set(Bend::Instead(207, deep.leak()));
    simulated.after(SECOND).await;
    let path = format!("/v1/connections/{}/sync", simulated.connection);
    let shown = simulated.world.get(&path).await.expect(200);
    let reason = shown["resources"][0]["last_sync"]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("cannot be read") && reason.contains("deep"), "{shown:#}");
}
