//! Feeds of iCalendar: what is busy, and when, by the texts that others could not read.

use bytes::Bytes;
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::notice::{Document, State, What};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_providers::{Moment, Reach, Task, by_id, instances};
use http::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Seen;

/// The times that are taken by the events of a feed with this text, in a window.
pub(super) fn taken(text: &str, (from, to): (&str, &str)) -> Value {
    let mut events: Vec<CalendarEvent> = Vec::new();
    for (event, _) in read(text) {
        events.push(event);
    }
    let window = (from.parse::<Timestamp>().expect("a time"), to.parse::<Timestamp>().expect("a time"));
    let apart: Vec<&CalendarEvent> = events.iter().collect();
    let mut taken = Vec::new();
    for event in &events {
        let found = instances(event, &apart, window, event.time_zone.as_deref().unwrap_or("UTC"));
        let busy = found.list.iter().filter(|one| one.busy && one.start < one.end);
        taken.extend(busy.map(|one| format!("{} {}", shown(one.start), shown(one.end))));
    }
    json!(taken)
}

fn shown(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.strftime("%Y-%m-%dT%H:%MZ").to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

/// The events of a feed with this text, each with what was not read of it.
pub(super) fn read(text: &str) -> Vec<(CalendarEvent, Vec<String>)> {
    read_as_it_is(text.trim_start().replace('\n', "\r\n"))
}

/// The same of a text whose lines end as they do.
pub(super) fn read_as_it_is(text: String) -> Vec<(CalendarEvent, Vec<String>)> {
    let source = by_id("ics").and_then(|provider| provider.source()).expect("a source");
    let settings =
        ConnectionSettings { url: Some("https://feeds.example.com/a.ics".to_owned()), ..ConnectionSettings::default() };
    let task = Task {
        account: Some("anna@example.com"),
        settings: &settings,
        resource: "calendar",
        part: Some("feed"),
        reach: Reach::Everything,
        cursor: None,
        api: "https://feeds.example.com",
        now: "2026-11-28T12:00:00Z".parse().expect("a time"),
    };
    let answer = Response::builder().status(200).body(Bytes::from(text)).expect("an answer");
    let page = source.read(&task, &[answer]).expect("a page");
    let mut events = Vec::new();
    for what in page.facts {
        if let What::Entity(notice) = what
            && let State::Present(Document::CalendarEvent(event)) = notice.state
        {
            events.push((*event, notice.unread));
        }
    }
    events
}

/// A calendar with these lines in its one event.
pub(super) fn one(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nBEGIN:VEVENT\nUID:one\nDTSTAMP:20180101T000000Z\n{}\nEND:VEVENT\nEND:VCALENDAR\n",
        lines.trim().replace("\n            ", "\n")
    )
}

/// What an invitation is taken for: whether it is busy, and whether that is not certain.
fn invited(attendees: &str) -> Value {
    let text = one(&format!(
        "DTSTART:20261201T090000Z\nDTEND:20261201T100000Z\nORGANIZER:mailto:boss@example.com\n{attendees}"
    ));
    let (event, _) = read(&text).remove(0);
    json!([event.busy, event.tentative])
}

const FREE: &str = "
BEGIN:VCALENDAR
PRODID:Zimbra-Calendar-Provider
VERSION:2.0
METHOD:PUBLISH
BEGIN:VEVENT
UID:82CB91B8-ADF6-46F4-82AA-D78A90AA44F1
SUMMARY:Some Non Busy Event
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
DTSTART;VALUE=DATE:20211027
DTEND;VALUE=DATE:20211108
STATUS:CONFIRMED
CLASS:PUBLIC
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
X-MICROSOFT-CDO-INTENDEDSTATUS:FREE
TRANSP:TRANSPARENT
LAST-MODIFIED:20211101T163709Z
DTSTAMP:20211101T163709Z
SEQUENCE:0
END:VEVENT
END:VCALENDAR
";

const OTHER_ZONE: &str = "
BEGIN:VCALENDAR
VERSION:2.0
PRODID:DAVx5/4.5.11-alpha.1-ose ical4j/4.2.5
BEGIN:VEVENT
DTSTAMP:20260410T094011Z
UID:df4f22b5-b7be-44de-af45-ab81d854ee4e
SUMMARY:Test event
DTSTART;TZID=Pacific/Auckland:20260408T110000
DTEND;TZID=Pacific/Auckland:20260408T120000
RRULE:FREQ=DAILY;COUNT=5;INTERVAL=2
STATUS:CONFIRMED
EXDATE;TZID=Pacific/Auckland:20260412T110000
END:VEVENT
BEGIN:VEVENT
DTSTAMP:20260410T094011Z
UID:df4f22b5-b7be-44de-af45-ab81d854ee4e
RECURRENCE-ID;TZID=Europe/Paris:20260414T010000
SUMMARY:Modified test event
DTSTART;TZID=Europe/Paris:20260414T030000
DTEND;TZID=Europe/Paris:20260414T040000
END:VEVENT
END:VCALENDAR
";

