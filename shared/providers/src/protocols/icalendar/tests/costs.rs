//! What a text may cost that somebody made for it to be dear.

use super::super::*;
use crate::recurrence::READ;

fn read_all(text: &str) -> Vec<Entry> {
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let context = Context { calendar: "c", zone: None, own_addresses: &[], share_titles: false, now };
    read(text, &context).unwrap()
}

fn calendar(components: &str) -> String {
    format!("BEGIN:VCALENDAR\n{components}END:VCALENDAR\n")
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\n{lines}END:VEVENT\n")
}

#[test]
fn the_rules_of_a_series_are_read_once_however_many_exceptions_it_has() {
    let rules = "RRULE:FREQ=DAILY;UNTIL=20260101T000000Z\n".repeat(20);
    let series = event(&format!("UID:a\nSEQUENCE:2\nDTSTART:20251201T080000Z\n{rules}"));
    let exceptions = (0..500).map(|minute| {
        let (hour, minute) = (minute / 60, minute % 60);
        event(&format!("UID:a\nSEQUENCE:1\nRECURRENCE-ID:20261205T{hour:02}{minute:02}00Z\n"))
    });
    let text = calendar(&(series + &exceptions.collect::<String>()));
    let before = READ.get();
    let read = read_all(&text).remove(0).event.unwrap();
    assert_eq!(READ.get() - before, 20);
    assert!(read.occurrences.is_empty());
}

#[test]
fn an_event_with_more_rules_than_are_followed_is_not_read() {
    for (count, is_read) in [(50, true), (51, false)] {
        let rules = "RRULE:FREQ=DAILY\n".repeat(count);
        let text = calendar(&event(&format!("UID:a\nDTSTART:20251201T080000Z\n{rules}")));
        assert_eq!(read_all(&text)[0].event.is_ok(), is_read, "{count}");
    }
}

#[test]
fn a_zone_that_takes_too_much_to_be_known_by_its_rules_is_unknown_and_another_one_is_not() {
    let onset = "TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nDTSTART:19700101T000000\n";
    let part = |lines: &str| format!("BEGIN:STANDARD\n{onset}{lines}END:STANDARD\n");
    let listed: String =
        (0..250).map(|day| format!("RDATE:2026{:02}{:02}T000000\n", day / 28 + 1, day % 28 + 1)).collect();
    // Each is a search through all days of twenty centuries.
    let long = part("RRULE:FREQ=YEARLY;COUNT=9999;BYMONTH=2;BYMONTHDAY=30\n").replace("1970", "0001");
    for (parts, is_known) in [
        (part(""), true),
        (part("").repeat(200), true),
        (part("").repeat(201), false),
        (part(&listed), false),
        (part(&"RRULE:FREQ=YEARLY\n".repeat(11)), false),
        (long.repeat(2), false),
        // Rules that ended long ago are history, and cost nothing.
        (part(&"RRULE:FREQ=YEARLY;UNTIL=19900101T000000Z\n".repeat(10)).repeat(200), true),
        (part(&"RRULE:FREQ=YEARLY;UNTIL=20251231T230000Z\n".repeat(10)).repeat(200), false),
    ] {
        let zone = |name: &str, parts: &str| format!("BEGIN:VTIMEZONE\nTZID:{name}\n{parts}END:VTIMEZONE\n");
        let within = |name: &str| event(&format!("UID:{name}\nDTSTART;TZID={name}:20261201T080000\n"));
        let zones = zone("A dear one", &parts) + &zone("Another one", &part(""));
        let entries = read_all(&calendar(&(zones + &within("A dear one") + &within("Another one"))));
        assert_eq!(entries[0].unread.is_empty(), is_known, "{}", entries[0].unread.join(" "));
        assert!(entries[1].unread.is_empty(), "the other one");
    }
}

#[test]
fn a_name_that_is_no_name_of_a_zone_is_not_looked_up() {
    let name = "Europe/".repeat(60) + "Berlin";
    assert_eq!(zone_named(&name), None);
    assert_eq!(zone_named("/a.net/b/c/d/Europe/Berlin").as_deref(), Some("Europe/Berlin"));
}
