//! What takes place when.

use super::*;
use crate::Moment;
use hooktide_model::calendar::{CalendarEvent, Occurrence};
use jiff::Timestamp;

fn event(start: &str, end: &str, zone: Option<&str>, recurrence: &[&str]) -> CalendarEvent {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    CalendarEvent {
        id: "series".to_owned(),
        calendar: "c".to_owned(),
        uid: None,
        title: None,
        series: None,
        recurrence: recurrence.iter().map(|line| (*line).to_owned()).collect(),
        occurrences: Vec::new(),
        original_start: None,
        start: text(start),
        end: text(end),
        all_day: !start.contains('T'),
        time_zone: zone.map(str::to_owned),
        status: None,
        busy: true,
        tentative: false,
        response: None,
        event_type: None,
        visibility: None,
        own_block: false,
        updated_at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn within(event: &CalendarEvent, from: &str, to: &str) -> Instances {
    instances(event, &[], (at(from), at(to)), "Europe/Berlin")
}

fn shown(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

fn starts(found: &Instances) -> Vec<String> {
    found.list.iter().map(|instance| shown(instance.start)).collect()
}

fn spans(found: &Instances) -> Vec<String> {
    found.list.iter().map(|instance| format!("{}/{}", shown(instance.start), shown(instance.end))).collect()
}

#[test]
fn a_single_event_takes_place_once_or_not_within_the_window() {
    for (start, end, expected) in [
        ("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z", vec!["2026-12-01T08:00:00Z/2026-12-01T09:00:00Z"]),
        ("2026-11-30T22:00:00Z", "2026-12-01T00:00:00Z", vec![]),
        ("2026-11-30T22:00:00Z", "2026-12-01T00:00:01Z", vec!["2026-11-30T22:00:00Z/2026-12-01T00:00:01Z"]),
        ("2026-12-01T00:00:00Z", "", vec!["2026-12-01T00:00:00Z/2026-12-01T00:00:00Z"]),
        ("2026-12-01T08:00:00Z", "2026-12-01T07:00:00Z", vec!["2026-12-01T08:00:00Z/2026-12-01T08:00:00Z"]),
        ("2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z", vec![]),
        ("2000-01-01T00:00:00Z", "2030-01-01T00:00:00Z", vec!["2000-01-01T00:00:00Z/2030-01-01T00:00:00Z"]),
        ("2026-12-01", "2026-12-02", vec!["2026-12-01/2026-12-02"]),
        ("2026-12-01", "2026-12-01", vec!["2026-12-01/2026-12-02"]),
        ("2026-12-01", "2026-11-20", vec!["2026-12-01/2026-12-02"]),
        ("2026-12-01", "", vec!["2026-12-01/2026-12-02"]),
        // In Berlin, the day begins an hour earlier than in UTC.
        ("2026-12-02", "2026-12-03", vec!["2026-12-02/2026-12-03"]),
        ("2026-12-03", "2026-12-04", vec![]),
    ] {
        let found = within(&event(start, end, None, &[]), "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z");
        assert_eq!(spans(&found), expected, "{start} {end}");
        assert!(!found.cut && found.unread.is_none());
    }
}

#[test]
fn a_series_keeps_the_clock_of_its_zone_across_daylight_saving() {
    let weekly = event("2026-10-18T07:00:00Z", "2026-10-18T08:00:00Z", Some("Europe/Berlin"), &["RRULE:FREQ=WEEKLY"]);
    let found = within(&weekly, "2026-10-18T00:00:00Z", "2026-11-05T00:00:00Z");
    assert_eq!(starts(&found), ["2026-10-18T07:00:00Z", "2026-10-25T08:00:00Z", "2026-11-01T08:00:00Z"]);
    // At half past two in the night, which one Sunday lacks and another has twice.
    let nightly = |day: &str| {
        let start = format!("2026-{day}T01:30:00[Europe/Berlin]").replace("01:30", "02:30");
        let start: jiff::Zoned = start.parse().unwrap();
        let start = start.timestamp().to_string();
        event(&start, "", Some("Europe/Berlin"), &["RRULE:FREQ=DAILY;COUNT=3"])
    };
    let found = within(&nightly("03-28"), "2026-03-01T00:00:00Z", "2026-04-05T00:00:00Z");
    assert_eq!(starts(&found), ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
    let found = within(&nightly("10-24"), "2026-10-01T00:00:00Z", "2026-11-05T00:00:00Z");
    assert_eq!(starts(&found), ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn a_start_that_the_clock_skips_is_found_from_wherever_the_window_begins() {
    let start = "2026-03-28T01:30:00Z";
    let nightly = event(start, "", Some("Europe/Berlin"), &["RRULE:FREQ=DAILY"]);
    for (from, to, expected) in [
        ("2026-03-29T01:15:00Z", "2026-03-29T01:45:00Z", vec!["2026-03-29T01:30:00Z"]),
        ("2026-03-29T00:15:00Z", "2026-03-29T01:15:00Z", vec![]),
        ("2026-10-25T00:15:00Z", "2026-10-25T00:45:00Z", vec!["2026-10-25T00:30:00Z"]),
        ("2026-10-25T01:15:00Z", "2026-10-25T01:45:00Z", vec![]),
    ] {
        assert_eq!(starts(&within(&nightly, from, to)), expected, "{from}");
    }
}

#[test]
fn days_recur_as_days_wherever_the_person_is() {
    let daily = event("2026-03-27", "2026-03-28", Some("UTC"), &["RRULE:FREQ=DAILY;UNTIL=20260330T120000Z"]);
    let found = within(&daily, "2026-03-27T23:00:00Z", "2026-04-03T00:00:00Z");
    assert_eq!(spans(&found), ["2026-03-28/2026-03-29", "2026-03-29/2026-03-30", "2026-03-30/2026-03-31"]);
    let here = instances(&daily, &[], (at("2026-03-28T00:00:00Z"), at("2026-03-28T01:00:00Z")), "America/New_York");
    assert_eq!(starts(&here), ["2026-03-27"], "there it is still the day before");
}

#[test]
fn excluded_starts_count_and_are_found_by_their_kind_and_zone() {
    for (line, missing) in [
        ("EXDATE:20261202T080000Z", Some(1)),
        ("EXDATE;TZID=Europe/Berlin:20261202T090000", Some(1)),
        ("EXDATE;TZID=\"America/New_York\":20261202T030000", Some(1)),
        ("EXDATE:20261202T090000", Some(1)),
        ("EXDATE;VALUE=DATE:20261202", Some(1)),
        ("EXDATE:20261202T090000Z", None),
        ("EXDATE:20261130T080000Z,20261203T080000Z", Some(2)),
        ("EXRULE:FREQ=DAILY;INTERVAL=3", Some(0)),
    ] {
        let daily = event(
            "2026-12-01T08:00:00Z",
            "2026-12-01T09:00:00Z",
            Some("Europe/Berlin"),
            &["RRULE:FREQ=DAILY;COUNT=3", line],
        );
        let found = within(&daily, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let mut expected = vec!["2026-12-01T08:00:00Z", "2026-12-02T08:00:00Z", "2026-12-03T08:00:00Z"];
        if let Some(missing) = missing {
            expected.remove(missing);
        }
        assert_eq!(starts(&found), expected, "{line}");
        assert_eq!(found.unread, None, "{line}");
    }
}

#[test]
fn added_starts_may_have_an_end_of_their_own() {
    let added = event(
        "2026-12-01T08:00:00Z",
        "2026-12-01T09:00:00Z",
        Some("Europe/Berlin"),
        &[
            "RDATE:20261205T080000Z",
            "RDATE;VALUE=DATE:20261207",
            "RDATE;VALUE=PERIOD:20261206T080000Z/20261206T120000Z,20261208T080000Z/P1DT1H",
        ],
    );
    let found = within(&added, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let expected = "2026-12-01T08:00:00Z/2026-12-01T09:00:00Z 2026-12-05T08:00:00Z/2026-12-05T09:00:00Z \
                    2026-12-06T08:00:00Z/2026-12-06T12:00:00Z 2026-12-07T08:00:00Z/2026-12-07T09:00:00Z \
                    2026-12-08T08:00:00Z/2026-12-09T09:00:00Z";
    assert_eq!(spans(&found).join(" "), expected);
}

#[test]
fn a_series_ends_by_its_count_or_at_its_last_time() {
    let ends = "COUNT=2 2 UNTIL=20261203T080000Z 3 UNTIL=20261203T075959Z 2 UNTIL=20261203T090000 3 UNTIL=20261203 3 \
                UNTIL=20261130T000000Z 0 COUNT=-1 31";
    for case in ends.split(' ').collect::<Vec<_>>().chunks(2) {
        let (rule, expected): (&str, usize) = (case[0], case[1].parse().unwrap());
        let daily = event("2026-12-01T08:00:00Z", "", Some("Europe/Berlin"), &[&format!("RRULE:FREQ=DAILY;{rule}")]);
        let found = within(&daily, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!(found.list.len(), expected, "{rule}");
    }
    // A first start that the rule does not name belongs to the series, and counts.
    let unnamed = event("2026-12-01T08:00:00Z", "", None, &["RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2"]);
    let found = within(&unnamed, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    assert_eq!(starts(&found), ["2026-12-01T08:00:00Z", "2026-12-07T08:00:00Z"]);
}

#[test]
fn rules_without_an_end_are_followed_from_the_window_and_not_from_their_beginning() {
    for (start, rule, expected, cut) in [
        ("1996-01-01T08:00:00Z", "FREQ=DAILY", 31, false),
        ("1996-01-01T08:00:00Z", "FREQ=DAILY;COUNT=11300", 8, false),
        ("1996-01-01T08:00:00Z", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", 23, false),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY", 1_000, true),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY;COUNT=400000000", 1_000, true),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY;COUNT=100000000", 0, false),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0,30;COUNT=400000000", 0, true),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0", 31, false),
        ("2016-01-01T00:00:00Z", "FREQ=MINUTELY;INTERVAL=1440", 31, false),
        ("2016-01-01T00:00:00Z", "FREQ=HOURLY;INTERVAL=7", 106, false),
        ("2016-01-01T00:00:00Z", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", 0, false),
        ("2016-01-01T00:00:00Z", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=9", 0, false),
        ("2016-01-01T00:00:00Z", "FREQ=YEARLY;INTERVAL=1000000000", 0, false),
        ("0001-01-01T00:00:00Z", "FREQ=HOURLY;BYHOUR=1,2;COUNT=99999999", 0, true),
        ("2016-01-01T00:00:00Z", "FREQ=DAILY;BYHOUR=0,6,12,18;BYMINUTE=0;BYSETPOS=-1", 31, false),
    ] {
        let series = event(start, "", Some("UTC"), &[&format!("RRULE:{rule}")]);
        let found = within(&series, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!((found.list.len(), found.cut), (expected, cut), "{rule}");
    }
}

#[test]
fn rules_are_followed_for_so_many_days_whatever_their_intervals_are() {
    // Years are looked at day by day.
    let never = "FREQ=YEARLY;COUNT=9;BYMONTH=2;BYMONTHDAY=30";
    for (start, cut) in [("1604-01-01T00:00:00Z", false), ("1204-01-01T00:00:00Z", true)] {
        let series = event(start, "", Some("UTC"), &[&format!("RRULE:{never}")]);
        assert_eq!(within(&series, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z").cut, cut, "{start}");
    }
}

#[test]
fn starts_are_looked_at_once_however_many_are_left_out() {
    let hours = (0..1_000).map(|hour| at("2026-12-01T00:00:00Z") + jiff::SignedDuration::from_hours(hour));
    let mut starts = hours.map(|hour| (Moment::At(hour), None)).collect();
    let days = (1..=20).map(|day| Moment::Day(jiff::civil::date(2026, 12, day)));
    let mut looked = 0;
    let originals = days.cycle().take(1_000);
    super::instances::leave_out(&mut starts, originals, |moment| {
        looked += 1;
        super::moment::day_in(moment, &jiff::tz::TimeZone::UTC)
    });
    assert_eq!((starts.len(), looked), (1_000 - 20 * 24, 1_020));
}

#[test]
fn a_long_event_that_recurs_daily_is_bounded() {
    let long = event("1990-01-01T00:00:00Z", "2020-01-01T00:00:00Z", Some("UTC"), &["RRULE:FREQ=DAILY"]);
    let found = within(&long, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    assert_eq!((found.list.len(), found.cut), (1_000, true));
}

#[test]
fn exceptions_within_a_series_replace_what_they_name() {
    let exception = |original: &str, start: Option<&str>, end: Option<&str>| Occurrence {
        id: None,
        original_start: Some(original.to_owned()),
        start: start.map(str::to_owned),
        end: end.map(str::to_owned),
        busy: start.is_some(),
        tentative: original.ends_with("05T08:00:00Z"),
        following: false,
    };
    let mut daily =
        event("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z", Some("Europe/Berlin"), &["RRULE:FREQ=DAILY;COUNT=5"]);
    daily.occurrences = vec![
        exception("2026-12-02T08:00:00Z", None, None),
        exception("2026-12-03T08:00:00Z", Some("2026-12-09T10:00:00Z"), Some("2026-12-09T12:00:00Z")),
        exception("2026-12-04", Some("2026-12-04"), Some("2026-12-05")),
        exception("2026-12-05T08:00:00Z", Some("2026-12-05T08:00:00Z"), None),
        exception("2026-12-24T08:00:00Z", Some("2026-12-24T08:00:00Z"), Some("2026-12-24T08:30:00Z")),
    ];
    let found = within(&daily, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let expected = "2026-12-01T08:00:00Z/2026-12-01T09:00:00Z 2026-12-04/2026-12-05 \
                    2026-12-05T08:00:00Z/2026-12-05T09:00:00Z 2026-12-09T10:00:00Z/2026-12-09T12:00:00Z \
                    2026-12-24T08:00:00Z/2026-12-24T08:30:00Z";
    assert_eq!(spans(&found).join(" "), expected);
    assert_eq!(found.list[3].original, "2026-12-03T08:00:00Z");
    assert_eq!(found.list.iter().filter(|instance| instance.tentative).count(), 1);
    // Without the series, only what was changed is known.
    (daily.start, daily.end, daily.recurrence) = (None, None, Vec::new());
    assert_eq!(within(&daily, "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z").list.len(), 4);
}

#[test]
fn exceptions_apart_hide_what_they_name_and_are_expanded_by_themselves() {
    let daily =
        event("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z", Some("Europe/Berlin"), &["RRULE:FREQ=DAILY;COUNT=3"]);
    let apart = |id: &str, series: &str, start: &str| CalendarEvent {
        id: id.to_owned(),
        series: Some(series.to_owned()),
        original_start: Some("2026-12-02T08:00:00Z".to_owned()),
        ..event(start, "2026-12-02T12:00:00Z", Some("Europe/Berlin"), &[])
    };
    let (moved, other, hole) = (
        apart("m", "series", "2026-12-02T11:00:00Z"),
        apart("o", "other", "2026-12-02T11:00:00Z"),
        apart("h", "series", ""),
    );
    let window = (at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let found = |apart: &[&CalendarEvent]| instances(&daily, apart, window, "UTC").list.len();
    assert_eq!((found(&[]), found(&[&other]), found(&[&moved]), found(&[&hole])), (3, 3, 2, 2));
    let own = instances(&moved, &[], window, "UTC");
    assert_eq!(own.list.len(), 1);
    assert_eq!(own.list[0].original, "2026-12-02T08:00:00Z");
    assert_eq!(instances(&hole, &[], window, "UTC"), Instances::default());
}

#[test]
fn occurrences_that_a_provider_lists_are_all_there_is() {
    let mut listed = event("2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z", Some("UTC"), &[]);
    let occurrence = |start: &str| Occurrence {
        id: Some(format!("id-{start}")),
        original_start: None,
        start: Some(start.to_owned()),
        end: Some("2026-12-07T09:00:00Z".to_owned()),
        busy: true,
        tentative: false,
        following: false,
    };
    listed.occurrences = vec![occurrence("2026-12-07T08:00:00Z"), occurrence("yesterday")];
    let found = within(&listed, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    assert_eq!(spans(&found), ["2026-12-07T08:00:00Z/2026-12-07T09:00:00Z"]);
    assert_eq!(found.list[0].original, "id-2026-12-07T08:00:00Z");
    assert!(found.unread.is_some());
}

#[test]
fn what_cannot_be_read_is_said_and_costs_nothing_else() {
    for (start, zone, lines, expected) in [
        ("2026-12-01T08:00:00Z", "Middle/Earth", &["RRULE:FREQ=DAILY;COUNT=2"][..], 2),
        ("2026-12-01T08:00:00Z", "UTC", &["RRULE:FREQ=NEVER"], 1),
        ("2026-12-01T08:00:00Z", "UTC", &["RRULE:FREQ=DAILY;COUNT=2", "EXDATE:tomorrow,20261202T080000Z"], 1),
        ("2026-12-01T08:00:00Z", "UTC", &["RRULE:FREQ=DAILY;COUNT=2", "EXDATE;TZID=Mars:20261202T080000"], 1),
        ("2026-12-01T08:00:00Z", "UTC", &["RDATE;VALUE=PERIOD:20261202T080000Z/soon"], 2),
        ("2026-12-01T08:00:00Z", "UTC", &["RRULE"], 1),
        ("2026-12-01T08:00:00Z", "UTC", &["DTSTART:20261201T080000Z"], 1),
        ("tomorrow", "UTC", &["RRULE:FREQ=DAILY"], 0),
    ] {
        let found = within(&event(start, "", Some(zone), lines), "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_eq!(found.list.len(), expected, "{zone} {lines:?}");
        assert!(found.unread.is_some(), "{zone} {lines:?}");
    }
    let odd_home = instances(
        &event("2026-12-01", "", None, &[]),
        &[],
        (at("2026-12-01T00:00:00Z"), at("2026-12-02T00:00:00Z")),
        "Mars",
    );
    assert_eq!((odd_home.list.len(), odd_home.unread.is_some()), (1, true));
}
