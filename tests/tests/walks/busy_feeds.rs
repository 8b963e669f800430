//! Feeds that are no feeds for a while: their blocks stay, that is said, and where it lasts the connection is degraded.

use std::time::Duration;

use hooktide_tests::bent::Bend;
use hooktide_tests::blocking::Blocking;
use serde_json::{Value, json};

/// Longer than any time between two polls of a feed.
const POLL: Duration = Duration::from_secs(11 * 60);

/// What becomes of the blocks of a feed that is bent like this for so many hours.
async fn bent(habit: &str, hours: u32) -> Blocking {
    let blocking = Blocking::between(&["ics", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let before: Vec<_> = blocking.blocks().await.into_iter().filter(|one| one.calendar == target.main).collect();
    assert!(before.len() > 3 && before.iter().all(|one| one.state == "there"), "{before:#?}");
    let writes = blocking.writes(target).await;
    for name in ["no-etag", "no-date", habit] {
        source.control("edit", json!({ "what": "habit", "id": name, "fields": {} })).await;
    }
    blocking.hours(hours).await;
    let during: Vec<_> = blocking.blocks().await.into_iter().filter(|one| one.calendar == target.main).collect();
    assert_eq!(during, before, "{habit}: {}", blocking.told().await);
    source.control("edit", json!({ "what": "habit", "id": habit })).await;
    blocking.hours(2).await;
    let after: Vec<_> = blocking.blocks().await.into_iter().filter(|one| one.calendar == target.main).collect();
    assert_eq!((after, blocking.writes(target).await), (before, writes), "{habit}: the next good poll writes nothing");
    blocking
}

/// Whether the connection of the feed looks degraded.
async fn state(blocking: &Blocking) -> Value {
    let path = format!("/v1/connections/{}/sync", blocking.sides[0].connection);
    blocking.world().get(&path).await.expect(200)
}

#[tokio::test]
async fn a_feed_that_is_a_page_keeps_its_blocks() {
    let told = bent("html", 3).await.told().await;
    assert!(told.contains("BEGIN:VCALENDAR"), "{told}");
}

#[tokio::test]
async fn a_feed_of_thirty_megabytes_keeps_its_blocks() {
    let told = bent("huge", 2).await.told().await;
    assert!(told.contains("too large") || told.contains("larger") || told.contains("longer"), "{told}");
}

#[tokio::test]
async fn a_feed_that_is_cut_in_half_keeps_its_blocks() {
    let told = bent("cut", 3).await.told().await;
    assert!(told.contains("cut off"), "{told}");
}

#[tokio::test]
async fn a_feed_that_is_empty_for_one_poll_keeps_its_blocks() {
    let told = bent("no-events", 1).await.told().await;
    assert!(told.contains("less than half"), "{told}");
    let told = bent("empty", 1).await.told().await;
    assert!(told.contains("is empty"), "{told}");
}

#[tokio::test]
async fn a_feed_that_fails_for_days_is_said_to_fail_and_keeps_its_blocks() {
    let blocking = Blocking::between(&["ics", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let before: Vec<_> = blocking.blocks().await.into_iter().filter(|one| one.source.contains("@feeds")).collect();
    for bend in [Bend::Status(403), Bend::Instead(500, "<html>Sorry</html>"), Bend::Html] {
        source.bends.set(bend);
        blocking.hours(30).await;
        let during: Vec<_> = blocking.blocks().await.into_iter().filter(|one| one.source.contains("@feeds")).collect();
        assert!(!during.is_empty() && during.iter().all(|one| one.calendar == target.main && one.state == "there"));
        assert!(before.iter().all(|one| during.contains(one)), "{bend:?}");
        let state = state(&blocking).await;
        let failing = |one: &Value| one["failing_since"].is_string();
        assert!(state["resources"].as_array().unwrap().iter().any(failing), "{bend:?}: {state:#}");
    }
    source.bends.set(Bend::Nothing);
    blocking.hours(3).await;
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn a_feed_that_is_empty_for_some_polls_keeps_its_blocks_and_what_people_did_with_them() {
    let blocking = Blocking::between(&["ics", "google-calendar"]).await;
    let [source, target] = [&blocking.sides[0], &blocking.sides[1]];
    let of_feed =
        async || -> Vec<_> { blocking.blocks().await.into_iter().filter(|one| one.calendar == target.main).collect() };
    let block = of_feed().await.into_iter().find(|one| one.start > blocking.world().now().to_string()).unwrap();
    blocking.delete(target, &hooktide_model::part::entity_id(&target.main, &block.provider_id)).await;
    let before = of_feed().await;
    assert!(before.len() > 3 && before.iter().any(|one| one.state == "left"), "{before:#?}");
    source.control("edit", json!({ "what": "habit", "id": "no-events", "fields": {} })).await;
    for _ in 0..6 {
        source.after(POLL).await;
        blocking.settle().await;
    }
    assert_eq!(of_feed().await, before, "{}", blocking.told().await);
    source.control("edit", json!({ "what": "habit", "id": "no-events" })).await;
    blocking.hours(2).await;
    assert_eq!(of_feed().await, before, "{}", blocking.told().await);
}

#[tokio::test]
async fn a_feed_that_stays_empty_is_believed_in_the_end() {
    let blocking = Blocking::between(&["ics", "google-calendar"]).await;
    let source = &blocking.sides[0];
    source.control("edit", json!({ "what": "habit", "id": "no-events", "fields": {} })).await;
    blocking.hours(48).await;
    let now = blocking.world().now().to_string();
    let blocks = blocking.blocks().await;
    let of_feed: Vec<_> = blocks.iter().filter(|one| one.source.contains("@feeds") && one.end > now).collect();
    assert_eq!(of_feed.len(), 0, "{of_feed:#?} {}", blocking.told().await);
}
