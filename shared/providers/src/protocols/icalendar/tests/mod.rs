//! What is read of calendars, and how blocks are written.

mod costs;
mod ranges;
mod several;

use super::*;
use crate::{Block, Moment};
use hooktide_model::calendar::is_block;

const OWN: &str = "Ada@example.com";

/// A calendar of events, each given by its lines.
fn calendar(events: &[&str]) -> String {
    let events: Vec<String> =
        events.iter().map(|lines| format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", lines.trim())).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.concat())
}

fn read_all(text: &str) -> Vec<Entry> {
    let own_addresses = [OWN.to_owned()];
    let context = Context {
        calendar: "c",
        zone: Some("Europe/Berlin"),
        own_addresses: &own_addresses,
        share_titles: true,
        now: "2026-12-01T00:00:00Z".parse().unwrap(),
    };
    read(text, &context).unwrap()
}

fn one(lines: &str) -> Entry {
    let mut entries = read_all(&calendar(&[lines]));
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

fn event(lines: &str) -> CalendarEvent {
    one(lines).event.unwrap()
}

#[test]
fn a_text_that_is_not_a_whole_calendar_is_an_error() {
    let whole = calendar(&["UID:a\nDTSTART:20261201T080000Z"]);
    let half = &whole[..whole.len() / 2];
    let nested = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", "BEGIN:VEVENT\n".repeat(9));
    let page = "<!DOCTYPE html><html></html>";
    let headless = whole.trim_end().strip_suffix("END:VCALENDAR").unwrap();
    let more = format!("{whole}BEGIN:VCALENDAR\nBEGIN:VEVENT\n");
    for (texts, expected) in [
        (&["", " \r\n"][..], "empty"),
        (&[page], "web page"),
        (&["{}", "BEGIN:VCARD\nEND:VCARD\n"], "iCalendar"),
        (&[half, headless, "BEGIN:VCALENDAR", &more], "cut off"),
        (&[&nested], "nested"),
    ] {
        for text in texts {
            let context = Context {
                calendar: "c",
                zone: None,
                own_addresses: &[],
                share_titles: false,
                now: Timestamp::UNIX_EPOCH,
            };
            let wrong = read(text, &context).unwrap_err();
            assert!(wrong.contains(expected), "{text:?}: {wrong}");
        }
    }
    assert!(read_all("BEGIN:VCALENDAR\nEND:VCALENDAR").is_empty());
    assert_eq!(read_all(&format!("\u{feff}{whole}")).len(), 1);
    assert_eq!(read_all(&format!("{whole}{}", calendar(&["UID:b\nDTSTART:20261201"]))).len(), 2);
}

#[test]
fn starts_and_ends_are_points_in_time_or_days() {
    // The last crosses the night in which the clock is put back: a day of the calendar has 25 hours then.
    let cases = "
        DTSTART:20261201T080000Z DTEND:20261201T090000Z = 2026-12-01T08:00:00Z 2026-12-01T09:00:00Z UTC
        DTSTART;TZID=Europe/London:20260701T080000 DURATION:PT90M = 2026-07-01T07:00:00Z 2026-07-01T08:30:00Z Europe/London
        DTSTART;TZID=\"W._Europe_Standard_Time\":20260701T080000 = 2026-07-01T06:00:00Z 2026-07-01T06:00:00Z Europe/Berlin
        DTSTART;TZID=/a.net/Asia/Tokyo:20260701T080000 = 2026-06-30T23:00:00Z 2026-06-30T23:00:00Z Asia/Tokyo
        DTSTART:20260701T080000 = 2026-07-01T06:00:00Z 2026-07-01T06:00:00Z Europe/Berlin
        DTSTART;VALUE=DATE:20261201 = 2026-12-01 2026-12-02 -
        DTSTART;VALUE=DATE:20261201 DURATION:P1W = 2026-12-01 2026-12-08 -
        DTSTART;VALUE=DATE:20261201 DTEND;VALUE=DATE:20261201 = 2026-12-01 2026-12-02 -
        DTSTART:20261201 DTEND:20261203 = 2026-12-01 2026-12-03 -
        DTSTART:20261201 DTEND:20261202T120000 = 2026-12-01 2026-12-03 -
        DTSTART:20261201T080000Z DTEND;VALUE=DATE:20261202 = 2026-12-01T08:00:00Z 2026-12-01T23:00:00Z UTC
        dtstart:20261201T0800 _00Z dtend:20261201T09 _0000Z = 2026-12-01T08:00:00Z 2026-12-01T09:00:00Z UTC
        DTSTART;TZID=Europe/Berlin:20261024T120000 DURATION:P1D = 2026-10-24T10:00:00Z 2026-10-25T11:00:00Z Europe/Berlin";
    for case in cases.trim().lines() {
        let (lines, expected) = case.trim().split_once(" = ").unwrap();
        let lines = lines.replace(' ', "\n").replace('_', " ");
        let [start, end, zone] = expected.split(' ').collect::<Vec<_>>()[..] else { panic!("{expected}") };
        let zone = Some(zone).filter(|zone| *zone != "-");
        let entry = one(&format!("UID:a\n{lines}"));
        assert_eq!(entry.unread, Vec::<&str>::new(), "{lines}");
        let read = entry.event.unwrap();
        let found = (read.start.as_deref(), read.end.as_deref(), read.time_zone.as_deref());
        assert_eq!(found, (Some(start), Some(end), zone), "{lines}");
        assert_eq!(read.all_day, zone.is_none());
    }
}

#[test]
fn what_is_odd_is_said_and_costs_no_other_event() {
    let odd = [
        ("DTSTART:20261201T080000Z\nDTEND:20261201T070000Z", "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z"),
        ("DTSTART:20261201\nDTEND:20261101", "2026-12-01", "2026-12-02"),
        // What cannot be read is not there.
        ("DTSTART:20261201T080000Z\nDTEND:later", "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z"),
        ("DTSTART;TZID=Middle/Earth:20261201T080000", "2026-12-01T07:00:00Z", "2026-12-01T07:00:00Z"),
    ];
    for (lines, start, end) in odd {
        let entry = one(&format!("UID:a\n{lines}"));
        assert_eq!(entry.unread.len(), 1, "{lines}: {:?}", entry.unread);
        let read = entry.event.unwrap();
        assert_eq!((read.start.as_deref(), read.end.as_deref()), (Some(start), Some(end)), "{lines}");
    }
    let long = format!("UID:long\nDTSTART:20261201\nSUMMARY:{}", "x".repeat(100_000));
    let long_uid = format!("UID:{}\nDTSTART:20261201", "x".repeat(1_000));
    let rules = format!("UID:rules\nDTSTART:20261201T080000Z\nEXDATE:{}", "20261201T080000Z,".repeat(3_000));
    let many: Vec<String> = (0..2_000)
        .map(|day| format!("202612{:02}T{:02}{:02}00Z", day % 28 + 1, day / 28 % 24, day / 28 / 24))
        .collect();
    let too_long = format!("UID:too-long\nDTSTART:20261201T080000Z\nEXDATE:{}", many.join(","));
    let entries = read_all(&calendar(&[
        "UID:none",
        "UID:odd\nDTSTART:tomorrow",
        "UID:date\nDTSTART:20260230",
        "UID:good\nDTSTART:20261201",
        "DTSTART:20261202",
        "UID:odd-exception\nDTSTART:20261201T080000Z",
        "UID:odd-exception\nRECURRENCE-ID:never\nDTSTART:20261201T080000Z",
        &long,
        &long_uid,
        &rules,
        &too_long,
    ]));
    let read: Vec<&str> = entries.iter().filter(|entry| entry.event.is_ok()).map(|entry| entry.uid.as_str()).collect();
    assert_eq!(
        read.iter().map(|uid| uid.split("d-").next().unwrap()).collect::<Vec<_>>(),
        ["good", "od", "rules", "unname"]
    );
    assert_eq!(entries.len(), 10);
}

#[test]
fn a_series_has_its_rules_with_times_that_need_no_zone() {
    let read = event(
        "UID:a\nDTSTART;TZID=Europe/Berlin:20261001T090000\nDTEND;TZID=Europe/Berlin:20261001T100000\n\
         EXDATE;TZID=Europe/Berlin:20261102T090000,20261008T090000\nEXDATE;VALUE=DATE:20261015\n\
         RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20261016T090000/PT3H,20261017T090000/20261017T093000\n\
         EXRULE:FREQ=DAILY;COUNT=3\nRRULE;X-A=1: FREQ=WEEKLY;UNTIL=20261231T000000",
    );
    let expected = "RRULE:FREQ=WEEKLY;UNTIL=20261231T000000\nEXRULE:FREQ=DAILY;COUNT=3\n\
                    RDATE;VALUE=PERIOD:20261016T070000Z/20261016T100000Z,20261017T070000Z/20261017T073000Z\n\
                    EXDATE:20261008T070000Z,20261102T080000Z\nEXDATE;VALUE=DATE:20261015";
    assert_eq!(read.recurrence.join("\n"), expected);
    let days = event(
        "UID:a\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=DAILY\nEXDATE:20261002T000000\nRDATE;VALUE=DATE:20270101",
    );
    assert_eq!(days.recurrence, ["RRULE:FREQ=DAILY", "RDATE;VALUE=DATE:20270101", "EXDATE;VALUE=DATE:20261002"]);
}

#[test]
fn exceptions_are_within_their_series_and_the_newest_of_each_stays() {
    let events = "UID:a\nRECURRENCE-ID;TZID=Europe/Berlin:20261202T090000\nDTSTART:20261202T120000Z\nDTEND:20261202T130000Z\nSEQUENCE:1\n\n\
         UID:a\nDTSTART:20261130T070000Z\nSEQUENCE:1\nLAST-MODIFIED:20261101T000000Z\n\n\
         UID:a\nDTSTART:20261201T080000Z\nDTEND:20261201T090000Z\nRRULE:FREQ=DAILY\nSEQUENCE:2\n\n\
         UID:a\nDTSTART:20261130T080000Z\nSEQUENCE:1\nLAST-MODIFIED:20261102T000000Z\n\n\
         UID:a\nRECURRENCE-ID:20261203T080000Z\nSTATUS:CANCELLED\n\n\
         UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261204T080000Z\nTRANSP:TRANSPARENT\n\n\
         UID:a\nRECURRENCE-ID:20261202T080000Z\nDTSTART:20261202T100000Z\nSEQUENCE:0\n\n\
         UID:orphan\nRECURRENCE-ID:20261205T080000Z\nDTSTART:20261205T100000Z\nDTEND:20261205T110000Z";
    let entries = read_all(&calendar(&events.split("\n\n").collect::<Vec<_>>()));
    let [series, orphan] = &entries[..] else { panic!("{entries:#?}") };
    assert_eq!((series.sequence, series.last_modified), (Some(2), None));
    assert_eq!(series.unread, Vec::<&str>::new());
    let read = series.event.as_ref().unwrap();
    assert_eq!(read.start.as_deref(), Some("2026-12-01T08:00:00Z"));
    let shown: Vec<_> = read
        .occurrences
        .iter()
        .map(|occurrence| (occurrence.original_start.as_deref(), occurrence.start.as_deref(), occurrence.busy))
        .collect();
    let expected = [
        (Some("2026-12-02T08:00:00Z"), Some("2026-12-02T12:00:00Z"), true),
        (Some("2026-12-03T08:00:00Z"), None, false),
        (Some("2026-12-04T08:00:00Z"), Some("2026-12-04T08:00:00Z"), false),
    ];
    assert_eq!(shown, expected);
    assert_eq!(read.occurrences.iter().map(|one| one.following).collect::<Vec<_>>(), [false, false, true]);
    let orphan = orphan.event.as_ref().unwrap();
    assert_eq!((orphan.start.as_deref(), orphan.busy, orphan.occurrences.len()), (None, true, 1));
}

#[test]
fn an_exception_that_a_later_revision_of_its_series_has_no_more_is_dropped() {
    let exception =
        |sequence: i64| format!("UID:a\nRECURRENCE-ID:20261205T080000Z\nDTSTART:20261205T100000Z\nSEQUENCE:{sequence}");
    for (sequence, lines, kept) in [
        (1, "RRULE:FREQ=DAILY", 1),
        (1, "RRULE:FREQ=DAILY\nEXDATE:20261205T080000Z", 0),
        (2, "RRULE:FREQ=DAILY\nEXDATE:20261205T080000Z", 0),
        (2, "RRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20261205", 0),
        (3, "RRULE:FREQ=DAILY\nEXDATE:20261205T080000Z", 1),
        (1, "RRULE:FREQ=DAILY;UNTIL=20261204T000000Z", 0),
        (1, "RRULE:FREQ=DAILY;UNTIL=20261204T000000Z\nRDATE:20261205T080000Z", 1),
        (2, "RRULE:FREQ=DAILY;UNTIL=20261204T000000Z", 1),
    ] {
        let series = format!("UID:a\nDTSTART:20261201T080000Z\nSEQUENCE:2\n{lines}");
        let entries = read_all(&calendar(&[&exception(sequence), &series]));
        assert_eq!(entries[0].event.as_ref().unwrap().occurrences.len(), kept, "{sequence} {lines}");
    }
}

#[test]
fn time_is_taken_unless_it_is_free_declined_or_cancelled() {
    let attendee = |answer: &str| format!("ATTENDEE;PARTSTAT={answer};CN=\"Ada: L\":mailto:ADA@example.com");
    let cases = [
        (String::new(), true, false),
        ("STATUS:CONFIRMED".to_owned(), true, false),
        ("STATUS:TENTATIVE".to_owned(), true, true),
        ("STATUS:CANCELLED".to_owned(), false, false),
        ("TRANSP:TRANSPARENT".to_owned(), false, false),
        ("TRANSP:OPAQUE".to_owned(), true, false),
        ("TRANSP:OPAQUE\nX-MICROSOFT-CDO-BUSYSTATUS:FREE".to_owned(), false, false),
        ("TRANSP:TRANSPARENT\nX-MICROSOFT-CDO-BUSYSTATUS:OOF".to_owned(), true, false),
        ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE".to_owned(), true, true),
        ("STATUS:CANCELLED\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY".to_owned(), false, false),
        (attendee("DECLINED"), false, false),
        (attendee("ACCEPTED"), true, false),
        (attendee("TENTATIVE"), true, true),
        (attendee("NEEDS-ACTION"), true, true),
        (format!("{}\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", attendee("DECLINED")), false, false),
        ("ATTENDEE:mailto:ada@example.com".to_owned(), true, true),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.com".to_owned(), true, false),
        ("ATTENDEE;PARTSTAT=DECLINED:ada@example.com".to_owned(), false, false),
    ];
    for (lines, busy, tentative) in cases {
        let read = event(&format!("UID:a\nDTSTART:20261201T080000Z\n{lines}"));
        assert_eq!((read.busy, read.tentative), (busy, tentative), "{lines}");
    }
    assert_eq!(
        event(&format!("UID:a\nDTSTART:20261201\n{}", attendee("DECLINED"))).response.as_deref(),
        Some("declined")
    );
}

#[test]
fn titles_are_kept_only_where_they_are_shared() {
    let text =
        calendar(&["UID:a\nDTSTART:20261201\nSUMMARY;LANGUAGE=en:Lunch\\, then\\n more\\; \u{e4}\nCLASS:PRIVATE"]);
    for (share_titles, expected) in [(true, Some("Lunch, then\n more; \u{e4}")), (false, None)] {
        let context =
            Context { calendar: "c", zone: None, own_addresses: &[], share_titles, now: Timestamp::UNIX_EPOCH };
        let read = read(&text, &context).unwrap().remove(0).event.unwrap();
        assert_eq!(read.title.as_deref(), expected);
        assert_eq!(read.visibility.as_deref(), Some("private"));
    }
}

#[test]
fn only_events_are_read_of_a_calendar() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:t\nDTSTART:20261201\nEND:VTODO\nBEGIN:VFREEBUSY\nUID:f\n\
                FREEBUSY:20261201T080000Z/PT1H\nEND:VFREEBUSY\nBEGIN:VEVENT\nUID:e\nBEGIN:VALARM\nUID:alarm\n\
                DTSTART:20200101\nTRIGGER:-PT15M\nEND:VALARM\nDTSTART:20261201\nEND:VEVENT\nEND:VCALENDAR\n";
    let entries = read_all(text);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].uid, "e");
    assert_eq!(entries[0].event.as_ref().unwrap().start.as_deref(), Some("2026-12-01"));
}

