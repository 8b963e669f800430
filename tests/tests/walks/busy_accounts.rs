//! What becomes of accounts and of calendars that block each other: blocks go where they should, and nothing on doubt.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::{Blocked, Blocking, Side};
use http::Method;
use serde_json::{Value, json};

const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";

/// The blocks that stem from an account's events.
async fn from(blocking: &Blocking, side: &Side) -> Vec<Blocked> {
    let blocks = blocking.blocks().await.into_iter();
    blocks.filter(|one| one.source.starts_with(&side.connection)).collect()
}

/// Deletes a connection.
async fn delete(blocking: &Blocking, side: &Side) {
    let (world, path) = (blocking.world(), format!("/v1/connections/{}", side.connection));
    let answer = world.call(&world.operator, Method::DELETE, &path, None).await;
    assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
}

/// Lets minutes pass: the credentials of a connection that is deleted are kept for an hour.
async fn soon(blocking: &Blocking) {
    for _ in 0..6 {
        blocking.settle().await;
    }
}

/// How many blocks of ours a server of CalDAV or of Microsoft has.
async fn at_provider(side: &Side) -> usize {
    let calendars = side.state().await["account"]["calendars"].clone();
    let key = if side.provider == "caldav" { "UID:hooktide" } else { "\"transactionId\":\"hooktide" };
    calendars.to_string().matches(key).count()
}

#[tokio::test]
async fn a_calendar_that_disappears_takes_its_blocks_along_and_those_in_it_are_forgotten() {
    for provider in ["google-calendar", "microsoft-graph"] {
        let blocking = Blocking::within(provider).await;
        let side = &blocking.sides[0];
        let event = blocking.put(side, Value::Null, (NINE, TEN), json!({ "calendar": side.other })).await;
        let event = event.rsplit('/').next().unwrap().to_owned();
        assert_eq!(blocking.of(&side.main, &event).await, [NINE], "{provider}");
        assert!(blocking.blocks().await.iter().any(|one| one.calendar == side.other));
        blocking.edit(side, "calendar", json!(side.other), Value::Null).await;
        blocking.hours(30).await;
        assert_eq!(blocking.blocks().await, [], "{provider}: {}", blocking.told().await);
        assert_eq!(blocking.plan().await, json!([]), "{provider}");
        assert_eq!(blocking.copies().await, Vec::<String>::new(), "{provider}");
    }
}

