//! Series that are long, fast or split, and many events at once: blocks stay bounded, none is doubled, none is left behind.

use hooktide_tests::blocking::Blocking;
use serde_json::{Value, json};

const NINE: &str = "2026-12-17T09:00:00Z";
const TEN: &str = "2026-12-17T10:00:00Z";

/// What becomes of a series of Google's with this rule whose occurrences are an hour, or a second, long: how many blocks it
/// has at first, so many days later, and when it is gone.
async fn through(rule: &str, long: &str, days: u32) -> [usize; 3] {
    let blocking = Blocking::between(&["google-calendar", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    blocking.set(target, json!({ "rate_per_minute": 60_000 })).await;
    let at = |time: &str| json!({ "dateTime": format!("2026-11-01T{time}Z"), "timeZone": "UTC" });
    let fields = json!({ "start": at("00:00:00"), "end": at(long), "recurrence": [rule] });
    let event = blocking.edit(source, "event", Value::Null, fields).await;
    blocking.hours(1).await;
    let first = blocking.of(&target.main, &event).await;
    assert!(first.iter().all(|one| one.ends_with('Z')), "all are there: {rule} {first:?}");
    let plain = blocking.make(source, NINE, TEN).await;
    assert_eq!(blocking.of(&target.main, &plain).await, [NINE], "{rule}: others are as usual");
    blocking.hours(days * 24).await;
    let later = blocking.of(&target.main, &event).await;
    assert!(later.iter().all(|one| one.ends_with('Z')), "all are there: {rule} {later:?}");
    assert_eq!(blocking.plan().await, json!([]), "{rule}");
    blocking.delete(source, &event).await;
    blocking.hours(2).await;
    let now = blocking.world().now().to_string();
    let left = blocking.of(&target.main, &event).await;
    let left = left.into_iter().filter(|start| *start > now).count();
    [first.len(), later.len(), left]
}

#[tokio::test]
async fn a_series_of_a_hundred_thousand_occurrences_has_those_of_the_window_and_they_go_with_it() {
    assert_eq!(through("RRULE:FREQ=DAILY;COUNT=100000", "01:00:00", 5).await, [61, 66, 0]);
}

#[tokio::test]
async fn a_series_of_every_second_has_a_thousand_blocks_and_they_go_with_it() {
    // A day more is another thousand.
    let [first, later, left] = through("RRULE:FREQ=SECONDLY", "00:00:01", 0).await;
    assert_eq!((first, later, left), (1_000, 1_000, 0));
}

#[tokio::test]
async fn ten_thousand_events_in_a_window_are_wanted_once_each_and_go() {
    use hooktide_tests::bent::Bend;
    let blocking = Blocking::between(&["ics", "caldav"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    blocking.set(target, json!({ "rate_per_minute": 60_000 })).await;
    let mut text = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n");
    for number in 0..10_000 {
        let (day, hour, minute) = (1 + number / 500, number % 500 / 25, number % 25 * 2);
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:many-{number}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:202612{day:02}T{hour:02}{minute:02}00Z\r\nDURATION:PT1M\r\nEND:VEVENT\r\n"
        ));
    }
    text.push_str("END:VCALENDAR\r\n");
    for habit in ["no-etag", "no-date"] {
        source.control("edit", json!({ "what": "habit", "id": habit, "fields": {} })).await;
    }
    source.bends.set(Bend::Text(text.leak()));
    // Nothing is written meanwhile: that takes longer than anybody waits for here.
    target.bends.set(Bend::Status(503));
    blocking.hours(2).await;
    let blocks = blocking.blocks().await;
    assert_eq!(blocks.iter().filter(|one| one.source.contains("many-")).count(), 10_000);
    target.bends.set(Bend::Nothing);
    blocking.remove(source).await;
    blocking.hours(3).await;
    assert_eq!(blocking.blocks().await, []);
    let copies = target.state().await["account"]["calendars"].to_string();
    assert!(!copies.contains("hooktide"));
}

#[tokio::test]
async fn events_of_one_uid_block_each_for_itself_and_none_is_taken_for_another() {
    let blocking = Blocking::between(&["caldav", "google-calendar"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let text = |hour: u8| {
        let event =
            format!("UID:twice\r\nDTSTAMP:20261102T080000Z\r\nDTSTART:20261217T{hour:02}0000Z\r\nDURATION:PT1H");
        json!({ "text": format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n") })
    };
    let writes = blocking.writes(target).await;
    let one = blocking.edit(source, "event", Value::Null, text(9)).await;
    let other = blocking.edit(source, "event", Value::Null, text(14)).await;
    assert_eq!(blocking.of(&target.main, &one).await, [NINE]);
    assert_eq!(blocking.of(&target.main, &other).await, ["2026-12-17T14:00:00Z"]);
    assert_eq!(blocking.writes(target).await, writes + 2);
    blocking.delete(source, &one).await;
    assert_eq!(blocking.of(&target.main, &one).await, Vec::<String>::new());
    assert_eq!(blocking.of(&target.main, &other).await, ["2026-12-17T14:00:00Z"], "the other one stays");
    blocking.delete(source, &other).await;
    assert!(blocking.copies().await.iter().all(|copy| !copy.contains(" 2026-12-17")), "none is left");
}

#[tokio::test]
async fn an_event_that_moves_to_another_calendar_of_the_person_moves_its_block_the_other_way() {
    let blocking = Blocking::within("microsoft-graph").await;
    let side = &blocking.sides[0];
    let event = blocking.make(side, NINE, TEN).await;
    let own = event.rsplit('/').next().unwrap().to_owned();
    assert_eq!(
        (blocking.of(&side.other, &own).await, blocking.of(&side.main, &own).await.len()),
        (vec![NINE.to_owned()], 0)
    );
    blocking.edit(side, "event", json!(event), json!({ "calendar": side.other })).await;
    let now_in = |calendar: &str| {
        let (calendar, blocking) = (calendar.to_owned(), &blocking);
        async move {
            let blocks = blocking.blocks().await.into_iter();
            let at_nine = blocks.filter(|one| one.calendar == calendar && one.start == NINE);
            at_nine.map(|one| one.state).collect::<Vec<_>>()
        }
    };
    assert_eq!((now_in(&side.other).await.len(), now_in(&side.main).await), (0, vec!["there".to_owned()]));
    assert_eq!(blocking.plan().await, json!([]));
    blocking.hours(26).await;
    assert_eq!((now_in(&side.other).await.len(), now_in(&side.main).await), (0, vec!["there".to_owned()]));
}

/// A series of Google's that is split, each part in its turn, and the blocks and writes of that.
async fn split(parts: [&str; 2]) -> (Vec<String>, u64) {
    let blocking = Blocking::between(&["google-calendar", "microsoft-graph"]).await;
    let (source, target) = (&blocking.sides[0], &blocking.sides[1]);
    let at = |day: &str, time: &str| json!({ "dateTime": format!("2026-12-{day}T{time}:00+01:00"), "timeZone": "Europe/Vienna" });
    let fields = |day: &str, rule: &str, from: &str, to: &str| json!({ "start": at(day, from), "end": at(day, to), "recurrence": [rule] });
    let until = "RRULE:FREQ=WEEKLY;UNTIL=20261231T000000Z";
    let event = blocking.edit(source, "event", Value::Null, fields("01", until, "20:00", "21:00")).await;
    let writes = blocking.writes(target).await;
    for part in parts {
        if part == "first" {
            let shorter = json!({ "recurrence": ["RRULE:FREQ=WEEKLY;UNTIL=20261215T185959Z"] });
            source.control("edit", json!({ "what": "event", "id": event, "fields": shorter })).await;
        } else {
            let rest = fields("15", "RRULE:FREQ=WEEKLY;COUNT=3", "20:30", "21:30");
            source.control("edit", json!({ "what": "event", "id": null, "fields": rest })).await;
        }
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    blocking.settle().await;
    blocking.settle().await;
    let blocks = blocking.blocks().await;
    let evenings = blocks.iter().filter(|one| one.calendar == target.main);
    let evenings = evenings.filter(|one| one.start.contains("T19:00") || one.start.contains("T19:30"));
    let starts =
        evenings.map(|one| if one.state == "there" { one.start.clone() } else { format!("{one:?}") }).collect();
    let written = blocking.writes(target).await - writes;
    blocking.hours(26).await;
    assert_eq!(blocking.writes(target).await - writes, written, "and then nothing more");
    (starts, written)
}

#[tokio::test]
async fn a_series_that_is_split_by_this_and_following_has_each_occurrence_once() {
    for parts in [["first", "rest"], ["rest", "first"]] {
        let (starts, written) = split(parts).await;
        let evenings = [
            "2026-12-01T19:00:00Z",
            "2026-12-08T19:00:00Z",
            "2026-12-15T19:30:00Z",
            "2026-12-22T19:30:00Z",
            "2026-12-29T19:30:00Z",
        ];
        assert_eq!(starts, evenings, "{parts:?}");
        // Three go, and three come.
        assert_eq!(written, 6, "{parts:?}");
    }
}
