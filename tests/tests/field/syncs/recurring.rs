//! Series in feeds: what they add, leave out and change, by the texts that others expanded otherwise.

use serde_json::{Value, json};

use super::Seen;
use super::feeds::{one, taken};

/// A calendar with these events, each given by its lines.
pub(super) fn several(events: &[&str]) -> String {
    let lines: Vec<&str> = events.iter().map(|lines| lines.trim()).collect();
    one(&lines.join("\nEND:VEVENT\nBEGIN:VEVENT\nUID:one\nDTSTAMP:20180101T000000Z\n"))
}

/// What is taken on so many days from one on.
fn from(day: &str, days: i64, text: &str) -> Value {
    let from: jiff::civil::Date = day.parse().expect("a day");
    let to = from.saturating_add(jiff::Span::new().days(days));
    taken(text, (&format!("{from}T00:00:00Z"), &format!("{to}T00:00:00Z")))
}

const BY_DAYS: &str = "DTSTART;TZID=Europe/Vienna:20240317T100000
            DTEND;TZID=Europe/Vienna:20240317T150000
            RRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20240526T080000Z
            EXDATE;VALUE=DATE:20240331
            EXDATE;VALUE=DATE:20240421
            EXDATE;VALUE=DATE:20240505
            EXDATE;VALUE=DATE:20240519
            EXDATE;VALUE=DATE:20240324";
const BY_DAYS_UNSAID: &str = "DTSTART:20201110T080000
            DTEND:20201110T110000
            EXDATE:20201126,20201127
            RRULE:FREQ=WEEKLY;BYDAY=MO,TH";
const PERIOD: &str = "DTSTART:20230324T080000Z
            DURATION:PT1H
            RRULE:FREQ=DAILY;UNTIL=20230328T230000Z
            RDATE;VALUE=PERIOD:20230325T120000Z/PT3H";
const PERIOD_IN_ZONE: &str = "DTSTART;TZID=Europe/Brussels:20221021T160000
            DURATION:PT1H
            RDATE;VALUE=PERIOD;TZID=Europe/Brussels:20221022T160000/20221022T170000";
const DATES: &str = "DTSTART;TZID=Europe/Berlin:20150605T140000
            DTEND;TZID=Europe/Berlin:20150605T150000
            RDATE;TZID=Europe/Berlin:20150612T140000,20150619T140000,20150626T140000";
const BI_DAILY: &str = "DTSTART:20240901T120000Z
            DTEND:20240901T140000Z
            RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20250920
            SEQUENCE:0";
const FROM_13: &str = "RECURRENCE-ID;RANGE=THISANDFUTURE:20240913T120000Z
            DTSTART:20240913T090000Z
            DTEND:20240913T160000Z
            SEQUENCE:1";
const FROM_17: &str = "RECURRENCE-ID;RANGE=THISANDFUTURE:20240917T120000Z
            DTSTART:20240917T140000Z
            DTEND:20240917T143000Z
            SEQUENCE:1";
const CALL: &str = "DTSTART;TZID=Europe/London:20241231T200000
            DTEND;TZID=Europe/London:20241231T203000
            EXDATE:20250304T200000Z
            RRULE:FREQ=WEEKLY
            SEQUENCE:5";
const CALL_THEN: &str = "RECURRENCE-ID:20241231T200000Z
            DTSTART;TZID=Europe/London:20250114T180000
            DTEND;TZID=Europe/London:20250114T190000
            SEQUENCE:10";
const CALL_BEFORE: &str = "RECURRENCE-ID:20241231T200000Z
            DTSTART;TZID=Europe/London:20250218T170000
            DTEND;TZID=Europe/London:20250218T173000
            SEQUENCE:1";
const THIRD_WEDNESDAY: &str = "DTSTART:20260819T123000Z
            DTEND:20260819T133000Z
            RRULE:FREQ=MONTHLY;BYDAY=3WE";
const MOVED_TO_TUESDAY: &str = "RECURRENCE-ID:20260819T123000Z
            DTSTART:20260825T123000Z
            DTEND:20260825T133000Z";
const TWICE_A_DAY: &str = "DTSTART;TZID=W. Europe Standard Time:20161114T000100
            DURATION:PT30M
            RRULE:FREQ=WEEKLY;BYHOUR=0,12;UNTIL=20161205T230000Z";
const ONE_OF_THE_TWO: &str = "RECURRENCE-ID;TZID=W. Europe Standard Time:20161128T000100
            DTSTART;TZID=W. Europe Standard Time:20161128T150100
            DURATION:PT30M";
const MONDAYS: &str = "DTSTART;TZID=Europe/Berlin:20161024T101500
            DURATION:PT5400S
            RRULE:FREQ=WEEKLY;WKST=MO;UNTIL=20170211T081500Z;BYDAY=MO
            SEQUENCE:3";
const NO_MONDAY: &str = "RECURRENCE-ID:20161226T091500Z
            DTSTART;TZID=Europe/Berlin:20161226T101500
            DTEND;TZID=Europe/Berlin:20161226T114500
            STATUS:CANCELLED
            SEQUENCE:1";
const NIGHTLY: &str = "DTSTART;TZID=America/Los_Angeles:20160306T023000
            DURATION:PT30M
            RRULE:FREQ=WEEKLY;COUNT=3";