/// A time zone whose identifier says nothing, with an event in it.
fn described(standard: (&str, &str), daylight: Option<(&str, &str)>) -> String {
    let (offset, rule) = standard;
    let other = daylight.map_or(offset, |(offset, _)| offset);
    let part = |name: &str, from: &str, to: &str, rule: &str| {
        let rule = if rule.is_empty() { String::new() } else { format!("RRULE:{rule}\n") };
        format!("BEGIN:{name}\nDTSTART:16010101T020000\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rule}END:{name}\n")
    };
    let daylight = daylight.map_or(String::new(), |(to, rule)| part("DAYLIGHT", offset, to, rule));
    format!(
        "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Customized Time Zone\n{}{daylight}END:VTIMEZONE\n\
         BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Customized Time Zone:20260701T080000\nEND:VEVENT\nEND:VCALENDAR\n",
        part("STANDARD", other, offset, rule),
    )
}

#[test]
fn a_zone_of_an_unknown_name_is_known_by_its_rules() {
    let autumn = "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10";
    let spring = "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3";
    for (standard, daylight, expected, start) in [
        (("+0100", autumn), Some(("+0200", spring)), "Europe/Berlin", "2026-07-01T06:00:00Z"),
        (
            ("-0500", "FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"),
            Some(("-0400", "FREQ=YEARLY;BYDAY=2SU;BYMONTH=3")),
            "America/New_York",
            "2026-07-01T12:00:00Z",
        ),
        (("+0530", ""), None, "Asia/Kolkata", "2026-07-01T02:30:00Z"),
        (("+0000", ""), None, "UTC", "2026-07-01T08:00:00Z"),
        // Nobody moves the clock so: what holds now is kept.
        (
            ("+0300", "FREQ=YEARLY;BYMONTH=1"),
            Some(("+0600", "FREQ=YEARLY;BYMONTH=7")),
            "Etc/GMT-6",
            "2026-07-01T02:00:00Z",
        ),
    ] {
        let entries = read_all(&described(standard, daylight));
        let read = entries[0].event.as_ref().unwrap();
        assert_eq!((read.time_zone.as_deref(), read.start.as_deref()), (Some(expected), Some(start)));
    }
}

