//! What people do with blocks: one that somebody deletes or moves is theirs, unless it is to be restored.

use hooktide_tests::blocking::{Blocking, Side};
use serde_json::{Value, json};

const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";
const NOON: &str = "2026-12-17T12:00:00Z";
const ONE: &str = "2026-12-17T13:00:00Z";

/// The providers of an account whose events are blocked, and of the one that the blocks lie in.
const PAIRS: [[&str; 2]; 3] =
    [["google-calendar", "microsoft-graph"], ["microsoft-graph", "google-calendar"], ["google-calendar", "caldav"]];

/// An event at nine in the main calendar of the first account, whose block lies in that of the second one; its id, and the
/// block's as edits have it.
async fn blocked(blocking: &Blocking) -> (String, String) {
    let event = blocking.make(&blocking.sides[0], NINE, TEN).await;
    let target = &blocking.sides[1];
    assert_eq!(blocking.of(&target.main, &event).await, [NINE]);
    // Where nothing rings, it comes home with the next poll.
    blocking.hours(1).await;
    (block_of(blocking, target, &event).await, event)
}

/// The id of the block of an event, as edits have it.
async fn block_of(blocking: &Blocking, target: &Side, event: &str) -> String {
    let blocks = blocking.blocks().await;
    let block = blocks.iter().find(|one| one.calendar == target.main && one.stems_from(event)).unwrap();
    hooktide_model::part::entity_id(&target.main, &block.provider_id)
}

