//! Series that change from one occurrence on: by an exception that holds for all later ones, or by a second series.

use super::super::*;
use crate::instances;

/// Six days from the first of December on, from nine to ten in Berlin.
const DAILY: &str = "UID:a
DTSTART;TZID=Europe/Berlin:20261201T090000
DTEND;TZID=Europe/Berlin:20261201T100000
RRULE:FREQ=DAILY;COUNT=6";

/// An exception that begins a range on a day of December, with its other lines.
fn range(day: u8, lines: &str) -> String {
    format!("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:202612{day:02}T090000\n{lines}")
}

/// An exception of one day that lasts an hour from another one on.
fn single(day: u8, hour: u8) -> String {
    format!(
        "UID:a\nRECURRENCE-ID;TZID=Europe/Berlin:202612{day:02}T090000\nDTSTART;TZID=Europe/Berlin:202612{day:02}T{hour:02}0000\n\
         DURATION:PT1H"
    )
}

/// From when to when, in Berlin.
fn at(day: u8, from: &str, to: &str) -> String {
    format!("DTSTART;TZID=Europe/Berlin:202612{day:02}T{from}00\nDTEND;TZID=Europe/Berlin:202612{day:02}T{to}00")
}

fn entries(events: &[&str]) -> Vec<Entry> {
    let events: String = events.iter().map(|lines| format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", lines.trim())).collect();
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let context = Context { calendar: "c", zone: Some("Europe/Berlin"), own_addresses: &[], share_titles: false, now };
    read(&format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n"), &context).unwrap()
}

/// What is taken between two times, in UTC and without what all have in common.
fn taken_within(events: &[&str], from: &str, to: &str) -> String {
    taken_at("Europe/Berlin", events, from, to)
}

/// The same for whoever lives in a zone.
fn taken_at(home: &str, events: &[&str], from: &str, to: &str) -> String {
    let window = (from.parse().unwrap(), to.parse().unwrap());
    let mut taken = Vec::new();
    for entry in entries(events) {
        let found = instances(&entry.event.unwrap(), &[], window, home);
        assert_eq!((found.cut, found.unread), (false, None));
        let busy = found.list.into_iter().filter(|one| one.busy);
        taken.extend(busy.map(|one| {
            let [start, end] = [one.start, one.end].map(crate::recurrence::text);
            format!("{start}/{end}{}", if one.tentative { "?" } else { "" })
        }));
    }
    taken.join(" ").replace("2026-12-", "").replace(":00Z", "")
}

fn taken(events: &[&str]) -> String {
    taken_within(events, "2026-11-01T00:00:00Z", "2027-02-01T00:00:00Z")
}

const FIRST_TWO: &str = "01T08:00/01T09:00 02T08:00/02T09:00";

#[test]
fn an_exception_that_holds_for_all_later_starts_moves_them_alike() {
    let later = range(3, &at(3, "1100", "1230"));
    let moved = "03T10:00/03T11:30 04T10:00/04T11:30 05T10:00/05T11:30 06T10:00/06T11:30";
    assert_eq!(taken(&[DAILY, &later]), format!("{FIRST_TWO} {moved}"));
    // The next one is counted from what the rules give as well.
    let again = range(5, &at(5, "0800", "0815"));
    let expected = format!("{FIRST_TWO} 03T10:00/03T11:30 04T10:00/04T11:30 05T07:00/05T07:15 06T07:00/06T07:15");
    assert_eq!(taken(&[&again, DAILY, &later]), expected);
    // What has no end of its own lasts as long as the series.
    let shifted = range(5, "DTSTART;TZID=Europe/Berlin:20261206T090000\nDTEND;TZID=Europe/Berlin:20261206T100000");
    let four = "03T08:00/03T09:00 04T08:00/04T09:00";
    assert_eq!(taken(&[DAILY, &shifted]), format!("{FIRST_TWO} {four} 06T08:00/06T09:00 07T08:00/07T09:00"));
}

#[test]
fn an_exception_that_holds_for_all_later_starts_says_whether_they_take_time() {
    let one_hour = at(3, "0900", "1000");
    for (lines, expected) in [
        ("STATUS:CANCELLED", FIRST_TWO.to_owned()),
        (&*format!("{one_hour}\nTRANSP:TRANSPARENT"), FIRST_TWO.to_owned()),
        (
            &*format!("{one_hour}\nSTATUS:TENTATIVE"),
            format!("{FIRST_TWO} 03T08:00/03T09:00? 04T08:00/04T09:00? 05T08:00/05T09:00? 06T08:00/06T09:00?"),
        ),
        (
            &*format!("{one_hour}\nSUMMARY:Another name"),
            format!("{FIRST_TWO} 03T08:00/03T09:00 04T08:00/04T09:00 05T08:00/05T09:00 06T08:00/06T09:00"),
        ),
    ] {
        assert_eq!(taken(&[DAILY, &range(3, lines)]), expected, "{lines}");
    }
}

#[test]
fn what_is_about_one_start_alone_holds_rather_than_what_holds_from_an_earlier_one_on() {
    let later = range(3, &at(3, "1100", "1130"));
    let left_out = format!("{DAILY}\nEXDATE;TZID=Europe/Berlin:20261205T090000");
    let of_days = format!("{DAILY}\nEXDATE;VALUE=DATE:20261203");
    let rest = "05T10:00/05T10:30 06T10:00/06T10:30";
    for (events, expected) in [
        // One that is newer, of the same start or of a later one.
        (
            [DAILY, &later, &format!("{}\nSEQUENCE:1", single(3, 15))],
            format!("03T14:00/03T15:00 04T10:00/04T10:30 {rest}"),
        ),
        ([DAILY, &later, &single(4, 15)], format!("03T10:00/03T10:30 04T14:00/04T15:00 {rest}")),
        // One that is older.
        (
            [DAILY, &format!("{later}\nSEQUENCE:1"), &single(3, 15)],
            format!("03T10:00/03T10:30 04T10:00/04T10:30 {rest}"),
        ),
        ([&left_out, &later, ""], "03T10:00/03T10:30 04T10:00/04T10:30 06T10:00/06T10:30".to_owned()),
        // The range's own start is left out: the others stay where they were moved to.
        ([&left_out.replace("1205", "1203"), &later, ""], format!("04T10:00/04T10:30 {rest}")),
        // A day that is left out is so for whatever is said of its start.
        ([&of_days, &later, ""], format!("04T10:00/04T10:30 {rest}")),
        ([&of_days, &single(3, 15), ""], "04T08:00/04T09:00 05T08:00/05T09:00 06T08:00/06T09:00".to_owned()),
        (
            [&of_days, &format!("{}\nSEQUENCE:1", single(3, 15)), ""],
            "03T14:00/03T15:00 04T08:00/04T09:00 05T08:00/05T09:00 06T08:00/06T09:00".to_owned(),
        ),
        // Some programs name an occurrence by where it is now.
        (
            [DAILY, &later, &single(4, 15).replacen("04T090000", "04T110000", 1)],
            format!("03T10:00/03T10:30 04T14:00/04T15:00 {rest}"),
        ),
        ([&left_out.replace("1205T09", "1204T11"), &later, ""], format!("03T10:00/03T10:30 {rest}")),
        // So also the first of the range.
        (
            [DAILY, &later, &single(3, 15).replacen("03T090000", "03T110000", 1)],
            format!("03T14:00/03T15:00 04T10:00/04T10:30 {rest}"),
        ),
        ([&left_out.replace("1205T09", "1203T11"), &later, ""], format!("04T10:00/04T10:30 {rest}")),
    ] {
        let events: Vec<&str> = events.into_iter().filter(|event| !event.is_empty()).collect();
        assert_eq!(taken(&events), format!("{FIRST_TWO} {expected}"), "{events:#?}");
    }
}

#[test]
fn a_window_that_only_moved_occurrences_are_in_has_them() {
    let endless = DAILY.replace(";COUNT=6", "");
    let earlier = range(3, "DTSTART;TZID=Europe/Berlin:20261103T090000\nDURATION:PT1H");
    let much_later = range(3, "DTSTART;TZID=Europe/Berlin:20270102T230000\nDURATION:P2D");
    let within = |range: &str, from: &str, to: &str| taken_within(&[&endless, range], from, to);
    assert_eq!(within(&earlier, "2026-12-10T00:00:00Z", "2026-12-11T00:00:00Z"), "10T08:00/10T09:00");
    let found = within(&much_later, "2027-03-01T12:00:00Z", "2027-03-02T12:00:00Z");
    assert_eq!(
        found,
        "2027-02-27T22:00/2027-03-01T22:00 2027-02-28T22:00/2027-03-02T22:00 2027-03-01T22:00/2027-03-03T22:00"
    );
}

#[test]
fn moved_occurrences_keep_the_clock_of_the_series() {
    let weekly = "UID:a\nDTSTART;TZID=Europe/Berlin:20261015T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4";
    let from = "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261022T070000Z\nDTSTART:20261022T080000Z\nDURATION:PT1H";
    let found = taken_within(&[weekly, from], "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z");
    let expected = "2026-10-15T07:00/2026-10-15T08:00 2026-10-22T08:00/2026-10-22T09:00 2026-10-29T09:00/2026-10-29T10:00 \
                    2026-11-05T09:00/2026-11-05T10:00";
    assert_eq!(found, expected);
}

#[test]
fn days_are_moved_as_days_and_may_become_times() {
    let days = "UID:a\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=WEEKLY;COUNT=3";
    let from = |lines: &str| format!("UID:a\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20261208\n{lines}");
    for (lines, expected) in [
        ("DTSTART;VALUE=DATE:20261209\nDTEND;VALUE=DATE:20261211", "09/11 16/18"),
        ("DTSTART;TZID=Europe/Berlin:20261208T140000\nDURATION:PT1H", "08T13:00/08T14:00 15T13:00/15T14:00"),
    ] {
        assert_eq!(taken(&[days, &from(lines)]), format!("01/02 {expected}"), "{lines}");
    }
    let to_days = "UID:a\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20261205\nDTSTART;VALUE=DATE:20261205";
    assert_eq!(taken(&[DAILY, to_days]), format!("{FIRST_TWO} 03T08:00/03T09:00 04T08:00/04T09:00 05/06 06/07"));
}

#[test]
fn days_that_become_times_recur_by_the_clock_of_these() {
    let days = "UID:a\nDTSTART;VALUE=DATE:20260310\nRRULE:FREQ=WEEKLY;COUNT=5";
    let until_then = "2026-03-10/2026-03-11 2026-03-17T13:00/2026-03-17T14:00 2026-03-24T13:00/2026-03-24T14:00";
    for (name, lines) in [
        (";VALUE=DATE:20260317", "DTSTART;TZID=Europe/Berlin:20260317T140000\nDURATION:PT1H"),
        (";TZID=Europe/Berlin:20260317T000000", "DTSTART;TZID=Europe/Berlin:20260317T140000\nDURATION:PT1H"),
    ] {
        let from = format!("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE{name}\n{lines}");
        for home in ["UTC", "Europe/Berlin", "America/New_York"] {
            let found = taken_at(home, &[days, &from], "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
            let later = "2026-03-31T12:00/2026-03-31T13:00 2026-04-07T12:00/2026-04-07T13:00";
            assert_eq!(found, format!("{until_then} {later}"), "{name} {home}");
        }
    }
    // Where it is still the day before for whoever asks.
    let from = "UID:a\nRECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260317\nDTSTART;TZID=Asia/Tokyo:20260317T080000";
    let from = format!("{from}\nDURATION:PT1H");
    let found = taken_at("America/Los_Angeles", &[days, &from], "2026-03-23T00:00:00Z", "2026-03-24T00:00:00Z");
    assert_eq!(found, "2026-03-23T23:00/2026-03-24T00:00");
}

#[test]
fn a_day_of_a_series_may_be_named_by_a_time() {
    let four = |rule: &str| format!("UID:a\nDTSTART;VALUE=DATE:20261201\nRRULE:{rule};COUNT=4");
    let (weekly, daily) = (four("FREQ=WEEKLY"), four("FREQ=DAILY"));
    let cancelled = "STATUS:CANCELLED";
    let moved = "DTSTART;VALUE=DATE:20261210";
    let by_one = "DTSTART;VALUE=DATE:20261209";
    for (series, name, lines, expected) in [
        (&weekly, ";TZID=Europe/Berlin:20261208T000000", cancelled, "01/02 15/16 22/23"),
        (&weekly, ":20261208T000000", cancelled, "01/02 15/16 22/23"),
        (&weekly, ":20261208T000000Z", cancelled, "01/02 15/16 22/23"),
        // Midnight in Berlin, the zone of the calendar.
        (&weekly, ":20261207T230000Z", cancelled, "01/02 15/16 22/23"),
        (&weekly, ";TZID=UTC:20261208T090000", cancelled, "01/02 15/16 22/23"),
        (&weekly, ";TZID=America/Los_Angeles:20261208T200000", cancelled, "01/02 15/16 22/23"),
        (&weekly, ";TZID=Europe/Berlin:20261208T000000", moved, "01/02 10/11 15/16 22/23"),
        (&daily, ";TZID=Europe/Berlin:20261203T000000", cancelled, "01/02 02/03 04/05"),
        (&weekly, ";RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261208T000000", by_one, "01/02 09/10 16/17 23/24"),
        (&weekly, ";RANGE=THISANDFUTURE;TZID=Europe/Berlin:20261208T000000", cancelled, "01/02"),
    ] {
        let exception = format!("UID:a\nRECURRENCE-ID{name}\n{lines}");
        for home in ["UTC", "Europe/Berlin", "America/New_York"] {
            let found = taken_at(home, &[series, &exception], "2026-11-01T00:00:00Z", "2027-02-01T00:00:00Z");
            assert_eq!(found, expected, "{name} {lines} {home}");
        }
    }
    // What is left out, and the end, are named alike.
    for (line, expected) in [
        ("EXDATE:20261207T230000Z", "01/02 15/16 22/23"),
        ("EXDATE:20261208T000000Z", "01/02 15/16 22/23"),
        ("EXDATE;TZID=Europe/Berlin:20261208T000000", "01/02 15/16 22/23"),
        ("RDATE:20261209T230000Z", "01/02 08/09 10/11 15/16 22/23"),
    ] {
        assert_eq!(taken(&[&format!("{weekly}\n{line}")]), expected, "{line}");
    }
    // The newer one of two names of a day holds.
    let by_day = "UID:a\nRECURRENCE-ID;VALUE=DATE:20261208\nDTSTART;VALUE=DATE:20261211\nSEQUENCE:1";
    for (sequence, expected) in [(0, "01/02 11/12 15/16 22/23"), (2, "01/02 15/16 22/23")] {
        let by_time =
            format!("UID:a\nRECURRENCE-ID;TZID=Europe/Berlin:20261208T000000\nSTATUS:CANCELLED\nSEQUENCE:{sequence}");
        assert_eq!(taken(&[&weekly, by_day, &by_time]), expected, "{sequence}");
    }
}

#[test]
fn a_series_that_goes_on_as_another_one_is_two() {
    let until = DAILY.replace("COUNT=6", "UNTIL=20261202T225959Z");
    let other = format!("{}\nRRULE:FREQ=DAILY;COUNT=2", at(3, "1100", "1200")) + "\nUID:a_R20261203T080000";
    assert_eq!(taken(&[&until, &other]), format!("{FIRST_TWO} 03T10:00/03T11:00 04T10:00/04T11:00"));
    // Copies of the rules within an exception are not followed: it is one occurrence.
    let copied = format!("{}\nRRULE:FREQ=DAILY;COUNT=6", single(2, 15));
    let expected = "01T08:00/01T09:00 02T14:00/02T15:00 03T08:00/03T09:00";
    assert!(taken(&[DAILY, &copied]).starts_with(expected));
}

#[test]
fn of_a_range_without_its_series_only_the_first_is_known_and_that_is_said() {
    let mut read = entries(&[&range(3, &at(3, "1100", "1200"))]);
    let Entry { event, unread, .. } = read.remove(0);
    assert_eq!((event.unwrap().occurrences.len(), unread.len()), (1, 1));
}

#[test]
fn of_too_many_exceptions_the_one_that_holds_for_those_that_are_kept_is_kept() {
    let minutely = "UID:a\nDTSTART:20261201T000000Z\nDURATION:PT10S\nRRULE:FREQ=MINUTELY";
    let early = "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261201T000000Z\nDTSTART:20261201T000030Z\nDURATION:PT20S";
    let singles: Vec<String> = (1..=1_001)
        .map(|minute| {
            format!("UID:a\nRECURRENCE-ID:20261201T{:02}{:02}00Z\nSTATUS:CANCELLED", minute / 60, minute % 60)
        })
        .collect();
    let events: Vec<&str> = [minutely, early].into_iter().chain(singles.iter().map(String::as_str)).collect();
    let found = entries(&events).remove(0);
    let event = found.event.unwrap();
    assert_eq!((event.occurrences.len(), event.occurrences[0].following, found.unread.len()), (1_001, true, 1));
    let window = ("2026-12-01T16:41:30Z".parse().unwrap(), "2026-12-01T16:43:00Z".parse().unwrap());
    let starts = instances(&event, &[], window, "UTC").list.into_iter().map(|one| crate::recurrence::text(one.start));
    assert_eq!(starts.collect::<Vec<_>>(), ["2026-12-01T16:42:30Z"]);
}
