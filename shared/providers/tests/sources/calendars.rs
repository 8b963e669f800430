//! What is read of calendars and their events, whosever they are.

use serde_json::{Value, json};

use hooktide_model::calendar::CalendarEvent;
use hooktide_model::notice::Document;
use hooktide_model::part;
use hooktide_providers::Reach;

use crate::driver::{Driver, Reading};

/// The resource whose parts are the calendars.
pub(crate) const LIST: &str = "calendars";
/// The resource of the events of a calendar.
pub(crate) const EVENTS: &str = "calendar";

pub(crate) fn everything(driver: &mut Driver) -> Reading {
    driver.read(EVENTS, Reach::Everything, None).unwrap()
}

pub(crate) fn changes(driver: &mut Driver, since: &Reading) -> Reading {
    driver.read(EVENTS, Reach::Changes, Some(&since.cursor)).unwrap()
}

pub(crate) fn event<'a>(reading: &'a Reading, id: &str) -> &'a CalendarEvent {
    let Document::CalendarEvent(event) = reading.document(id) else { panic!("{id} is no event") };
    event
}

/// All events of a reading that are there.
pub(crate) fn events(reading: &Reading) -> Vec<&CalendarEvent> {
    let ids: Vec<&str> = reading.entities().into_iter().filter(|(_, there)| *there).map(|(id, _)| id).collect();
    ids.iter().map(|id| event(reading, id)).collect()
}

/// The event of a reading that begins then.
pub(crate) fn beginning<'a>(reading: &'a Reading, start: &str) -> &'a CalendarEvent {
    let found = events(reading).into_iter().find(|event| event.start.as_deref() == Some(start));
    found.unwrap_or_else(|| panic!("{start}: {reading:#?}"))
}

pub(crate) fn entity(event: &CalendarEvent) -> String {
    part::entity_id(&event.calendar, &event.id)
}

/// Reads each event that begins at one of these times by its id: it is as it was among all.
pub(crate) fn read_by_their_ids(driver: &mut Driver, all: &Reading, starts: &[&str]) {
    for start in starts {
        let id = entity(beginning(all, start));
        let one = driver.read(EVENTS, Reach::One(&id), None).unwrap();
        assert_eq!(event(&one, &id), event(all, &id));
    }
}

/// Items of which only the first is an entity: the others have no id that can be one.
pub(crate) fn one_among_odd_ids(whole: impl Fn(Value) -> Value) -> Vec<Value> {
    let odd = [json!({ "no": "id" }), "x".repeat(1024).into()].map(&whole);
    [whole("good".into()), 7.into(), Value::Null].into_iter().chain(odd).collect()
}

/// The ids that a reading tells of, each with the fields that could not be read.
pub(crate) fn unread(reading: &Reading) -> String {
    let told = reading.notices().map(|notice| {
        let (_, id) = part::ids_of(&notice.id).unwrap();
        format!("{id}[{}]", notice.unread.join(" "))
    });
    told.collect::<Vec<_>>().join(", ")
}
