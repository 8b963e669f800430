//! Calendars that nobody wants to be read: they are neither read nor watched, until somebody does.

use hooktide_tests::blocking::{Blocking, Side};
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