pub(super) fn read_texts() -> Vec<Seen> {
    let rule_copied = format!("{MOVED_TO_TUESDAY}\nRRULE:FREQ=MONTHLY;BYDAY=3WE");
    let moved = several(&[THIRD_WEDNESDAY, MOVED_TO_TUESDAY]);
    vec![
        (
            "a start that is left out by its day does not take place, although the series has times",
            json!([from("2024-03-01", 92, &one(BY_DAYS)), from("2020-11-08", 23, &one(BY_DAYS_UNSAID))]),
            json!([
                [
                    "2024-03-17T09:00Z 2024-03-17T14:00Z",
                    "2024-04-07T08:00Z 2024-04-07T13:00Z",
                    "2024-04-14T08:00Z 2024-04-14T13:00Z",
                    "2024-04-28T08:00Z 2024-04-28T13:00Z",
                    "2024-05-12T08:00Z 2024-05-12T13:00Z",
                    "2024-05-26T08:00Z 2024-05-26T13:00Z"
                ],
                [
                    "2020-11-10T08:00Z 2020-11-10T11:00Z",
                    "2020-11-12T08:00Z 2020-11-12T11:00Z",
                    "2020-11-16T08:00Z 2020-11-16T11:00Z",
                    "2020-11-19T08:00Z 2020-11-19T11:00Z",
                    "2020-11-23T08:00Z 2020-11-23T11:00Z",
                    "2020-11-30T08:00Z 2020-11-30T11:00Z"
                ]
            ]),
        ),
        (
            "what is added to a series takes its time, by a start or by a period",
            json!([
                from("2023-03-24", 3, &one(PERIOD)),
                from("2022-10-20", 5, &one(PERIOD_IN_ZONE)),
                from("2015-06-01", 30, &one(DATES))
            ]),
            json!([
                [
                    "2023-03-24T08:00Z 2023-03-24T09:00Z",
                    "2023-03-25T08:00Z 2023-03-25T09:00Z",
                    "2023-03-25T12:00Z 2023-03-25T15:00Z",
                    "2023-03-26T08:00Z 2023-03-26T09:00Z"
                ],
                ["2022-10-21T14:00Z 2022-10-21T15:00Z", "2022-10-22T14:00Z 2022-10-22T15:00Z"],
                [
                    "2015-06-05T12:00Z 2015-06-05T13:00Z",
                    "2015-06-12T12:00Z 2015-06-12T13:00Z",
                    "2015-06-19T12:00Z 2015-06-19T13:00Z",
                    "2015-06-26T12:00Z 2015-06-26T13:00Z"
                ]
            ]),
        ),
        (
            "an exception that holds for this and all later occurrences moves them all",
            from("2024-09-10", 12, &several(&[BI_DAILY, FROM_13, FROM_17])),
            json!([
                "2024-09-11T12:00Z 2024-09-11T14:00Z",
                "2024-09-13T09:00Z 2024-09-13T16:00Z",
                "2024-09-15T09:00Z 2024-09-15T16:00Z",
                "2024-09-17T14:00Z 2024-09-17T14:30Z",
                "2024-09-19T14:00Z 2024-09-19T14:30Z",
                "2024-09-21T14:00Z 2024-09-21T14:30Z"
            ]),
        ),
        (
            "of two exceptions of one start the one that was revised last holds",
            from("2024-12-30", 20, &several(&[CALL, CALL_THEN, CALL_BEFORE])),
            json!([
                "2025-01-07T20:00Z 2025-01-07T20:30Z",
                "2025-01-14T18:00Z 2025-01-14T19:00Z",
                "2025-01-14T20:00Z 2025-01-14T20:30Z"
            ]),
        ),
        (
            "an occurrence that was moved to another day is found on that day, and not on its old one",
            json!([from("2026-08-25", 1, &moved), from("2026-08-19", 1, &moved)]),
            json!([["2026-08-25T12:30Z 2026-08-25T13:30Z"], []]),
        ),
        (
            "of two occurrences of one day only the one that is named is moved",
            from("2016-11-27", 10, &several(&[TWICE_A_DAY, ONE_OF_THE_TWO])),
            json!([
                "2016-11-28T11:01Z 2016-11-28T11:31Z",
                "2016-11-28T14:01Z 2016-11-28T14:31Z",
                "2016-12-04T23:01Z 2016-12-04T23:31Z",
                "2016-12-05T11:01Z 2016-12-05T11:31Z"
            ]),
        ),
        (
            "an exception that repeats the rules of its series is one occurrence",
            from("2026-08-01", 60, &several(&[THIRD_WEDNESDAY, &rule_copied])),
            json!(["2026-08-25T12:30Z 2026-08-25T13:30Z", "2026-09-16T12:30Z 2026-09-16T13:30Z"]),
        ),
        (
            "an occurrence that is cancelled by an entry of its own takes no time, although it is named in UTC",
            from("2016-12-18", 20, &several(&[MONDAYS, NO_MONDAY])),
            json!(["2016-12-19T09:15Z 2016-12-19T10:45Z", "2017-01-02T09:15Z 2017-01-02T10:45Z"]),
        ),
        (
            "an occurrence in the hour that clocks skip takes the time after it, and counts",
            from("2016-03-01", 30, &one(NIGHTLY)),
            json!([
                "2016-03-06T10:30Z 2016-03-06T11:00Z",
                "2016-03-13T10:30Z 2016-03-13T11:00Z",
                "2016-03-20T09:30Z 2016-03-20T10:00Z"
            ]),
        ),
        (
            "a weekly meeting that was made years ago takes its time today",
            from(
                "2026-11-24",
                1,
                &one("DTSTART;TZID=Europe/Berlin:20140107T140000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=TU"),
            ),
            json!(["2026-11-24T13:00Z 2026-11-24T15:00Z"]),
        ),
    ]
}
