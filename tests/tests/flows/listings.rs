//! The end of a listing: whatever fails, is cut off, lost or limited there, it comes to its end, and to none too early.

use std::time::Duration;

use futures::TryStreamExt;
use hooktide_tests::faults::{How, Plan, Until, Which};
use hooktide_tests::provided::Provided;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::json;

const SECOND: Duration = Duration::from_secs(1);
/// The rest of a minute, of which [`Provided::after`] takes twelve seconds by itself.
const MINUTE: Duration = Duration::from_secs(48);
/// Longer than it takes until a run that was cut off is taken up again.
const AGAIN: Duration = Duration::from_secs(900);
/// More than the record of a resource has room for, so that a listing has notes.
const MANY: usize = 520;
/// Every how many calls one fails or is cut off.
const STRIDE: usize = 7;

/// A catalog with so many items more; returns their ids as well.
async fn with_items(count: usize, rate: Option<u32>) -> (Provided, Vec<String>) {
    let settings = rate.map_or(json!({}), |rate| json!({ "rate_per_minute": rate }));
    let provided = Provided::with("square", settings).await;
    let make = |number| provided.account.edit_one("product", None, Some(json!({ "name": format!("Tea {number}") })));
    let ids = (0..count).map(make).collect();
    provided.run(json!({ "full": true })).await;
    for _ in 0..10 {
        provided.after(MINUTE).await;
    }
    (provided, ids)
}

/// Whether the deletion of an item is known.
async fn is_gone(provided: &Provided, id: &str) -> bool {
    let changes = provided.faulty.world.changes().await;
    let of = |change: &&serde_json::Value| change["entity"].as_str().is_some_and(|entity| entity.ends_with(id));
    changes.iter().rfind(of).is_some_and(|change| change["op"] == "deleted")
}

/// The paths of all notes of listings.
async fn notes(provided: &Provided) -> Vec<Path> {
    let blobs = &provided.faulty.world.host.ports.blobs;
    blobs.list(Some(&Path::from("seen"))).map_ok(|found| found.location).try_collect().await.expect("a list")
}

#[tokio::test]
async fn a_long_listing_whose_end_fails_or_is_cut_off_anywhere_is_taken_up_again() {
    let (provided, mut ids) = with_items(MANY, None).await;
    let faults = &provided.faulty.faults;
    for (until, how, least) in [(Until::Before, How::Retryable, 60), (Until::After, How::Crash, 10)] {
        for call in (0..).step_by(STRIDE) {
            let gone = ids.pop().expect("an item that is still there");
            provided.account.edit_one("product", Some(&gone), None);
            // The deletion is not among the changes that a poll finds meanwhile.
            provided.run(json!({ "full": true })).await;
            let begun = provided.faulty.world.now();
            faults.arm(Plan { which: Which::Nth(call), until, how });
            drop(faults.run(provided.faulty.world.host.tick()).await);
            let struck = faults.disarm();
            provided.after(AGAIN).await;
            let (resource, case) = (provided.resource("catalog").await, format!("call {call}: {until:?}, {how:?}"));
            assert_eq!((resource.reading, resource.failures), (None, 0), "{case}: {:#?}", provided.told().await);
            assert!(resource.full_at >= Some(begun), "{case}: {:?}", resource.full_at);
            assert!(is_gone(&provided, &gone).await, "{case}");
            if struck == 0 {
                assert!(call > least, "a listing makes more than {call} calls");
                break;
            }
        }
    }
    let left = notes(&provided).await;
    provided.run(json!({ "full": true })).await;
    provided.after(SECOND).await;
    assert_eq!(notes(&provided).await, left, "an end that nothing disturbs takes its notes along");
}

#[tokio::test]
async fn a_listing_whose_notes_are_lost_begins_anew_and_says_so() {
    let (provided, ids) = with_items(MANY, Some(6)).await;
    let gone = &ids[0];
    provided.account.edit_one("product", Some(gone), None);
    provided.run(json!({ "full": true })).await;
    for _ in 0..60 {
        if !notes(&provided).await.is_empty() {
            break;
        }
        provided.faulty.world.after(5 * SECOND).await;
    }
    assert!(provided.resource("catalog").await.reading.is_some(), "it is not compared yet");
    for path in notes(&provided).await {
        provided.faulty.world.host.ports.blobs.delete(&path).await.expect("a note that is deleted");
    }
    for _ in 0..20 {
        provided.after(MINUTE).await;
    }
    assert_eq!(provided.tells("no longer kept, so it begins anew; failing since").await, 1);
    let resource = provided.resource("catalog").await;
    assert_eq!((resource.reading, resource.failures), (None, 0), "{:#?}", provided.told().await);
    assert!(is_gone(&provided, gone).await);
}

#[tokio::test]
async fn a_listing_that_lacks_twenty_items_ends_at_any_rate_and_asks_for_each_once() {
    for rate in [6, 60] {
        let (provided, ids) = with_items(60, Some(rate)).await;
        let asked = provided.account.calls("catalog/object");
        for gone in &ids[..20] {
            provided.account.edit_one("product", Some(gone), None);
        }
        provided.run(json!({ "full": true, "resource": "catalog" })).await;
        for _ in 0..30 {
            provided.after(MINUTE).await;
        }
        let told = provided.told().await;
        let resource = provided.resource("catalog").await;
        assert_eq!((resource.reading, resource.failures), (None, 0), "{rate}: {told:#?}");
        assert_eq!(provided.account.calls("catalog/object") - asked, 20, "{rate}: {told:#?}");
        for (number, id) in ids.iter().enumerate() {
            assert_eq!(is_gone(&provided, id).await, number < 20, "{rate}: {number}");
        }
        assert_eq!(provided.tells(": 20 changes, ").await, 1, "{rate}: {told:#?}");
    }
}

#[tokio::test]
async fn a_cursor_that_has_expired_is_left_behind_at_any_rate() {
    for rate in [6, 60] {
        let provided = Provided::with("google-calendar", json!({ "rate_per_minute": rate })).await;
        for _ in 0..15 {
            provided.after(MINUTE).await;
        }
        let before = provided.tells("full sync of calendar/").await;
        assert!(before > 0, "{:#?}", provided.told().await);
        provided.account.edit("tokens", None);
        provided.run(json!({})).await;
        for _ in 0..15 {
            provided.after(MINUTE).await;
        }
        let told = provided.told().await;
        assert_eq!(provided.tells("full sync of calendar/").await, 2 * before, "{rate}: {told:#?}");
    }
}
