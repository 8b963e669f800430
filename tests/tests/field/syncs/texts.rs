//! Texts of calendars: lines, identifiers, days and zones, as programs write them.

use hooktide_model::notice::{Document, State, What};
use hooktide_providers::Reach;
use serde_json::{Value, json};

use super::Seen;
use super::feeds::{one, read, read_as_it_is, taken};
use super::recurring::several;

const YEARS: (&str, &str) = ("2000-01-01T00:00:00Z", "2040-01-01T00:00:00Z");

/// What is taken by an event with these lines.
fn of(lines: &str) -> Value {
    taken(&one(lines), YEARS)
}

/// What is taken by an event of one hour from then on in a zone, and whether all of it was read.
fn in_zone(zone: &str, definition: &str) -> Value {
    let lines = format!("DTSTART;TZID={zone}:20220726T120000\nDTEND;TZID={zone}:20220726T130000");
    let text = one(&lines).replacen("BEGIN:VEVENT", &format!("{definition}BEGIN:VEVENT"), 1);
    json!([taken(&text, YEARS), read(&text).remove(0).1.is_empty()])
}

/// A zone that is defined by its winter and its summer.
fn defined(zone: &str, winter: &str, summer: &str) -> String {
    let part = |name: &str, from: &str, to: &str, rule: &str| {
        format!(
            "BEGIN:{name}\nDTSTART:16010101T020000\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\nRRULE:FREQ=YEARLY;{rule}\nEND:{name}\n"
        )
    };
    format!(
        "BEGIN:VTIMEZONE\nTZID:{zone}\n{}{}END:VTIMEZONE\n",
        part("STANDARD", summer, winter, "BYDAY=-1SU;BYMONTH=10"),
        part("DAYLIGHT", winter, summer, "BYDAY=-1SU;BYMONTH=3")
    )
}

/// The events of a text whose lines end so: how many, and what is read of the first.
fn with_ends(end: &str) -> Value {
    let text = several(&["DTSTART:20261202T080000Z", "DTSTART:20261201T080000Z\nDTEND:202612\n 01T090000Z"]);
    let events = read_as_it_is(text.replacen("UID:one", "UID:two", 1).replace('\n', end));
    json!([events.len(), events.first().map(|(event, _)| (&event.start, &event.end))])
}

/// The identifiers of events without one, as they are read at two times.
fn unnamed() -> Value {
    let at = |stamp: &str| {
        let text = one("SUMMARY:Voyage\nDTSTART:20161118T150000Z\nDTEND:20161120T210000Z");
        let text = text.replace("UID:one\n", "").replace("20180101T000000Z", stamp);
        let empty = "BEGIN:VEVENT\nUID:\nDTSTART:20161119T150000Z\nEND:VEVENT\nEND:VCALENDAR";
        let read = read(&text.replace("END:VCALENDAR", empty));
        read.into_iter().map(|(event, _)| event.id).collect::<Vec<_>>()
    };
    let (first, again) = (at("20161101T000000Z"), at("20161102T000000Z"));
    json!([first.len(), first == again])
}

