//! Events with odd times, and times across zones: none is blocked wrongly, none spoils another, and their blocks go with them.

use hooktide_tests::blocking::{Blocking, Side};
use serde_json::{Value, json};

/// A text of CalDAV with these lines in its one event.
fn calendar(lines: &[&str]) -> Value {
    let lines = lines.join("\r\n");
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nDTSTAMP:20261102T080000Z\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    json!({ "text": text })
}

/// The blocks of an event of CalDAV with these lines, from start to end, that lie at Google; and what is left when it is gone.
async fn blocks_of(blocking: &Blocking, lines: &[&str]) -> Vec<String> {
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.edit(source, "event", Value::Null, calendar(lines)).await;
    let spans = spans(blocking, target, &event).await;
    let good = blocking.make(source, "2026-12-21T09:00:00Z", "2026-12-21T10:00:00Z").await;
    assert_eq!(blocking.of(&target.main, &good).await, ["2026-12-21T09:00:00Z"], "{lines:?}: others are as usual");
    for event in [&event, &good] {
        blocking.delete(source, event).await;
        assert_eq!(blocking.of(&target.main, event).await, Vec::<String>::new(), "{lines:?}: gone");
    }
    assert_eq!(blocking.plan().await, json!([]));
    spans
}

async fn spans(blocking: &Blocking, target: &Side, event: &str) -> Vec<String> {
    let blocks = blocking.blocks().await;
    let own = blocks.iter().filter(|one| one.calendar == target.main && one.stems_from(event));
    own.map(|one| format!("{} {} {}", one.start, one.end, one.state)).collect()
}

#[tokio::test]
async fn an_event_without_an_end_takes_its_day_or_no_time() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let timed = blocks_of(&blocking, &["UID:no-end", "DTSTART:20261217T090000Z"]).await;
    assert_eq!(timed, Vec::<String>::new(), "RFC 5545, section 3.6.1: it ends when it starts");
    let whole = blocks_of(&blocking, &["UID:no-end-of-a-day", "DTSTART;VALUE=DATE:20261217"]).await;
    assert_eq!(whole, ["2026-12-17 2026-12-18 there"]);
}

#[tokio::test]
async fn an_event_that_ends_before_it_starts_takes_no_time() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let lines = ["UID:backwards", "DTSTART:20261217T090000Z", "DTEND:20261217T080000Z"];
    assert_eq!(blocks_of(&blocking, &lines).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_event_of_zero_length_takes_no_time_and_gives_its_block_up() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let at = "2026-12-17T09:00:00Z";
    let event = blocking.make(source, at, at).await;
    assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new());
    blocking.put(source, json!(event), (at, "2026-12-17T10:00:00Z"), json!({})).await;
    assert_eq!(blocking.of(&target.main, &event).await, [at]);
    blocking.put(source, json!(event), (at, at), json!({})).await;
    assert_eq!(blocking.of(&target.main, &event).await, Vec::<String>::new());
    assert_eq!(blocking.plan().await, json!([]));
}

#[tokio::test]
async fn an_event_of_thirty_years_is_one_block() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let lines = ["UID:long", "DTSTART:20100101T000000Z", "DTEND:20400101T000000Z"];
    assert_eq!(blocks_of(&blocking, &lines).await, ["2010-01-01T00:00:00Z 2040-01-01T00:00:00Z there"]);
    let days = ["UID:long-days", "DTSTART;VALUE=DATE:20100101", "DTEND;VALUE=DATE:20400101"];
    assert_eq!(blocks_of(&blocking, &days).await, ["2010-01-01 2040-01-01 there"]);
}

#[tokio::test]
async fn an_event_in_an_unknown_zone_is_blocked_by_the_calendars_own_and_that_is_said() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let lines = ["UID:nowhere", "DTSTART;TZID=Nowhere/Land:20261217T090000", "DTEND;TZID=Nowhere/Land:20261217T100000"];
    let found = blocks_of(&blocking, &lines).await;
    assert_eq!(found, ["2026-12-17T09:00:00Z 2026-12-17T10:00:00Z there"]);
    blocking.edit(&blocking.sides[0], "event", Value::Null, calendar(&lines)).await;
    let changes = blocking.world().changes().await;
    let is_it = |change: &&Value| {
        change["document"]["start"] == "2026-12-17T09:00:00Z" && change["document"]["own_block"] == false
    };
    let of_it = changes.iter().rfind(is_it).unwrap();
    assert_ne!(of_it["unread"], json!([]), "{of_it:#}");
    assert_ne!(of_it["unread"], Value::Null, "{of_it:#}");
}

