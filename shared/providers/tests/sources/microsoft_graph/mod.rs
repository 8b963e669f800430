//! The calendars of a mailbox, their events, the blocks in them, and the subscriptions that tell of them.

mod odd;
mod rounds;
mod subscriptions;
mod target;

use serde_json::{Value, json};

use hooktide_model::calendar::CalendarEvent;
use hooktide_model::part;
use hooktide_providers::Reach;

use crate::calendars::{EVENTS, LIST, beginning, changes, entity, event, events, everything, read_by_their_ids};
use crate::driver::{Driver, Reading};

/// A driver that reads the default calendar.
fn driver() -> Driver {
    let mut driver = Driver::new("microsoft-graph");
    driver.part = Some(calendar(&mut driver, "Calendar"));
    driver
}

/// The id of the calendar of that name.
fn calendar(driver: &mut Driver, name: &str) -> String {
    let all = driver.read(LIST, Reach::Everything, None).unwrap();
    all.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("{name}: {all:#?}")).id.clone()
}

/// A time in UTC, as Graph has it.
fn time(time: &str) -> Value {
    json!({ "dateTime": time, "timeZone": "UTC" })
}

/// Makes an event of an hour in the default calendar; returns the id of its entity.
fn made(driver: &mut Driver, start: &str, end: &str) -> String {
    driver.edit("event", None, Some(json!({ "subject": "Lunch", "start": time(start), "end": time(end) })))
}

/// Makes a series that recurs each week from the first of December on.
fn made_series(driver: &mut Driver) -> String {
    let recurrence = json!({
        "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"] },
        "range": { "type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 4 },
    });
    let (start, end) = (time("2026-12-01T16:00:00"), time("2026-12-01T17:00:00"));
    let fields = json!({ "subject": "Choir", "start": start, "end": end, "recurrence": recurrence });
    driver.edit("event", None, Some(fields))
}

/// The id of the entity of an occurrence, as edits know it.
fn occurrence(series: &str, day: &str) -> String {
    let (calendar, id) = part::ids_of(series).unwrap();
    part::entity_id(&calendar, &format!("OID.{id}.{day}"))
}

/// The starts of the occurrences of a series.
fn starts(event: &CalendarEvent) -> Vec<&str> {
    event.occurrences.iter().filter_map(|one| one.start.as_deref()).collect()
}