#[test]
fn a_calendar_may_have_a_zone_for_times_that_name_none() {
    let text = calendar(&["UID:a\nDTSTART:20260701T080000"]).replace("VERSION:2.0", "X-WR-TIMEZONE:Asia/Tokyo");
    let read = read_all(&text).remove(0).event.unwrap();
    assert_eq!(read.start.as_deref(), Some("2026-06-30T23:00:00Z"));
    assert_eq!(read.time_zone.as_deref(), Some("Asia/Tokyo"));
}

#[test]
fn a_calendar_of_too_many_events_is_read_so_far_and_the_rest_is_named() {
    let events: Vec<String> = (0..MOST_EVENTS + 2).map(|number| format!("UID:{number:06}\nDTSTART:20261201")).collect();
    let entries = read_all(&calendar(&events.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(entries.len(), MOST_EVENTS + 2);
    assert_eq!(entries[MOST_EVENTS].event, Err(TOO_MANY));
    assert!(entries[MOST_EVENTS - 1].event.is_ok());
}

fn a_block(start: Moment, end: Moment, title: &str) -> Block {
    Block { key: format!("hooktide{}", "0".repeat(32)), start, end, title: title.to_owned() }
}

#[test]
fn a_block_is_read_as_it_was_written() {
    let at = |text: &str| Moment::At(text.parse().unwrap());
    let day = |text: &str| Moment::Day(text.parse().unwrap());
    let now: Timestamp = "2026-12-01T00:00:00.5Z".parse().unwrap();
    let title = format!("Busy, \\n; {}", "\u{1f4c5}\u{e4}".repeat(30));
    for (start, end) in [
        (at("2026-12-01T08:00:00Z"), at("2026-12-01T09:00:00Z")),
        (at("2026-12-01T08:00:00Z"), at("2026-12-01T08:00:00Z")),
        (day("2026-12-01"), day("2026-12-03")),
    ] {
        let block = a_block(start, end, &title);
        let text = super::block(&block, now);
        assert!(text.ends_with("END:VCALENDAR\r\n") && text.lines().all(|line| line.len() <= 75), "{text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let read = read_all(&text).remove(0);
        assert_eq!(read.unread, Vec::<&str>::new());
        let read = read.event.unwrap();
        assert!(read.own_block && read.busy && is_block(read.uid.as_deref().unwrap()));
        assert_eq!(read.title.as_deref(), Some(title.as_str()));
        let shown = [start, end].map(|moment| Some(crate::recurrence::text(moment)));
        assert_eq!([read.start, read.end], shown);
    }
}

#[test]
fn a_block_has_nothing_but_what_it_needs() {
    let at = |text: &str| Moment::At(text.parse().unwrap());
    let block = a_block(at("2026-12-01T08:00:00Z"), at("2026-12-01T09:00:00Z"), "Busy");
    let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Hooktide//Hooktide//EN\r\nBEGIN:VEVENT\r\n\
                    UID:hooktide00000000000000000000000000000000\r\nDTSTAMP:20261201T000000Z\r\n\
                    DTSTART:20261201T080000Z\r\nDTEND:20261201T090000Z\r\nSUMMARY:Busy\r\nTRANSP:OPAQUE\r\n\
                    CLASS:PRIVATE\r\nX-HOOKTIDE-BLOCK:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(super::block(&block, "2026-12-01T00:00:00Z".parse().unwrap()), expected);
}

#[test]
fn own_blocks_are_known_by_their_marker_or_their_identifier() {
    let key = format!("hooktide{}", "a".repeat(32));
    for (lines, expected) in [
        ("UID:a", false),
        ("UID:a\nX-HOOKTIDE-BLOCK:1", true),
        (&format!("UID:{key}"), true),
        (&format!("UID:{key}@google.com"), true),
        (&format!("UID:a\nSUMMARY:{key}"), false),
    ] {
        assert_eq!(event(&format!("{lines}\nDTSTART:20261201")).own_block, expected, "{lines}");
    }
}

#[test]
fn calendars_that_say_the_same_have_one_normal_form() {
    let one = calendar(&["UID:b\nDTSTART:20261201\nDTSTAMP:20261101T000000Z", "UID:a\nDTSTART:20261202\nSUMMARY:x"]);
    let same = calendar(&[
        "DTSTAMP:20261102T000000Z\nSUMMARY:x\nUID:a\nDESCRIPTION:y\nDTSTART:2026\n 1202\nLAST-MODIFIED:20261101T000000Z",
        "UID:b\nDTSTART:20261201",
    ]);
    assert_eq!(normalised(&one), normalised(&same.replace('\n', "\r\n").replace("VERSION:2.0", "PRODID:other")));
    for other in [
        one.replace("20261202", "20261203"),
        one.replace("UID:a", "UID:c"),
        calendar(&["UID:a\nDTSTART:20261202\nSUMMARY:x"]),
        one.replace("SUMMARY:x", "SUMMARY:x\nRRULE:FREQ=DAILY"),
        one.replace("VERSION:2.0", "X-WR-TIMEZONE:Asia/Tokyo"),
    ] {
        assert_ne!(normalised(&one), normalised(&other), "{other}");
    }
    assert_eq!(normalised("<html>"), "<html>");
}

#[test]
fn zones_are_known_by_the_names_that_programs_give_them() {
    let names = "
        europe/berlin = Europe/Berlin
        Pacific Standard Time = America/Los_Angeles
        (UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna = Europe/Berlin
        /mozilla.org/20050126_1/America/Argentina/Buenos_Aires = America/Argentina/Buenos_Aires
        UTC = UTC
        Middle/Earth =
        =";
    for case in names.trim().lines() {
        let (name, expected) = case.split_once('=').unwrap();
        let (name, expected) = (name.trim(), Some(expected.trim()).filter(|expected| !expected.is_empty()));
        let named = zone_named(name);
        let same = |name: &str| crate::zones::by_name(name).unwrap().to_offset("2026-07-01T00:00:00Z".parse().unwrap());
        assert_eq!(named.is_some(), expected.is_some(), "{name}");
        if let (Some(named), Some(expected)) = (&named, expected) {
            assert_eq!(same(named), same(expected), "{name}: {named}");
        }
    }
}

#[test]
fn a_zone_with_a_number_is_the_one_without_where_outlook_added_it() {
    for (name, start, is_known) in [
        ("GMT Standard Time 1", "2026-07-01T07:00:00Z", true),
        ("Eastern Standard Time 12", "2026-07-01T12:00:00Z", true),
        ("UTC", "2026-07-01T08:00:00Z", true),
        // Times of a zone that nobody knows are those of the calendar, and that is said.
        ("UTC 3", "2026-07-01T06:00:00Z", false),
        ("GMT 2", "2026-07-01T06:00:00Z", false),
    ] {
        let entry = one(&format!("UID:a\nDTSTART;TZID={name}:20260701T080000"));
        assert_eq!((entry.event.unwrap().start.as_deref(), entry.unread.is_empty()), (Some(start), is_known), "{name}");
    }
}

/// Lines of calendars, whole and broken, of which texts are made.
const LINES: &str = "BEGIN:VCALENDAR
END:VCALENDAR
BEGIN:VEVENT
END:VEVENT
BEGIN:VTIMEZONE
END:VTIMEZONE
BEGIN:STANDARD
END:STANDARD
END:\u{e4}
TZID:X
TZOFFSETFROM:+9999
TZOFFSETTO:-0100
UID:a
UID:b
DTSTART;TZID=X:99991231T235959
DTSTART:00010101T000000Z
DTSTART;VALUE=DATE:20261201
DTEND:99991231T235959Z
DTEND;TZID=X:00010101T000000
DURATION:P4294967295W
DURATION:-PT4294967295S
RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T080000Z
RRULE:FREQ=SECONDLY;COUNT=4294967295
RRULE:FREQ=YEARLY;INTERVAL=1000000000;BYDAY=53MO;BYSETPOS=-366
RRULE:FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;UNTIL=00010101
RRULE:FREQ=HOURLY;BYWEEKNO=53;BYYEARDAY=-366;BYSECOND=60
RDATE;VALUE=PERIOD:99991231T235959Z/P4294967295D,00010101T000000/PT1H
EXDATE;TZID=\"X\":99991231T235959
EXRULE:FREQ=MINUTELY
SUMMARY:\\
 \u{e4}
:
;

";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_brings_it_down(places in proptest::collection::vec(0..LINES.lines().count(), 0..40), whole: bool) {
        let lines: Vec<&str> = places.into_iter().filter_map(|place| LINES.lines().nth(place)).collect();
        let text = lines.join("\r\n");
        let text = if whole { calendar(&[&text, "UID:c\nDTSTART:20261201"]) } else { text };
        let context = Context { calendar: "c", zone: Some("X"), own_addresses: &[], share_titles: true, now: Timestamp::MAX };
        let entries = read(&text, &context).unwrap_or_default();
        let windows = [
            (Timestamp::MIN, Timestamp::MAX),
            ("2026-12-01T00:00:00Z".parse().unwrap(), "2027-02-01T00:00:00Z".parse().unwrap()),
        ];
        for event in entries.into_iter().filter_map(|entry| entry.event.ok()) {
            for window in windows {
                proptest::prop_assert!(crate::instances(&event, &[], window, "Asia/Tokyo").list.len() <= 1_000);
            }
        }
        proptest::prop_assert!(normalised(&text).len() <= 2 * text.len() + 100);
    }
}