#[tokio::test]
async fn whole_days_are_whole_days_across_zones() {
    // Google's main calendar is in Vienna, that of Microsoft's in the same zone by another name, CalDAV's has none.
    for providers in [
        ["google-calendar", "microsoft-graph"],
        ["microsoft-graph", "google-calendar"],
        ["google-calendar", "caldav"],
        ["caldav", "google-calendar"],
        ["caldav", "microsoft-graph"],
    ] {
        let blocking = Blocking::between(&providers).await;
        let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
        let event = blocking.make(source, "2026-12-17", "2026-12-19").await;
        assert_eq!(spans(&blocking, target, &event).await, ["2026-12-17 2026-12-19 there"], "{providers:?}");
        // The block comes home as it was written: nobody is taken to have changed it.
        blocking.hours(26).await;
        assert_eq!(spans(&blocking, target, &event).await, ["2026-12-17 2026-12-19 there"], "{providers:?}");
        assert_eq!(blocking.plan().await, json!([]), "{providers:?}");
        blocking.delete(source, &event).await;
        assert_eq!(spans(&blocking, target, &event).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_series_keeps_its_time_of_day_when_clocks_change_in_spring_and_in_autumn() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    blocking.set(target, json!({ "block_days_ahead": 366 })).await;
    let at = |hour: &str| json!({ "dateTime": format!("2026-11-08T{hour}:00:00+01:00"), "timeZone": "Europe/Vienna" });
    let fields = json!({ "start": at("09"), "end": at("10"), "recurrence": ["RRULE:FREQ=WEEKLY"] });
    let event = blocking.edit(source, "event", Value::Null, fields).await;
    let found = spans(&blocking, target, &event).await;
    for expected in [
        "2027-03-21T08:00:00Z 2027-03-21T09:00:00Z there",
        "2027-03-28T07:00:00Z 2027-03-28T08:00:00Z there",
        "2027-10-24T07:00:00Z 2027-10-24T08:00:00Z there",
        "2027-10-31T08:00:00Z 2027-10-31T09:00:00Z there",
    ] {
        assert!(found.iter().any(|one| one == expected), "{expected}: {found:#?}");
    }
    blocking.delete(source, &event).await;
    assert_eq!(spans(&blocking, target, &event).await, Vec::<String>::new());
}

#[tokio::test]
async fn whole_days_at_the_end_of_the_window_neither_come_nor_go_with_each_look() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    for day in 1..4 {
        let (start, end) = (format!("2027-01-0{day}"), format!("2027-01-0{}", day + 1));
        blocking.make(source, &start, &end).await;
    }
    let writes = blocking.writes(target).await;
    let before = blocking.blocks().await.len();
    for _ in 0..10 {
        blocking.edit(source, "event", Value::Null, json!({ "transparency": "transparent" })).await;
    }
    assert_eq!((blocking.writes(target).await, blocking.blocks().await.len()), (writes, before));
}

#[tokio::test]
async fn an_event_that_comes_into_the_window_is_blocked_and_stays() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(source, "2026-10-20", "2026-10-21").await;
    assert_eq!(spans(&blocking, target, &event).await, Vec::<String>::new());
    let writes = blocking.writes(source).await;
    blocking.put(source, json!(event), ("2026-11-03", "2026-11-04"), json!({})).await;
    assert_eq!(spans(&blocking, target, &event).await, ["2026-11-03 2026-11-04 there"]);
    assert_eq!(blocking.writes(source).await, writes, "sources are never written to");
    // The window rolls: what lies beyond it comes in by itself.
    let later = blocking.make(source, "2027-01-03T09:00:00Z", "2027-01-03T10:00:00Z").await;
    assert_eq!(spans(&blocking, target, &later).await, Vec::<String>::new());
    blocking.hours(72).await;
    assert_eq!(spans(&blocking, target, &later).await, ["2027-01-03T09:00:00Z 2027-01-03T10:00:00Z there"]);
}

#[tokio::test]
async fn an_event_over_three_days_is_one_block_from_its_start_to_its_end() {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let event = blocking.make(source, "2026-12-15T08:00:00-05:00", "2026-12-17T17:00:00-05:00").await;
    assert_eq!(spans(&blocking, target, &event).await, ["2026-12-15T13:00:00Z 2026-12-17T22:00:00Z there"]);
}
