//! Several events under one identifier.

use super::super::*;
use crate::instances;

/// The starts of what an identifier means in December, by the day and the hour.
fn starts(events: &[String]) -> String {
    let events: String = events.iter().map(|lines| format!("BEGIN:VEVENT\nUID:a\n{lines}\nEND:VEVENT\n")).collect();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let context = Context { calendar: "c", zone: None, own_addresses: &[], share_titles: false, now };
    let mut entries = read(&format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"), &context).unwrap();
    assert_eq!(entries.len(), 1);
    let event = entries.remove(0).event.unwrap();
    let window = ("2026-12-01T00:00:00Z".parse().unwrap(), "2027-01-01T00:00:00Z".parse().unwrap());
    let busy = instances(&event, &[], window, "UTC").list.into_iter().filter(|one| one.busy);
    let starts: Vec<String> = busy.map(|one| crate::recurrence::text(one.start)).collect();
    starts.join(" ").replace("2026-12-", "").replace(":00:00Z", "")
}

/// An event of one hour on a day of December.
fn on(day: u8, lines: &str) -> String {
    format!("DTSTART:202612{day:02}T080000Z\nDURATION:PT1H\n{lines}")
}

#[test]
fn what_an_identifier_means_is_the_same_in_whatever_order_its_events_are() {
    let modified = |second: u8| format!("LAST-MODIFIED:20261101T0000{second:02}Z");
    let daily = "RRULE:FREQ=DAILY;COUNT=2";
    for (events, expected) in [
        ([on(1, ""), on(2, ""), on(3, "")], "01T08 02T08 03T08"),
        // Each says another revision, as where a program makes them one after the other: none replaces another.
        ([on(1, "SEQUENCE:0"), on(2, "SEQUENCE:1"), on(3, "SEQUENCE:2")], "01T08 02T08 03T08"),
        ([on(1, &modified(1)), on(2, &modified(3)), on(3, &modified(2))], "01T08 02T08 03T08"),
        ([on(1, "DTSTAMP:20261101T000001Z"), on(2, ""), on(3, "SEQUENCE:1\nSTATUS:CANCELLED")], "01T08 02T08"),
        // The newest of those of one start counts.
        ([on(1, "SEQUENCE:0"), on(2, "SEQUENCE:0"), on(2, "SEQUENCE:1\nTRANSP:TRANSPARENT")], "01T08"),
        ([on(1, &modified(1)), on(1, &format!("{}\nSTATUS:CANCELLED", modified(2))), on(3, "")], "03T08"),
        // What recurs has replaced what is older, and is replaced by what is newer.
        ([on(1, &format!("{daily}\nSEQUENCE:1")), on(5, ""), on(6, "")], "01T08 02T08"),
        ([on(1, daily), on(5, "SEQUENCE:1"), on(6, "SEQUENCE:1")], "05T08 06T08"),
        ([on(1, daily), on(5, "DTSTAMP:20261101T000001Z"), on(6, "")], "01T08 02T08 05T08 06T08"),
    ] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let events = order.map(|place: usize| events[place].clone());
            assert_eq!(starts(&events), expected, "{events:#?}");
        }
    }
}
