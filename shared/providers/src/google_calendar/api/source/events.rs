//! The events of one calendar: a list that gives a token for its changes, and single events.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::event::Event;
use super::item::Item;
use super::{Place, object};
use crate::google_calendar::api::{calendar_path, entry_path, errors, event_path, get};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::cursor;
use crate::{Answer, Ask, Next, Page, Refusal, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};
use hooktide_model::part;

/// The fields of an event that are asked for: no places, no people, and the title only where titles are shared.
const OF_EVENT: &str = "id,iCalUID,status,eventType,transparency,visibility,recurrence,recurringEventId,originalStartTime,\
                        start,end,updated,attendees(self,responseStatus),extendedProperties/private";

fields! {
    struct List {
        items: Lenient<Vec<Lenient<Object<Item>>>> = "items",
        zone: Lenient<String> = "timeZone",
        page: Lenient<String> = "nextPageToken",
        sync: Lenient<String> = "nextSyncToken",
    }
}

fields! {
    struct Calendar {
        zone: Lenient<String> = "timeZone",
    }
}

/// The question for a page of a calendar; `None` without a calendar.
pub(super) fn ask(task: &Task<'_>) -> Option<Ask> {
    let place: Place = cursor::read(task.cursor);
    let fields = format!("kind,timeZone,nextPageToken,nextSyncToken,items({})", of_event(task));
    // Series stay whole: their occurrences have no end. All of these have to be the same in every question of a list.
    let mut parameters = vec![("maxResults", "2500"), ("singleEvents", "false"), ("showDeleted", "true")];
    // One attendee is ourselves.
    parameters.extend([("maxAttendees", "1"), ("fields", &fields)]);
    parameters.extend(place.parameters());
    Some(get(task.api, &format!("{}/events", calendar_path(task.part?)), &parameters))
}

/// The questions for a single event, and for the time zone of its calendar, which a list has with it. None if the id is no
/// event's.
pub(super) fn ask_one(task: &Task<'_>, id: &str) -> Vec<Ask> {
    let Some((calendar, event)) = ids_of(task, id) else { return Vec::new() };
    vec![
        get(task.api, &event_path(&calendar, &event), &[("maxAttendees", "1"), ("fields", &of_event(task))]),
        // The calendar itself is beyond the scopes that are asked for; its entry in the list is not.
        get(task.api, &entry_path(&calendar), &[("fields", "timeZone")]),
    ]
}

/// The fields of an event that this connection asks for.
fn of_event(task: &Task<'_>) -> Cow<'static, str> {
    match shares_titles(task) {
        true => format!("{OF_EVENT},summary").into(),
        false => OF_EVENT.into(),
    }
}

fn shares_titles(task: &Task<'_>) -> bool {
    task.settings.share_titles.unwrap_or_default()
}

/// The calendar and the event of an entity, within the part that is read.
fn ids_of(task: &Task<'_>, id: &str) -> Option<(String, String)> {
    part::ids_of(id).filter(|(calendar, _)| task.part.is_none_or(|part| part == calendar))
}

pub(super) fn read(task: &Task<'_>, place: &Place, answer: &Answer) -> Result<Page, Refusal> {
    if let Err(refusal) = errors::sort(answer) {
        return place.over(refusal);
    }
    let calendar = task.part.ok_or(Refusal::Invalid)?;
    let List { items, zone, page, sync } = object(answer)?;
    if items.is_there() && items.as_ref().is_none() {
        return Err(Refusal::Unreadable("`items` is no list"));
    }
    let items = items.read().unwrap_or_default();
    let readable = items.iter().filter_map(Lenient::as_ref);
    let of_page: BTreeSet<String> =
        readable.filter_map(|Object(item)| item.ended_series()).map(str::to_owned).collect();
    let ended: BTreeSet<String> = place.ended.union(&of_page).cloned().collect();
    let of_ended = of_page.iter().map(|id| part::entity_id(calendar, id)).collect();
    let next = place.with_ended(of_page.into_iter()).next(page, sync)?;
    let zone = zone.read();
    let mut read = Page { ended: of_ended, ..Page::of(Vec::with_capacity(items.len()), next) };
    for item in items {
        let event = Event { calendar, zone: zone.as_deref(), titled: shares_titles(task), now: task.now };
        let (id, told) = match item.read() {
            None => (None, Err("it is no object")),
            Some(Object(item)) => (item.id().map(str::to_owned), event.told(item, &ended)),
        };
        match (told, id) {
            (Ok(notice), _) => read.facts.push(What::Entity(notice)),
            (Err(why), Some(id)) => {
                let id = part::entity_id(calendar, &id);
                read.facts.push(What::ignored(format!("the event {id} cannot be read: {why}")));
                read.seen.push(id);
            }
            (Err(why), None) => read.facts.push(What::ignored(format!("an event cannot be read: {why}"))),
        }
    }
    Ok(read)
}

pub(super) fn read_one(task: &Task<'_>, id: &str, answers: &[Answer]) -> Result<Page, Refusal> {
    let (Some((calendar, event)), [answer, of_calendar]) = (ids_of(task, id), answers) else {
        return Err(Refusal::Invalid);
    };
    let mut ended = Vec::new();
    let what = if errors::is_gone(answer) {
        ended.push(id.to_owned());
        What::Entity(gone(id, task.now))
    } else {
        errors::sort(answer)?;
        errors::sort(of_calendar)?;
        let Calendar { zone } = object(of_calendar)?;
        let item: Item = object(answer)?;
        if item.id() != Some(event.as_str()) {
            return Err(Refusal::Unreadable("the answer is not the event that was asked for"));
        }
        ended.extend(item.ended_series().map(|_| id.to_owned()));
        let (zone, titled) = (zone.read(), shares_titles(task));
        let reader = Event { calendar: &calendar, zone: zone.as_deref(), titled, now: task.now };
        match reader.told(item, &BTreeSet::new()) {
            Ok(notice) => What::Entity(notice),
            Err(why) => What::ignored(format!("the event {id} cannot be read: {why}")),
        }
    };
    Ok(Page { ended, ..Page::of(vec![what], Next::Done(String::new())) })
}

/// The end of an event of which Google says nothing else.
fn gone(id: &str, now: Timestamp) -> EntityNotice {
    let notice = EntityNotice::new(Kind::CalendarEvent, id, Version::from_time(now), State::Deleted);
    EntityNotice { dated: Dated::ByReceipt, ..notice }
}