#[tokio::test]
async fn a_block_that_somebody_deleted_before_it_came_home_is_found_to_be_gone_in_the_next_night() {
    let blocking = Blocking::between(&["google-calendar", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(source, NINE, TEN).await;
    let block = block_of(&blocking, target, &event).await;
    blocking.delete(target, &block).await;
    blocking.hours(48).await;
    assert_eq!(blocking.of(&target.main, &event).await, [format!("{NINE} left")], "{}", blocking.told().await);
}

/// How many blocks of that day there are at the providers.
async fn copies(blocking: &Blocking) -> usize {
    blocking.copies().await.iter().filter(|copy| copy.contains(" 2026-12-17")).count()
}

#[tokio::test]
async fn a_block_that_somebody_deleted_stays_away_until_its_event_moves() {
    for providers in PAIRS {
        let blocking = Blocking::between(&providers).await;
        let (block, event) = blocked(&blocking).await;
        let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
        blocking.delete(target, &block).await;
        assert_eq!(blocking.of(&target.main, &event).await, [format!("{NINE} left")], "{providers:?}");
        assert!(blocking.told().await.contains("somebody deleted the block"), "{providers:?}");
        let named = if source.provider == "google-calendar" { "summary" } else { "subject" };
        blocking.edit(source, "event", json!(event), json!({ named: "Another title" })).await;
        blocking.hours(26).await;
        assert_eq!(blocking.of(&target.main, &event).await, [format!("{NINE} left")], "{providers:?}");
        assert_eq!(blocking.plan().await, json!([]));
        blocking.put(source, json!(event), (NOON, ONE), json!({})).await;
        assert_eq!(blocking.of(&target.main, &event).await, [NOON], "{providers:?}: it moved, and is blocked anew");
        blocking.delete(source, &event).await;
        assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_block_that_somebody_moved_is_left_where_it_is_also_when_its_event_moves_and_ends() {
    for providers in PAIRS {
        let blocking = Blocking::between(&providers).await;
        let (block, event) = blocked(&blocking).await;
        let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
        blocking.put(target, json!(block), (NOON, ONE), json!({})).await;
        let blocks = blocking.blocks().await;
        let own = blocks.iter().find(|one| one.stems_from(&event)).unwrap();
        assert_eq!(own.state, "left", "{providers:?}: {own:?}");
        assert!(own.reason.contains("somebody changed the block"), "{own:?}");
        let writes = blocking.writes(target).await;
        blocking.put(source, json!(event), ("2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z"), json!({})).await;
        blocking.delete(source, &event).await;
        blocking.hours(26).await;
        assert_eq!(blocking.writes(target).await, writes, "{providers:?}");
        assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new(), "nothing is known of it any more");
        assert!(
            blocking.copies().await.iter().any(|entity| entity.contains(block.rsplit('/').next().unwrap())),
            "{block}"
        );
    }
}

#[tokio::test]
async fn where_blocks_are_restored_one_that_somebody_deleted_or_moved_is_as_it_was() {
    for providers in PAIRS {
        let blocking = Blocking::between(&providers).await;
        let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
        blocking.set(target, json!({ "block_restore": true })).await;
        let (block, event) = blocked(&blocking).await;
        blocking.put(target, json!(block), (NOON, ONE), json!({})).await;
        assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{providers:?}: {}", blocking.told().await);
        blocking.delete(target, &block_of(&blocking, target, &event).await).await;
        assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{providers:?}: {}", blocking.told().await);
        blocking.hours(26).await;
        assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{providers:?}");
        assert_eq!((copies(&blocking).await, blocking.plan().await), (1, json!([])), "{providers:?}");
        blocking.delete(source, &event).await;
        blocking.hours(26).await;
        assert_eq!(copies(&blocking).await, 0, "{providers:?}: it is gone as well");
    }
}

#[tokio::test]
async fn where_a_person_and_an_event_move_a_block_at_once_the_person_has_it() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (block, event) = blocked(&blocking).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let moved = json!({ "start": { "dateTime": "2026-12-17T15:00:00", "timeZone": "UTC" },
        "end": { "dateTime": "2026-12-17T16:00:00", "timeZone": "UTC" } });
    target.control("edit", json!({ "what": "event", "id": block, "fields": moved })).await;
    let own = json!({ "start": { "dateTime": NOON }, "end": { "dateTime": ONE } });
    blocking.edit(source, "event", json!(event), own).await;
    let blocks = blocking.blocks().await;
    let own: Vec<_> = blocks.iter().filter(|one| one.stems_from(&event)).collect();
    assert_eq!((own.len(), own[0].state.as_str()), (1, "left"), "{own:#?}");
    assert!(blocking.told().await.contains("left alone"));
    let writes = blocking.writes(target).await;
    blocking.hours(26).await;
    assert_eq!(blocking.writes(target).await, writes, "it is theirs");
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn two_people_who_edit_a_block_at_once_are_one_person_who_changed_it() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (block, event) = blocked(&blocking).await;
    let target = &blocking.sides[1];
    for hour in [15, 16] {
        let moved = json!({ "start": { "dateTime": format!("2026-12-17T{hour}:00:00"), "timeZone": "UTC" },
            "end": { "dateTime": format!("2026-12-17T{hour}:30:00"), "timeZone": "UTC" } });
        target.control("edit", json!({ "what": "event", "id": block, "fields": moved })).await;
    }
    blocking.settle().await;
    blocking.settle().await;
    let blocks = blocking.blocks().await;
    let own: Vec<_> = blocks.iter().filter(|one| one.stems_from(&event)).collect();
    assert_eq!((own.len(), own[0].state.as_str()), (1, "left"), "{own:#?}");
    let said = blocking.told().await.matches("somebody changed the block").count();
    assert_eq!(said, 1, "it is said once");
}

#[tokio::test]
async fn a_copy_of_an_event_is_blocked_and_a_copy_of_a_block_blocks_nothing_and_is_left_alone() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(source, NINE, TEN).await;
    let copy = blocking.make(source, NINE, TEN).await;
    for event in [&event, &copy] {
        assert_eq!(blocking.of(&target.main, event).await, [NINE]);
    }
    // The other way round, the block lies at Google, where a copy keeps its mark.
    let event = blocking.make(target, NOON, ONE).await;
    let block = block_of(&blocking, source, &event).await;
    let key = block.rsplit('/').next().unwrap();
    let mark = json!({ "summary": "Busy", "extendedProperties": { "private": { "hooktide": key } } });
    let (blocks, writes) = (blocking.blocks().await.len(), blocking.writes(target).await);
    blocking.put(source, Value::Null, ("2026-12-17T14:00:00Z", "2026-12-17T15:00:00Z"), mark).await;
    blocking.hours(26).await;
    assert_eq!((blocking.blocks().await.len(), blocking.writes(target).await), (blocks, writes));
    assert_eq!(blocking.of(&source.main, &event).await, [NOON], "the block itself is as it was");
    blocking.delete(target, &event).await;
    assert_eq!(blocking.of(&source.main, &event).await, Vec::<String>::new());
    let left: Vec<String> = blocking.copies().await.into_iter().filter(|copy| copy.ends_with(NOON)).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_block_of_a_deleted_event_that_is_restored_comes_back_although_its_id_is_taken() {
    let blocking = Blocking::within("google-calendar").await;
    let side = &blocking.sides[0];
    let event = blocking.make(side, NINE, TEN).await;
    assert_eq!(blocking.of(&side.other, &event).await, [NINE]);
    let first = blocking.blocks().await.into_iter().find(|one| one.stems_from(&event)).unwrap();
    blocking.delete(side, &event).await;
    assert_eq!(blocking.of(&side.other, &event).await, Vec::<String>::new());
    let status = json!({ "status": "confirmed" });
    blocking.edit(side, "event", json!(event), status.clone()).await;
    let again = blocking.blocks().await.into_iter().find(|one| one.stems_from(&event)).unwrap();
    assert_eq!((again.start.as_str(), again.state.as_str()), (NINE, "there"), "{again:?}");
    assert_eq!(first.provider_id, again.provider_id);
    // Nothing is left of the block but its id, which stays taken.
    blocking.edit(side, "event", json!(event), json!({ "transparency": "transparent" })).await;
    assert_eq!(blocking.of(&side.other, &event).await, Vec::<String>::new());
    blocking.edit(side, "bin", Value::Null, Value::Null).await;
    blocking.edit(side, "event", json!(event), json!({ "transparency": "opaque" })).await;
    blocking.settle().await;
    let anew = blocking.blocks().await.into_iter().find(|one| one.stems_from(&event)).unwrap();
    assert_eq!((anew.start.as_str(), anew.state.as_str()), (NINE, "there"), "{anew:?} {}", blocking.told().await);
    assert_ne!(anew.provider_id, again.provider_id);
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn a_listing_of_the_target_that_is_empty_for_once_makes_nothing_double() {
    use hooktide_tests::bent::Bend;
    let blocking = Blocking::between(&["microsoft-graph", "google-calendar"]).await;
    let target = &blocking.sides[1];
    for hour in 10..18 {
        blocking
            .make(&blocking.sides[0], &format!("2026-12-17T{hour}:00:00Z"), &format!("2026-12-17T{hour}:30:00Z"))
            .await;
    }
    let before = blocking.blocks().await;
    assert!(before.iter().all(|one| one.state == "there"), "{before:#?}");
    let writes = blocking.writes(target).await;
    blocking.hours(16).await;
    // All of the night's listings.
    target.bends.set(Bend::Text(r#"{"kind":"calendar#events","items":[],"nextSyncToken":"s"}"#));
    for _ in 0..6 {
        target.after(std::time::Duration::from_secs(3600)).await;
    }
    target.bends.set(Bend::Nothing);
    blocking.hours(26).await;
    assert_eq!(blocking.blocks().await, before, "{}", blocking.told().await);
    assert_eq!(blocking.writes(target).await, writes);
}