/// The events that a CalDAV server lists without saying which version each is: of how many the text is asked for.
fn without_versions() -> Value {
    let settings = hooktide_model::settings::connection::ConnectionSettings {
        url: Some("https://dav.example.com/".to_owned()),
        username: Some("anna".to_owned()),
        ..Default::default()
    };
    let member = |name: &str| {
        format!(
            "<D:response><D:href>/calendars/a/{name}</D:href><D:propstat><D:prop><D:resourcetype/></D:prop><D:status>HTTP/1.1 \
                 200 OK</D:status></D:propstat><D:propstat><D:prop><D:getetag/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status>\
                 </D:propstat></D:response>"
        )
    };
    let text = one("DTSTART:20261201T080000Z\nDTEND:20261201T090000Z");
    let data = format!(
        "<D:response><D:href>/calendars/a/1.ics</D:href><D:propstat><D:prop><C:calendar-data>{text}</C:calendar-data>\
                        </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    );
    let itself = "<D:response><D:href>/calendars/a/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>\
                  </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";
    let source = hooktide_providers::by_id("caldav").and_then(|provider| provider.source()).expect("a source");
    let (mut cursor, mut starts): (Option<String>, Vec<Value>) = (None, Vec::new());
    for answered in [itself.to_owned(), format!("{itself}{}", member("1.ics")), data] {
        let task = hooktide_providers::Task {
            account: Some("anna@example.com"),
            settings: &settings,
            resource: "calendar",
            part: Some("/calendars/a/"),
            reach: Reach::Everything,
            cursor: cursor.as_deref(),
            api: "https://dav.example.com",
            now: "2026-11-28T12:00:00Z".parse().expect("a time"),
        };
        let body = format!(
            "<D:multistatus xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{answered}</D:multistatus>"
        );
        let answer = http::Response::builder().status(207).body(bytes::Bytes::from(body)).expect("an answer");
        let page = match source.read(&task, &[answer]) {
            Ok(page) => page,
            Err(refusal) => return json!(format!("{refusal:?}")),
        };
        for what in page.facts {
            if let What::Entity(notice) = what
                && let State::Present(Document::CalendarEvent(event)) = notice.state
            {
                starts.push(json!(event.start));
            }
        }
        cursor = match page.next {
            hooktide_providers::Next::More(cursor) | hooktide_providers::Next::Done(cursor) => Some(cursor),
        };
    }
    json!(starts)
}

pub(super) fn read_texts() -> Vec<Seen> {
    let nights = ["16", "17", "18", "19"].map(|day| {
        format!(
            "UID:2026-189\nDTSTART;TZID=Europe/London:202607{day}T193000\nDTEND;TZID=Europe/London:202607{day}T233000"
        )
    });
    let nights: Vec<&str> = nights.iter().map(String::as_str).collect();
    let karaoke = several(&nights).replace("UID:one\n", "");
    let stripped = several(&[
        "RECURRENCE-ID:20210104T150000Z\nDTSTART:20210104T150000Z\nDTEND:20210104T160000Z",
        "RECURRENCE-ID:20210111T150000Z\nDTSTART:20210111T153000Z\nDTEND:20210111T160000Z",
    ]);
    let london = json!([["2022-07-26T11:00Z 2022-07-26T12:00Z"], true]);
    let tave = one("DTSTART:20150314T100000\nDTEND:20150314T150000");
    let chinese = "\u{4e2d}\u{56fd}\u{6807}\u{51c6}\u{65f6}\u{95f4}";
    vec![
        (
            "several times under one identifier are all taken",
            taken(&karaoke, YEARS),
            json!([
                "2026-07-16T18:30Z 2026-07-16T22:30Z",
                "2026-07-17T18:30Z 2026-07-17T22:30Z",
                "2026-07-18T18:30Z 2026-07-18T22:30Z",
                "2026-07-19T18:30Z 2026-07-19T22:30Z"
            ]),
        ),
        (
            "occurrences whose series a feed leaves out take their time",
            taken(&stripped, YEARS),
            json!(["2021-01-04T15:00Z 2021-01-04T16:00Z", "2021-01-11T15:30Z 2021-01-11T16:00Z"]),
        ),
        (
            "a day is one day, however its end is told",
            json!([
                of("DTSTART;VALUE=DATE:20250610\nDTEND;VALUE=DATE:20250611"),
                of("DTSTART;VALUE=DATE:20100808"),
                of("DTSTART;VALUE=DATE:20260829\nDTEND;VALUE=DATE:20260829")
            ]),
            json!([["2025-06-10 2025-06-11"], ["2010-08-08 2010-08-09"], ["2026-08-29 2026-08-30"]]),
        ),
        (
            "a time without a zone is in that of the calendar",
            taken(&tave.replacen("PRODID", "X-WR-TIMEZONE:Australia/Queensland\nPRODID", 1), YEARS),
            json!(["2015-03-14T00:00Z 2015-03-14T05:00Z"]),
        ),
        (
            "lines may end as those of any system do",
            json!([with_ends("\r\n"), with_ends("\n"), with_ends("\r")]),
            json!([
                [2, ["2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z"]],
                [2, ["2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z"]],
                [2, ["2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z"]]
            ]),
        ),
        (
            "a zone of Outlook's with a number after its name is read by its definition, and else by its name",
            json!([
                in_zone("GMT Standard Time 1", ""),
                in_zone("GMT Standard Time 1", &defined("GMT Standard Time 1", "+0000", "+0100")),
                in_zone("Eastern Standard Time 1", &defined("Eastern Standard Time 1", "-0500", "-0500")),
            ]),
            json!([london, london, [["2022-07-26T17:00Z 2022-07-26T18:00Z"], true]]),
        ),
        (
            "a zone by a name of Windows is known, whatever the country",
            json!([in_zone("GTB Standard Time", ""), in_zone(chinese, &defined(chinese, "+0800", "+0800"))]),
            json!([[["2022-07-26T09:00Z 2022-07-26T10:00Z"], true], [["2022-07-26T04:00Z 2022-07-26T05:00Z"], true]]),
        ),
        (
            "a zone whose name begins with a slash is that zone",
            of("DTSTART;TZID=/Europe/Vienna:20250506T180000\nDURATION:PT1H"),
            json!(["2025-05-06T16:00Z 2025-05-06T17:00Z"]),
        ),
        ("an event without an identifier is the same one whenever it is read", unnamed(), json!([2, true])),
        (
            "events that a server lists without their versions are read",
            without_versions(),
            json!(["2026-12-01T08:00:00Z"]),
        ),
    ]
}
