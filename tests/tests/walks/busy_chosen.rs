//! Calendars that nobody wants to be read: they are neither read nor watched, until somebody does.

use std::time::Duration;

use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records::calendars;
use hooktide_tests::blocking::{Blocking, Side};
use hooktide_tests::simulated::Simulated;
use serde_json::{Value, json};

const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";

/// How many subscriptions there are at the provider.
async fn watched(side: &Side) -> usize {
    side.state().await["account"]["subscriptions"].as_array().map_or(0, Vec::len)
}

/// The events of a calendar that were read.
async fn events_in(blocking: &Blocking, calendar: &str) -> usize {
    let changes = blocking.world().changes().await;
    changes.iter().filter(|change| change["document"]["calendar"] == calendar).count()
}

#[tokio::test]
async fn only_the_main_calendar_is_read_and_watched_until_another_is_included() {
    for provider in ["google-calendar", "microsoft-graph", "caldav"] {
        let blocking = Blocking::apart(&[provider]).await;
        let side = &blocking.sides[0];
        let event = async |day: &str, calendar: &str| {
            let times = (&*format!("{day}T09:00:00Z"), &*format!("{day}T10:00:00Z"));
            blocking.put(side, Value::Null, times, json!({ "calendar": calendar })).await;
        };
        let of_main = events_in(&blocking, &side.main).await;
        assert!(of_main > 0, "{provider}");
        event("2026-12-17", &side.main).await;
        event("2026-12-17", &side.other).await;
        blocking.hours(26).await;
        assert_eq!(events_in(&blocking, &side.main).await, of_main + 1, "{provider}");
        assert_eq!(events_in(&blocking, &side.other).await, 0, "{provider}");
        let before = watched(side).await;

        // A direction includes it, as the choice itself does.
        blocking.choose(side, &side.other, json!({ "is_blocked": true })).await.unwrap();
        blocking.settle().await;
        assert!(events_in(&blocking, &side.other).await > 0, "{provider}");
        let watches = usize::from(provider != "caldav");
        assert_eq!(watched(side).await, before + watches, "{provider}");
        blocking.choose(side, &side.main, json!({ "included": false })).await.unwrap();
        blocking.settle().await;
        event("2026-12-18", &side.main).await;
        assert_eq!(events_in(&blocking, &side.main).await, of_main + 1, "{provider}: it is the main one, but excluded");
        assert_eq!(watched(side).await, before, "{provider}");
    }
}

#[tokio::test]
async fn a_calendar_that_was_read_and_that_nobody_chose_is_neither_read_nor_watched_any_more() {
    for provider in ["google-calendar", "microsoft-graph"] {
        let blocking = Blocking::apart(&[provider]).await;
        let side = &blocking.sides[0];
        let before = watched(side).await;
        blocking.choose(side, &side.other, json!({ "included": true })).await.unwrap();
        blocking.settle().await;
        blocking.put(side, Value::Null, (NINE, TEN), json!({ "calendar": side.other })).await;
        let read = events_in(&blocking, &side.other).await;
        assert!(read > 0 && watched(side).await == before + 1, "{provider}");
        // As it was before anybody could choose.
        let key = calendars::key(&Tenant::default_local(), &side.connection);
        let forgotten = Write::Delete { key, condition: None };
        blocking.world().host.ports.table.write(forgotten).await.unwrap();
        blocking.hours(26).await;
        let (start, end) = ("2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z");
        blocking.put(side, Value::Null, (start, end), json!({ "calendar": side.other })).await;
        blocking.hours(26).await;
        assert_eq!((events_in(&blocking, &side.other).await, watched(side).await), (read, before), "{provider}");
    }
}