const MOVED: &str = "
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:moved
DTSTAMP:20120401T000000Z
DTSTART;TZID=Europe/Paris:20120417T110000
DTEND;TZID=Europe/Paris:20120417T120000
RRULE:FREQ=DAILY
EXDATE:20120419T090000Z
END:VEVENT
BEGIN:VEVENT
UID:moved
DTSTAMP:20120401T000000Z
RECURRENCE-ID;TZID=Europe/Paris:20120418T110000
DTSTART;TZID=Europe/Paris:20120418T130000
DTEND;TZID=Europe/Paris:20120418T140000
END:VEVENT
END:VCALENDAR
";

const OWN_ZONE: &str = "
BEGIN:VCALENDAR
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN
VERSION:2.0
METHOD:PUBLISH
BEGIN:VTIMEZONE
TZID:{defined}
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID={used}:2026{day}T090000
DTEND;TZID={used}:2026{day}T170000
DTSTAMP:20260307T204604Z
UID:work-1
SUMMARY;LANGUAGE=en-gb:Work
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
";

/// When the event is whose zone only the file defines, on a day of winter and on one of summer.
fn in_own_zone(defined: &str, used: &str) -> Value {
    let on = |day: &str| {
        // Each by its own rules: Dublin is an hour behind.
        let rules = if defined.contains("Dublin") {
            OWN_ZONE.replace("+0100", "+0000").replace("+0200", "+0100")
        } else {
            OWN_ZONE.to_owned()
        };
        let text = rules.replace("{defined}", defined).replace("{used}", used).replace("{day}", day);
        taken(&text, ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"))
    };
    json!([on("0308"), on("0408")])
}

/// An event in a zone of which nothing is known: when it is, and whether that is said.
fn in_no_zone() -> Value {
    let lines = "DTSTART;TZID=Customized Time Zone:20240426T140000\nDTEND;TZID=Customized Time Zone:20240426T150000";
    let text = one(lines).replacen("PRODID", "X-WR-TIMEZONE:Europe/Berlin\nPRODID", 1);
    let (_, unread) = read(&text).remove(0);
    json!([taken(&text, ("2024-04-01T00:00:00Z", "2024-05-01T00:00:00Z")), unread.is_empty()])
}

pub(super) fn read_texts() -> Vec<Seen> {
    let year = |year: i16| (format!("{year}-01-01T00:00:00Z"), format!("{}-01-01T00:00:00Z", year + 1));
    let within = |text: &str, of: i16| {
        let (from, to) = year(of);
        taken(text, (&from, &to))
    };
    let declined = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:boss@example.com\nATTENDEE;PARTSTAT=DECLINED;CN=Anna:MAILTO:Anna@example.com";
    let others = "ATTENDEE;PARTSTAT=DECLINED:mailto:boss@example.com\nATTENDEE;PARTSTAT=ACCEPTED;CN=Anna:MAILTO:Anna@example.com";
    let asked = "ATTENDEE;PARTSTAT=NEEDS-ACTION;CN=Anna:MAILTO:Anna@example.com";
    let only_exchange = FREE.replace("TRANSP:TRANSPARENT\n", "").replace("INTENDEDSTATUS", "BUSYSTATUS");
    let until_local = one(
        "DTSTART;TZID=Europe/Berlin:20260105T090000\nDTEND;TZID=Europe/Berlin:20260105T100000\nRRULE:FREQ=WEEKLY;UNTIL=20260126T090000",
    );
    let until_day = one(
        "DTSTART;TZID=Europe/London:20190801T140000\nDTEND;TZID=Europe/London:20190801T150000\nRRULE:FREQ=WEEKLY;UNTIL=20191023;BYDAY=TH;WKST=SU",
    );
    let until_of_days = one(
        "DTSTART;VALUE=DATE:20201229\nRRULE:FREQ=MONTHLY;UNTIL=20211129T230000Z;BYDAY=TU;BYSETPOS=-1",
    )
    .replacen("PRODID", "X-WR-TIMEZONE:Europe/Berlin\nPRODID", 1);
    let spring = one(
        "DTSTART;TZID=Europe/Berlin:20180307T160000\nDTEND;TZID=Europe/Berlin:20180307T170000\nRRULE:FREQ=WEEKLY;COUNT=4",
    );
    let west = one(
        "DTSTART;TZID=America/Los_Angeles:20210111T010000\nDTEND;TZID=America/Los_Angeles:20210111T020000\nRRULE:FREQ=WEEKLY",
    );
    let shanghai = one(
        "DTSTART;TZID=Asia/Shanghai:20180605T070000\nDTEND;TZID=Asia/Shanghai:20180605T080000\nRRULE:FREQ=WEEKLY;BYDAY=TU,FR;COUNT=4",
    );
    let three = one(
        "DTSTART;TZID=W. Europe Standard Time:20230403T000000\nDTEND;TZID=W. Europe Standard Time:20230404T000000\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\nRRULE:FREQ=WEEKLY;UNTIL=20230404T220000Z;INTERVAL=1;BYDAY=MO,TU,WE;WKST=MO",
    );
    let last = |list: Value| {
        let list = list.as_array().cloned().unwrap_or_default();
        json!([list.len(), list.last()])
    };
    let own = json!([["2026-03-08T08:00Z 2026-03-08T16:00Z"], ["2026-04-08T07:00Z 2026-04-08T15:00Z"]]);
    vec![
        (
            "an invitation that its owner declined takes no time, and one that somebody else declined does",
            json!([invited(declined), invited(others), invited(asked)]),
            json!([[false, false], [true, false], [true, true]]),
        ),
        (
            "free is free, however a feed says so",
            json!([within(FREE, 2021), within(&only_exchange, 2021)]),
            json!([[], []]),
        ),
        (
            "an occurrence that was moved in another zone than its series' takes its own time and leaves its old one",
            within(OTHER_ZONE, 2026),
            json!([
                "2026-04-07T23:00Z 2026-04-08T00:00Z",
                "2026-04-09T23:00Z 2026-04-10T00:00Z",
                "2026-04-14T01:00Z 2026-04-14T02:00Z",
                "2026-04-15T23:00Z 2026-04-16T00:00Z"
            ]),
        ),
        (
            "an occurrence that was moved is where it is now, and one that is left out in UTC does not take place",
            taken(MOVED, ("2012-04-17T00:00:00Z", "2012-04-21T00:00:00Z")),
            json!([
                "2012-04-17T09:00Z 2012-04-17T10:00Z",
                "2012-04-18T11:00Z 2012-04-18T12:00Z",
                "2012-04-20T09:00Z 2012-04-20T10:00Z"
            ]),
        ),
        (
            "a series keeps its own clock where clocks change on different days",
            json!([within(&spring, 2018), taken(&west, ("2021-03-07T00:00:00Z", "2021-03-16T00:00:00Z"))]),
            json!([
                [
                    "2018-03-07T15:00Z 2018-03-07T16:00Z",
                    "2018-03-14T15:00Z 2018-03-14T16:00Z",
                    "2018-03-21T15:00Z 2018-03-21T16:00Z",
                    "2018-03-28T14:00Z 2018-03-28T15:00Z"
                ],
                ["2021-03-08T09:00Z 2021-03-08T10:00Z", "2021-03-15T08:00Z 2021-03-15T09:00Z"]
            ]),
        ),
        (
            "the days of a week are those of whoever made the series",
            within(&shanghai, 2018),
            json!([
                "2018-06-04T23:00Z 2018-06-05T00:00Z",
                "2018-06-07T23:00Z 2018-06-08T00:00Z",
                "2018-06-11T23:00Z 2018-06-12T00:00Z",
                "2018-06-14T23:00Z 2018-06-15T00:00Z"
            ]),
        ),
        (
            "an end of a rule in a form that the standard forbids keeps the last occurrence",
            json!([
                last(taken(&until_of_days, ("2020-12-01T00:00:00Z", "2022-12-01T00:00:00Z"))),
                last(within(&until_day, 2019)),
                last(within(&until_local, 2026))
            ]),
            json!([
                [12, "2021-11-30 2021-12-01"],
                [12, "2019-10-17T13:00Z 2019-10-17T14:00Z"],
                [4, "2026-01-26T08:00Z 2026-01-26T09:00Z"]
            ]),
        ),
        (
            "a weekly series of three whole days by Exchange has three",
            within(&three, 2023).as_array().map_or(json!(0), |list| json!(list.len())),
            json!(3),
        ),
        (
            "a zone that only the file itself defines is read by its definition, whatever it is called",
            json!([
                in_own_zone("Customized Time Zone", "\"Customized Time Zone\""),
                in_own_zone("tzone://Microsoft/Custom", "\"tzone://Microsoft/Custom\""),
                in_own_zone(
                    "(UTC+00:00) Dublin\\, Edinburgh\\, Lisbon\\, London",
                    "\"(UTC+00:00) Dublin, Edinburgh, Lisbon, London\""
                )
            ]),
            json!([own, own, [["2026-03-08T09:00Z 2026-03-08T17:00Z"], ["2026-04-08T08:00Z 2026-04-08T16:00Z"]]]),
        ),
        (
            "a zone that nothing defines is that of the calendar, and that is said",
            in_no_zone(),
            json!([["2024-04-26T12:00Z 2024-04-26T13:00Z"], false]),
        ),
    ]
}
