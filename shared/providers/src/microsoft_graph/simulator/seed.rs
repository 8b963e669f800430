//! The calendars that a mailbox begins with.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::mailbox::{Found, Mailbox};
use super::writes::By;

/// When the calendars were set up: 1 November 2026, in seconds.
const BEGINNING: i64 = 1_793_491_200;
/// The zone of most events, by its name in Windows.
const VIENNA: &str = "W. Europe Standard Time";

/// The mailbox of a new account.
pub(super) fn mailbox(seed: u64) -> Mailbox {
    let mut mailbox = Mailbox::new(seed);
    let mut now = Timestamp::from_second(BEGINNING).unwrap_or_default();
    let calendars = [("Calendar", true), ("Team", true), ("Holidays in Austria", false)];
    let ids: Vec<String> = calendars
        .into_iter()
        .filter_map(|(name, can_edit)| mailbox.put(None, &object(json!({ "name": name, "canEdit": can_edit }))).ok())
        .collect();
    ids.first().into_iter().for_each(|own| mailbox.make_default(own));
    for (at, event) in events() {
        now = now.checked_add(SignedDuration::from_mins(7)).unwrap_or(now);
        let Some(calendar) = ids.get(at) else { continue };
        let made = mailbox.create(calendar, &object(event), By::Owner, now);
        debug_assert!(made.is_ok(), "{made:?}");
        let Ok(id) = made else { continue };
        if mailbox.event(&id).is_ok_and(|event| event.recurrence().is_some()) {
            differ(&mut mailbox, &id, now);
        }
    }
    mailbox.take_touched();
    mailbox
}

/// Moves an occurrence of the weekly series, and cancels another.
fn differ(mailbox: &mut Mailbox, id: &str, now: Timestamp) {
    let on = |day: &str| Found { id: id.to_owned(), day: day.parse().ok() };
    let moved = json!({ "start": time("2026-12-08T11:00:00"), "end": time("2026-12-08T12:00:00") });
    let changed = mailbox.change(&on("2026-12-07"), &object(moved), By::Owner, now);
    let cancelled = mailbox.delete(&on("2026-12-14"), By::Owner, now);
    debug_assert!(changed.is_ok() && cancelled.is_ok(), "{changed:?} {cancelled:?}");
}

fn time(local: &str) -> Value {
    json!({ "dateTime": local, "timeZone": VIENNA })
}

/// The events, each with the number of its calendar.
fn events() -> Vec<(usize, Value)> {
    let day = |day: &str| json!({ "dateTime": format!("{day}T00:00:00"), "timeZone": VIENNA });
    let of = |subject: &str, start: Value, end: Value, more: Value| {
        let mut event = json!({ "subject": subject, "start": start, "end": end });
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    };
    let timed = |subject: &str, start: &str, end: &str, more: Value| of(subject, time(start), time(end), more);
    let whole = |subject: &str, start: &str, end: &str, more: Value| {
        let mut event = of(subject, day(start), day(end), more);
        event["isAllDay"] = true.into();
        event
    };
    let response = |text: &str| json!({ "response": text, "time": "2026-11-01T10:00:00Z" });
    let weekly = json!({
        "recurrence": {
            "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "sunday" },
            "range": { "type": "noEnd", "startDate": "2026-11-30" },
        },
    });
    let declined = json!({ "isOrganizer": false, "responseStatus": response("declined") });
    let asked = json!({ "isOrganizer": false, "showAs": "tentative", "responseStatus": response("notResponded") });
    vec![
        (0, timed("Dentist", "2026-12-02T09:30:00", "2026-12-02T10:15:00", json!({ "sensitivity": "private" }))),
        (0, timed("Weekly round", "2026-11-30T09:00:00", "2026-11-30T10:00:00", weekly)),
        (0, whole("Tea fair", "2026-12-03", "2026-12-06", json!({ "showAs": "oof" }))),
        (0, timed("Perhaps the theatre", "2026-12-04T19:30:00", "2026-12-04T22:00:00", json!({ "showAs": "free" }))),
        (0, timed("A talk", "2026-12-09T17:00:00", "2026-12-09T18:00:00", declined)),
        (0, timed("An invitation", "2026-12-09T19:00:00", "2026-12-09T20:00:00", asked)),
        (0, timed("Called off", "2026-12-11T09:00:00", "2026-12-11T10:00:00", json!({ "isCancelled": true }))),
        (0, whole("At home", "2026-12-10", "2026-12-11", json!({ "showAs": "workingElsewhere" }))),
        (0, timed("Long ago", "2026-10-01T09:00:00", "2026-10-01T10:00:00", json!({}))),
        (1, timed("Planning", "2026-12-11T15:00:00", "2026-12-11T16:30:00", json!({ "body": { "content": "Tea" } }))),
        (2, whole("Immaculate Conception", "2026-12-08", "2026-12-09", json!({ "showAs": "free" }))),
    ]
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