#[tokio::test]
async fn where_a_server_names_no_main_calendar_the_first_is_it_until_it_is_gone() {
    let simulated = Simulated::new("caldav").await;
    simulated.control("edit", json!({ "what": "habit", "id": "no-main", "fields": {} })).await;
    let mains = async || {
        simulated.after(Duration::from_secs(7 * 3600)).await;
        let listed =
            simulated.world.get(&format!("/v1/connections/{}/calendars", simulated.connection)).await.expect(200);
        let all: Vec<Value> = listed["items"].as_array().unwrap().clone();
        assert!(all.iter().all(|one| one["is_main"] == one["included"]), "{all:#?}");
        let mains = all.iter().filter(|one| one["is_main"] == true).map(|one| one["id"].as_str().unwrap().to_owned());
        (all.len(), mains.collect::<Vec<_>>())
    };
    let (count, first) = mains().await;
    assert!(count == 2 && first.len() == 1 && first[0].ends_with("/home/"), "{first:?}");
    // Some of these come before it.
    for number in 0..8 {
        let fields = json!({ "name": format!("Calendar {number}") });
        simulated.control("edit", json!({ "what": "calendar", "fields": fields })).await;
    }
    assert_eq!(mains().await, (10, first.clone()));
    simulated.control("edit", json!({ "what": "calendar", "id": first[0] })).await;
    mains().await;
    let (count, second) = mains().await;
    assert!(count == 9 && second.len() == 1 && second != first, "{second:?}");
}

#[tokio::test]
async fn a_calendar_that_is_excluded_is_neither_read_nor_watched_until_it_is_included_again() {
    for provider in ["google-calendar", "microsoft-graph", "caldav"] {
        let blocking = Blocking::apart(&[provider]).await;
        let side = &blocking.sides[0];
        blocking.choose(side, &side.other, json!({ "included": true })).await.unwrap();
        blocking.settle().await;
        let before = watched(side).await;
        let made = blocking.put(side, Value::Null, (NINE, TEN), json!({ "calendar": side.other })).await;
        assert!(!made.is_empty());
        let read = events_in(&blocking, &side.other).await;
        assert!(read > 0, "{provider}");

        blocking.choose(side, &side.other, json!({ "included": false })).await.unwrap();
        blocking.settle().await;
        assert_eq!(watched(side).await, before.saturating_sub(1), "{provider}");
        let (start, end) = ("2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z");
        blocking.put(side, Value::Null, (start, end), json!({ "calendar": side.other })).await;
        blocking.hours(26).await;
        assert_eq!(events_in(&blocking, &side.other).await, read, "{provider}");
        assert_eq!(watched(side).await, before.saturating_sub(1), "{provider}");

        blocking.choose(side, &side.other, json!({ "included": true })).await.unwrap();
        blocking.settle().await;
        assert_eq!(events_in(&blocking, &side.other).await, read + 1, "{provider}");
        assert_eq!(watched(side).await, before, "{provider}");
    }
}

#[tokio::test]
async fn a_calendar_that_takes_part_cannot_be_excluded_and_one_that_is_excluded_takes_part_once_it_is_chosen() {
    let blocking = Blocking::within("google-calendar").await;
    let side = &blocking.sides[0];
    let event = blocking.put(side, Value::Null, (NINE, TEN), json!({ "calendar": side.other })).await;
    assert_eq!(blocking.of(&side.main, event.rsplit('/').next().unwrap()).await, [NINE]);
    let none = json!({ "included": false, "blocks_others": false, "is_blocked": false });
    blocking.choose(side, &side.other, none).await.unwrap();
    blocking.settle().await;
    assert_eq!(blocking.blocks().await, [], "what came of it goes, though it is not read any more");
    let (start, end) = ("2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z");
    let meanwhile = blocking.put(side, Value::Null, (start, end), json!({ "calendar": side.other })).await;
    blocking.choose(side, &side.other, json!({ "blocks_others": true })).await.unwrap();
    blocking.choose(side, &side.main, json!({ "is_blocked": true })).await.unwrap();
    blocking.settle().await;
    assert_eq!(blocking.of(&side.main, meanwhile.rsplit('/').next().unwrap()).await, [start]);
    assert_eq!(blocking.plan().await, json!([]));
}
