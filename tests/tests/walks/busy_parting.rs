//! Deleting a connection whose blocks are many: the request notes that they go, and a job lets them go, some in each run.

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::{Blocked, Blocking, Side};
use http::Method;
use serde_json::{Value, json};

/// Accounts of Google and of a CalDAV server, where each day of the next weeks is blocked because of one event: the blocks are
/// there, or are still to be written.
async fn many(are_written: bool) -> Blocking {
    let blocking = Blocking::apart(&["google-calendar", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    blocking.set(target, json!({ "rate_per_minute": 60_000 })).await;
    if !are_written {
        target.bends.set(Bend::Status(503));
    }
    blocking.choose(source, &source.main, json!({ "blocks_others": true })).await.unwrap();
    blocking.choose(target, &target.main, json!({ "is_blocked": true })).await.unwrap();
    let at = |time: &str| json!({ "dateTime": format!("2026-11-01T{time}Z"), "timeZone": "UTC" });
    let fields = json!({ "start": at("00:00:00"), "end": at("01:00:00"), "recurrence": ["RRULE:FREQ=DAILY"] });
    blocking.edit(source, "event", Value::Null, fields).await;
    blocking.settle().await;
    let blocks = blocking.blocks().await;
    assert!(blocks.len() > 60, "{blocks:#?}");
    blocking
}

async fn delete(blocking: &Blocking, side: &Side) {
    let (world, path) = (blocking.world(), format!("/v1/connections/{}", side.connection));
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
}

/// Lets minutes pass: the credentials of a connection that is deleted are kept for an hour.
async fn soon(blocking: &Blocking) {
    for _ in 0..6 {
        blocking.settle().await;
    }
}

/// How many blocks are in a state.
fn are(blocks: &[Blocked], state: &str) -> usize {
    blocks.iter().filter(|one| one.state == state).count()
}

#[tokio::test]
async fn the_request_changes_no_block_and_runs_that_have_hardly_any_time_let_all_of_them_go() {
    for gone in [0, 1] {
        let blocking = many(true).await;
        let before = blocking.blocks().await;
        assert_eq!(are(&before, "there"), before.len(), "{before:#?}");
        delete(&blocking, &blocking.sides[gone]).await;
        assert_eq!(blocking.blocks().await, before, "the request is over");
        let runs = blocking.hurry().await;
        assert!(runs >= before.len() / 25, "{gone}: {runs}");
        let after = blocking.blocks().await;
        assert_eq!(are(&after, "removing"), before.len(), "{gone}: {after:#?}");
        soon(&blocking).await;
        blocking.hours(3).await;
        assert_eq!(blocking.blocks().await, [], "{gone}: {}", blocking.told().await);
        let calendars = blocking.sides[1].state().await["account"]["calendars"].to_string();
        assert!(!calendars.contains("UID:hooktide"), "{gone}");
    }
}

#[tokio::test]
async fn blocks_that_were_never_sent_go_at_once_while_their_provider_is_down() {
    for gone in [0, 1] {
        let blocking = many(false).await;
        let before = blocking.blocks().await;
        assert!(are(&before, "wanted") > 50, "{before:#?}");
        delete(&blocking, &blocking.sides[gone]).await;
        blocking.settle().await;
        let after = blocking.blocks().await;
        // What was sent may be there.
        assert!(after.len() < 5 && are(&after, "removing") == after.len(), "{gone}: {after:#?}");
        blocking.sides[1].bends.set(Bend::Nothing);
        soon(&blocking).await;
        blocking.hours(3).await;
        assert_eq!(blocking.blocks().await, [], "{gone}: {}", blocking.told().await);
    }
}