#[tokio::test]
async fn a_list_of_changes_that_never_ends_is_given_up_and_no_block_goes() {
    let blocking = Blocking::between(&["microsoft-graph", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(source, NINE, TEN).await;
    let before = from(&blocking, source).await;
    source.bends.set(Bend::NeverDone);
    blocking.hours(6).await;
    assert_eq!(from(&blocking, source).await, before);
    let state = blocking.world().get(&format!("/v1/connections/{}/sync", source.connection)).await.expect(200);
    let failing = |one: &Value| one["failing_since"].is_string();
    assert!(state["resources"].as_array().unwrap().iter().any(failing), "{state:#}");
    source.bends.set(Bend::Nothing);
    blocking.delete(source, &event).await;
    blocking.hours(3).await;
    assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new(), "{}", blocking.told().await);
}

/// Lets Microsoft say something of all subscriptions of an account.
async fn say(blocking: &Blocking, side: &Side, fields: Value) {
    let state = side.state().await;
    for one in state["account"]["subscriptions"].as_array().cloned().unwrap_or_default() {
        side.control("edit", json!({ "what": "subscription", "id": one["id"], "fields": fields })).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    blocking.settle().await;
}

/// The blocks of an event that was made while nothing was told, after Microsoft says this.
async fn told(lifecycle: Value) {
    let blocking = Blocking::between(&["microsoft-graph", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    source.control("faults", json!({ "drop": true })).await;
    let event = blocking.make(source, NINE, TEN).await;
    assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new(), "nobody heard of it");
    source.control("faults", json!({ "drop": false })).await;
    say(&blocking, source, lifecycle.clone()).await;
    blocking.settle().await;
    let next = blocking.make(source, "2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z").await;
    assert_eq!(blocking.of(&target.main, &next).await, ["2026-12-18T09:00:00Z"], "{lifecycle}: it is heard again");
    assert_eq!(blocking.of(&target.main, &event).await, [NINE], "{lifecycle}");
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn after_missed_notifications_everything_is_blocked() {
    told(json!({ "lifecycle": "missed" })).await;
}

#[tokio::test]
async fn after_a_subscription_was_removed_everything_is_blocked() {
    told(Value::Null).await;
}

#[tokio::test]
async fn after_a_subscription_had_to_be_authorised_again_everything_is_blocked() {
    told(json!({ "lifecycle": "reauthorizationRequired" })).await;
}

#[tokio::test]
async fn disconnecting_removes_the_blocks_on_both_sides() {
    for providers in [["microsoft-graph", "caldav"], ["caldav", "microsoft-graph"], ["google-calendar", "caldav"]] {
        let blocking = Blocking::between(&providers).await;
        let (left, stays) = (&blocking.sides[0], &blocking.sides[1]);
        assert!(!from(&blocking, left).await.is_empty() && !from(&blocking, stays).await.is_empty());
        delete(&blocking, left).await;
        soon(&blocking).await;
        blocking.hours(3).await;
        assert_eq!(blocking.blocks().await, [], "{providers:?}: {}", blocking.told().await);
        for side in [left, stays].into_iter().filter(|side| side.provider != "google-calendar") {
            assert_eq!(at_provider(side).await, 0, "{providers:?}: {} {}", side.provider, blocking.told().await);
        }
        assert_eq!(blocking.plan().await, json!([]));
    }
}

#[tokio::test]
async fn removal_with_refused_credentials_says_what_is_left_and_goes_on_once_they_are_good() {
    for providers in [["google-calendar", "caldav"], ["google-calendar", "microsoft-graph"]] {
        let blocking = Blocking::between(&providers).await;
        let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
        let there = at_provider(target).await;
        assert!(there > 3);
        target.bends.set(Bend::Status(401));
        blocking.remove(source).await;
        blocking.hours(3).await;
        let left = from(&blocking, source).await;
        assert_eq!(left.len(), there, "{providers:?}");
        // The refusal of one may have come too late to keep it there.
        assert!(at_provider(target).await >= there - 1, "{providers:?}");
        assert!(left.iter().all(|one| one.state == "removing"), "{left:#?}");
        assert!(blocking.told().await.contains("blocks wait"), "{providers:?}: {}", blocking.told().await);
        target.bends.set(Bend::Nothing);
        blocking.hours(30).await;
        assert_eq!(
            (from(&blocking, source).await.len(), at_provider(target).await),
            (0, 0),
            "{providers:?}: {}",
            blocking.told().await
        );
    }
}

#[tokio::test]
async fn disconnecting_with_refused_credentials_ends_and_says_what_is_left() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let (gone, stays) = (&blocking.sides[0], &blocking.sides[1]);
    let there = at_provider(gone).await;
    assert!(there > 3);
    gone.bends.set(Bend::Status(401));
    blocking.settle().await;
    delete(&blocking, gone).await;
    blocking.hours(4).await;
    assert_eq!(blocking.blocks().await, [], "nothing is known of them, and those at Google are gone");
    assert_eq!(at_provider(gone).await, there, "nobody can remove them");
    let told = blocking.told().await;
    assert!(told.contains("blocks"), "{told}");
    assert!(told.contains(&format!("{there} blocks")), "{told}");
    assert_eq!(blocking.plan().await, json!([]));
    // The other one goes on.
    let event = blocking.make(stays, NINE, TEN).await;
    assert!(!event.is_empty());
    assert_eq!(blocking.blocks().await, []);
}

#[tokio::test]
async fn a_connection_that_is_deleted_while_its_blocks_are_written_leaves_none_behind() {
    for (gone, other) in [(1, 0), (0, 1)] {
        let blocking = Blocking::apart(&["google-calendar", "caldav"]).await;
        for side in &blocking.sides {
            let choice = json!({ "blocks_others": true, "is_blocked": true });
            blocking.choose(side, &side.main, choice).await.unwrap();
        }
        let target = &blocking.sides[1];
        // Each write takes effect, and its answer is lost.
        target.control("faults", json!({ "lose": ".ics" })).await;
        blocking.settle().await;
        assert!(at_provider(target).await > 0, "some were written");
        let states: Vec<String> = blocking.blocks().await.into_iter().map(|one| one.state).collect();
        assert!(states.iter().any(|state| state == "writing"), "{states:?}");
        delete(&blocking, &blocking.sides[gone]).await;
        target.control("faults", json!({ "lose": null })).await;
        soon(&blocking).await;
        blocking.hours(3).await;
        assert_eq!(at_provider(target).await, 0, "{gone}: {}", blocking.told().await);
        assert_eq!(blocking.blocks().await, [], "{gone}");
        let copies = blocking.copies().await;
        assert!(copies.iter().all(|copy| !copy.contains(&blocking.sides[other].main)), "{copies:?}");
    }
}

#[tokio::test]
async fn blocks_of_a_source_that_ends_while_the_target_is_down_go_later_and_the_others_stay() {
    let blocking = Blocking::between(&["google-calendar", "ics", "caldav"]).await;
    let [stays, ends, target] = &blocking.sides[..] else { panic!("three") };
    let kept = from(&blocking, stays).await;
    assert!(!from(&blocking, ends).await.is_empty());
    target.bends.set(Bend::Status(503));
    delete(&blocking, ends).await;
    blocking.hours(1).await;
    target.bends.set(Bend::Nothing);
    blocking.hours(3).await;
    assert_eq!(from(&blocking, ends).await, [], "{}", blocking.told().await);
    let after = from(&blocking, stays).await;
    assert!(kept.iter().all(|one| after.contains(one)), "{kept:#?} {after:#?}");
    assert_eq!(blocking.plan().await, json!([]));
    assert_eq!(at_provider(target).await, after.iter().filter(|one| one.calendar == target.main).count());
}

#[tokio::test]
async fn blocks_in_a_ring_of_three_providers_make_no_blocks() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph", "caldav"]).await;
    for (at, side) in blocking.sides.iter().enumerate() {
        let (start, end) = (format!("2026-12-{}T09:00:00Z", 15 + at), format!("2026-12-{}T10:00:00Z", 15 + at));
        let event = blocking.make(side, &start, &end).await;
        for other in blocking.sides.iter().filter(|other| other.provider != side.provider) {
            assert_eq!(
                blocking.of(&other.main, &event).await,
                [start.as_str()],
                "{} to {}",
                side.provider,
                other.provider
            );
        }
    }
    let mut before = Vec::new();
    for side in &blocking.sides {
        before.push(blocking.writes(side).await);
    }
    let blocks = blocking.blocks().await;
    blocking.hours(50).await;
    for (side, before) in blocking.sides.iter().zip(before) {
        let later = blocking.writes(side).await;
        // The window moves on by two days.
        assert!(later <= before + 8, "{}: {before} {later}", side.provider);
    }
    let after = blocking.blocks().await;
    assert!(blocks.iter().all(|one| after.contains(one)), "{blocks:#?} {after:#?}");
    assert_eq!(blocking.plan().await, json!([]));
    for side in &blocking.sides {
        blocking.remove(side).await;
    }
    blocking.hours(26).await;
    assert_eq!(blocking.blocks().await, []);
    assert_eq!(blocking.copies().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_calendar_that_cannot_be_written_holds_up_no_other() {
    let blocking = Blocking::within("google-calendar").await;
    let side = &blocking.sides[0];
    let event = blocking.make(side, NINE, TEN).await;
    assert_eq!(blocking.of(&side.other, &event).await, [NINE]);
    // The calendar is somebody else's, who lets it be read from now on.
    blocking.edit(side, "calendar", json!(side.other), json!({ "accessRole": "reader" })).await;
    let third = blocking.edit(side, "calendar", Value::Null, json!({ "summary": "Third" })).await;
    blocking.settle().await;
    blocking.choose(side, &third, json!({ "is_blocked": true })).await.unwrap();
    blocking.settle().await;
    let next = blocking.make(side, "2026-12-18T09:00:00Z", "2026-12-18T10:00:00Z").await;
    blocking.hours(2).await;
    assert_eq!(blocking.of(&third, &event).await, [NINE], "{}", blocking.told().await);
    assert_eq!(blocking.of(&third, &next).await, ["2026-12-18T09:00:00Z"], "{}", blocking.told().await);
    let refused = blocking.blocks().await.into_iter().find(|one| one.calendar == side.other && one.stems_from(&next));
    assert_eq!(refused.map(|one| (one.state, one.reason.is_empty())), Some(("left".to_owned(), false)));
}

#[tokio::test]
async fn a_block_is_moved_and_removed_where_a_server_does_not_say_how_a_write_left_it() {
    let blocking = Blocking::between(&["google-calendar", "caldav"]).await;
    let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
    let before = at_provider(target).await;
    let event = blocking.make(source, NINE, TEN).await;
    blocking.put(source, json!(event), (TEN, "2026-12-17T11:00:00Z"), json!({})).await;
    let block = from(&blocking, source).await.into_iter().find(|one| one.stems_from(&event)).unwrap();
    assert_eq!((block.start.as_str(), block.state.as_str()), (TEN, "there"), "{}", block.reason);
    assert_eq!(at_provider(target).await, before + 1);
    blocking.delete(source, &event).await;
    assert_eq!(at_provider(target).await, before, "{}", blocking.told().await);
}
