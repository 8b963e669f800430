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
        let accepted = accepted(&simulated).await;
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
    let accepted = accepted(&simulated).await;
    edit("Heard").await;
    simulated.heard(accepted + 1).await;
    simulated.after(3 * SECOND).await;
    assert_eq!(found("Heard").await, "webhook", "{:#?}", told(&simulated).await);
    simulated.control("faults", json!({ "drop": true })).await;
    edit("Again").await;
    simulated.after(2 * HOUR).await;
    assert_eq!(found("Again").await, "", "it is in mode webhook again: {:#?}", told(&simulated).await);
}

/// The changes of events, as (calendar, start, via).
async fn events(simulated: &Simulated) -> Vec<(String, String, String)> {
    let changes = simulated.world.changes().await;
    let events = changes.iter().filter(|change| change["kind"] == "calendar-event" && change["op"] != "deleted");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |change: &Value| {
        let document = &change["document"];
        (text(&document["calendar"]), text(&document["start"]), text(&change["via"]))
    };
    events.map(of).collect()
}

/// How many messages of the simulator were accepted.
async fn accepted(simulated: &Simulated) -> u64 {
    simulated.state().await["notifications"]["accepted"].as_u64().unwrap()
}

/// Edits something at the simulator, and waits until its message is processed; returns its id.
async fn rung(simulated: &Simulated, edit: Value) -> String {
    let accepted = accepted(simulated).await;
    let edited = simulated.control("edit", edit).await;
    simulated.heard(accepted + 1).await;
    simulated.after(3 * SECOND).await;
    edited["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_event_rings_for_its_own_calendar_and_a_new_calendar_is_watched_once_it_is_included() {
    let simulated = Simulated::google_calendar().await;
    let first = events(&simulated).await;
    let is_full = first.len() > 8 && first.iter().all(|(_, _, via)| via == "full");
    assert!(is_full, "{first:?} {:#?}", told(&simulated).await);
    let calls = |state: &Value| state["account"]["calls"].clone();
    let at = |hour: u32| {
        let time = |hour: u32| json!({ "dateTime": format!("2026-12-18T{hour:02}:00:00Z") });
        json!({ "start": time(hour), "end": time(hour + 1) })
    };

    rung(&simulated, json!({ "what": "event", "fields": at(7) })).await;
    let expected = |calendar: &str, start: &str, via: &str| (calendar.to_owned(), start.to_owned(), via.to_owned());
    let own = expected("owner@example.com", "2026-12-18T07:00:00Z", "webhook");
    let after = events(&simulated).await;
    assert_eq!((after.last(), after.len()), (Some(&own), first.len() + 1), "{:#?}", told(&simulated).await);

    // The list of calendars rings, and the new calendar's channel says that it is open, once somebody wants it.
    let new = json!({ "what": "calendar", "fields": { "summary": "Choir", "timeZone": "Europe/Vienna" } });
    let before = accepted(&simulated).await;
    let choir = rung(&simulated, new).await;
    simulated.include_all().await;
    simulated.heard(before + 2).await;
    let before = calls(&simulated.state().await);
    let mut rehearsal = at(18);
    rehearsal["calendar"] = choir.as_str().into();
    rung(&simulated, json!({ "what": "event", "fields": rehearsal })).await;
    let after = events(&simulated).await;
    let rehearsal = expected(&choir, "2026-12-18T18:00:00Z", "webhook");
    assert_eq!(after.last(), Some(&rehearsal), "{:#?}", told(&simulated).await);
    let spent = |calls: &Value| calls["GET calendars/{id}/events"].as_u64().unwrap();
    assert_eq!(spent(&calls(&simulated.state().await)), spent(&before) + 1, "the other calendars are left alone");
}

#[tokio::test]
async fn a_calendar_that_is_removed_goes_with_its_events_and_its_subscription() {
    for is_listed in [true, false] {
        let simulated = Simulated::google_calendar().await;
        let new = json!({ "what": "calendar", "fields": { "summary": "Choir", "timeZone": "Europe/Vienna" } });
        let before = accepted(&simulated).await;
        let choir = rung(&simulated, new).await;
        simulated.include_all().await;
        simulated.heard(before + 2).await;
        rung(&simulated, json!({ "what": "event", "fields": { "calendar": choir } })).await;
        let resource = || async {
            resources(&simulated).await.into_iter().find(|one| one["resource"] == format!("calendar/{choir}"))
        };
        assert_eq!(resource().await.unwrap()["title"], "Choir");
        let first = events(&simulated).await;

        if !is_listed {
            // The list's cursor expires, and a new listing has nothing of what was removed before.
            simulated.control("faults", json!({ "drop": true })).await;
            simulated.control("edit", json!({ "what": "calendar", "id": choir })).await;
            simulated.control("edit", json!({ "what": "tokens", "id": "tokens" })).await;
            simulated.after(25 * HOUR).await;
            simulated.after(SECOND).await;
        } else {
            rung(&simulated, json!({ "what": "calendar", "id": choir })).await;
        }
        simulated.after(SECOND).await;
        let all = told(&simulated).await;
        assert_eq!(resource().await, None, "{all:#?}");
        let said = |text: &str| all.iter().any(|entry| entry.contains(text));
        assert!(
            said(&format!("calendar/{}/{choir} is gone at the provider: 1 change", simulated.connection)),
            "{all:#?}"
        );
        assert!(said("the subscription to events ended"), "{all:#?}");
        assert_eq!(events(&simulated).await.len(), first.len(), "nothing else is told");
        let gone = simulated.world.changes().await;
        let gone: Vec<&str> =
            gone.iter().filter(|one| one["op"] == "deleted").filter_map(|one| one["id"].as_str()).collect();
        assert!(gone.len() == 1 && gone[0].contains(&choir[..10]), "{gone:?}");
    }
}

#[tokio::test]
async fn after_an_outage_of_a_day_exactly_the_gap_is_read_from_the_cursor() {
    for (provider, resource) in [("square", "catalog"), ("woocommerce", "products")] {
        let simulated = Simulated::new(provider).await;
        simulated.after(SECOND).await;
        let first = products(&simulated).await.len();
        // Nothing runs here, and nothing that is sent arrives.
        simulated.control("faults", json!({ "drop": true })).await;
        for name in ["One", "Two", "Three"] {
            simulated.world.clock.advance(8 * HOUR);
            simulated.control("edit", json!({ "what": "product", "fields": { "name": name } })).await;
        }
        let before = told(&simulated).await.len();
        simulated.after(SECOND).await;
        let mut gap = products(&simulated).await.split_off(first);
        gap.sort();
        let expected = ["One", "Three", "Two"].map(|name| (name.to_owned(), "probe".to_owned()));
        assert_eq!(gap, expected, "{provider}: {:#?}", told(&simulated).await);
        let said = told(&simulated).await.split_off(before).join("\n");
        assert!(said.contains(&format!("probe of {resource}/")) && said.contains("3 changes, "), "{provider}: {said}");
    }
}

/// What the connection reads.
async fn resources(simulated: &Simulated) -> Vec<Value> {
    let listed = simulated.world.get("/v1/resources").await.expect(200);
    listed["items"].as_array().unwrap().clone()
}

/// What the activity says of syncs and subscriptions.
async fn told(simulated: &Simulated) -> Vec<String> {
    let activity = simulated.world.activity().await;
    let reason = |entry: &Value| Some(format!("{} {}", entry["processed_at"].as_str()?, entry["reason"].as_str()?));
    activity.iter().filter_map(reason).collect()
}
