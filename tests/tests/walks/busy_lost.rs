//! Blocks whose writes take effect although no answer comes: they stay ours, whatever becomes of their events meanwhile.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::Blocking;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";
const ELEVEN: &str = "2026-12-17T11:00:00Z";
const NOON: &str = "2026-12-17T12:00:00Z";

/// The providers of an account whose events are blocked, and of the one that the blocks lie in.
const PAIRS: [[&str; 2]; 3] =
    [["google-calendar", "microsoft-graph"], ["microsoft-graph", "google-calendar"], ["google-calendar", "caldav"]];

/// An event at ten in the first account, whose block went there from nine without an answer.
async fn moved_without_an_answer(providers: &[&'static str]) -> (Blocking, String) {
    let blocking = Blocking::between(providers).await;
    let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
    let event = blocking.make(source, NINE, TEN).await;
    assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{providers:?}");
    target.bends.set(Bend::Status(503));
    blocking.put(source, json!(event), (TEN, ELEVEN), json!({})).await;
    assert_eq!(blocking.of(&target.main, &event).await, [format!("{TEN} writing")], "{providers:?}");
    (blocking, event)
}

/// The times of that day at which blocks are in the second account.
async fn copies(blocking: &Blocking) -> Vec<String> {
    let mut copies = blocking.copies().await;
    copies.retain(|copy| copy.contains(&blocking.sides[1].connection) && copy.contains(" 2026-12-17"));
    copies.iter().filter_map(|copy| copy.rsplit(' ').next().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_block_that_moves_again_before_its_last_move_is_answered_is_where_its_event_is() {
    for providers in PAIRS {
        let (blocking, event) = moved_without_an_answer(&providers).await;
        let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
        blocking.put(source, json!(event), (ELEVEN, NOON), json!({})).await;
        target.bends.set(Bend::Nothing);
        blocking.hours(3).await;
        assert_eq!(blocking.of(&target.main, &event).await, [ELEVEN], "{providers:?}: {}", blocking.told().await);
        assert_eq!(copies(&blocking).await, [ELEVEN], "{providers:?}");
        blocking.delete(source, &event).await;
        blocking.hours(3).await;
        assert_eq!(copies(&blocking).await, Vec::<String>::new(), "{providers:?}");
    }
}

#[tokio::test]
async fn a_block_whose_event_goes_before_its_last_move_is_answered_goes_as_well() {
    for providers in PAIRS {
        let (blocking, event) = moved_without_an_answer(&providers).await;
        let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
        blocking.delete(source, &event).await;
        target.bends.set(Bend::Nothing);
        blocking.hours(3).await;
        assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new(), "{providers:?}");
        assert_eq!(copies(&blocking).await, Vec::<String>::new(), "{providers:?}: {}", blocking.told().await);
    }
}

#[tokio::test]
async fn a_block_that_comes_back_late_is_not_taken_for_the_one_that_was_removed_before() {
    let blocking = Blocking::between(&["microsoft-graph", "google-calendar"]).await;
    let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
    let event = blocking.make(source, NINE, TEN).await;
    target.control("faults", json!({ "drop": true })).await;
    blocking.edit(source, "event", json!(event), json!({ "showAs": "free" })).await;
    assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new());
    // The block is to come back, and nothing can be written.
    target.control("faults", json!({ "down": true })).await;
    blocking.edit(source, "event", json!(event), json!({ "showAs": "busy" })).await;
    assert_eq!(blocking.of(&target.main, &event).await, [format!("{NINE} writing")]);
    // Its removal is read before it can be written.
    target.control("faults", json!({ "down": false, "drop": false, "lose": "hooktide" })).await;
    let own = json!({ "start": { "dateTime": "2026-12-20T09:00:00Z" }, "end": { "dateTime": "2026-12-20T10:00:00Z" } });
    target.control("edit", json!({ "what": "event", "id": Value::Null, "fields": own })).await;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        target.after(5 * SECOND).await;
    }
    assert_eq!(blocking.of(&target.main, &event).await, [format!("{NINE} writing")]);
    target.control("faults", json!({ "drop": true, "lose": Value::Null })).await;
    blocking.hours(1).await;
    assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{}", blocking.told().await);
    // All events are looked at as they were read last.
    blocking.set(target, json!({ "block_days_ahead": 50 })).await;
    blocking.settle().await;
    assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{}", blocking.told().await);
}

#[tokio::test]
async fn a_block_comes_back_however_often_its_event_is_free_and_busy_again() {
    for providers in PAIRS {
        let blocking = Blocking::between(&providers).await;
        let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
        let event = blocking.make(source, NINE, TEN).await;
        let shown = |is_free: bool| match (source.provider, is_free) {
            ("google-calendar", true) => json!({ "transparency": "transparent" }),
            ("google-calendar", false) => json!({ "transparency": "opaque" }),
            (_, true) => json!({ "showAs": "free" }),
            (_, false) => json!({ "showAs": "busy" }),
        };
        for time in 0..5 {
            blocking.edit(source, "event", json!(event), shown(true)).await;
            assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new(), "{providers:?} {time}");
            blocking.edit(source, "event", json!(event), shown(false)).await;
            blocking.settle().await;
            assert_eq!(
                blocking.of(&target.main, &event).await,
                [NINE],
                "{providers:?} {time}: {}",
                blocking.told().await
            );
        }
        assert_eq!(copies(&blocking).await, [NINE], "{providers:?}");
    }
}
