//! The calendars that an account begins with.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::calendars::Calendars;
use crate::google_calendar::PROFILE;

/// When the calendars were set up: 1 November 2026, in seconds.
const BEGINNING: i64 = 1_793_491_200;
/// The calendar of the holidays, whose id has a character that divides other ids.
const HOLIDAYS: &str = "en.austrian#holiday@group.v.calendar.google.com";

/// The calendars of a new account.
pub(super) fn calendars(seed: u64) -> Calendars {
    let mut calendars = Calendars::new(seed);
    let own = PROFILE.sample_account;
    let team = format!("c_{}@group.calendar.google.com", calendars.fresh_id(26));
    for (id, entry) in [
        (own, json!({ "summary": own, "primary": true, "timeZone": "Europe/Vienna" })),
        (&team, json!({ "summary": "Team", "summaryOverride": "The team", "timeZone": "America/New_York" })),
        (HOLIDAYS, json!({ "summary": "Holidays in Austria", "accessRole": "reader", "hidden": true })),
    ] {
        calendars.put(id, &object(entry));
    }
    let mut now = Timestamp::from_second(BEGINNING).unwrap_or_default();
    for (calendar, event) in events(own, &team) {
        now = now.checked_add(SignedDuration::from_mins(7)).unwrap_or(now);
        let Ok(made) = calendars.insert(calendar, &object(event), now) else { continue };
        if made["recurrence"].is_array() {
            differ(&mut calendars, calendar, made["id"].as_str().unwrap_or_default(), now);
        }
    }
    calendars.take_touched();
    calendars
}

/// Moves an occurrence of the weekly series, and cancels another.
fn differ(calendars: &mut Calendars, calendar: &str, series: &str, now: Timestamp) {
    let moved = json!({
        "start": { "dateTime": "2026-12-08T11:00:00+01:00", "timeZone": "Europe/Vienna" },
        "end": { "dateTime": "2026-12-08T12:00:00+01:00", "timeZone": "Europe/Vienna" },
    });
    let (moves, ends) = (format!("{series}_20261207T080000Z"), format!("{series}_20261214T080000Z"));
    let changed = calendars.change((calendar, &moves), &object(moved), false, now).map(drop);
    let cancelled = calendars.delete(calendar, &ends, now);
    debug_assert!(changed.is_ok() && cancelled.is_ok(), "{changed:?} {cancelled:?}");
}

/// The events, each with its calendar.
fn events<'a>(own: &'a str, team: &'a str) -> Vec<(&'a str, Value)> {
    let time = |time: &str| json!({ "dateTime": time, "timeZone": "Europe/Vienna" });
    let day = |day: &str| json!({ "date": day });
    let of = |summary: &str, start: Value, end: Value, more: Value| {
        let mut event = json!({ "summary": summary, "start": start, "end": end });
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    };
    let declined = json!([
        { "email": "somebody@example.com", "organizer": true, "responseStatus": "accepted" },
        { "email": own, "responseStatus": "declined" },
    ]);
    let weekly = json!({ "recurrence": ["RRULE:FREQ=WEEKLY;BYDAY=MO"] });
    let invited = json!({
        "attendees": [{ "email": own, "responseStatus": "accepted" }],
        "extendedProperties": { "private": { "room": "7" }, "shared": { "project": "tea" } },
    });
    let free = json!({ "transparency": "transparent" });
    let office = json!({
        "eventType": "workingLocation",
        "visibility": "public",
        "transparency": "transparent",
        "workingLocationProperties": { "type": "homeOffice", "homeOffice": {} },
    });
    let [birthday, national] =
        [json!({ "eventType": "birthday", "recurrence": null }), json!({ "visibility": "public" })];
    vec![
        (own, of("Dentist", time("2026-12-02T09:30:00"), time("2026-12-02T10:15:00"), json!({}))),
        (own, of("Weekly round", time("2026-11-30T09:00:00"), time("2026-11-30T10:00:00"), weekly)),
        (own, of("Tea fair", day("2026-12-03"), day("2026-12-06"), json!({ "location": "Vienna" }))),
        (own, of("Perhaps the theatre", time("2026-12-04T19:30:00"), time("2026-12-04T22:00:00"), free)),
        (own, of("A talk", time("2026-12-09T17:00:00"), time("2026-12-09T18:00:00"), json!({ "attendees": declined }))),
        (own, of("At home", day("2026-12-10"), day("2026-12-11"), office)),
        (own, of("Birthday of a friend", day("2026-12-12"), day("2026-12-13"), birthday)),
        (team, of("Planning", time("2026-12-11T15:00:00"), time("2026-12-11T16:30:00"), invited)),
        (HOLIDAYS, of("National Day", day("2026-10-26"), day("2026-10-27"), national)),
    ]
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
