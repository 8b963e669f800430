//! One event of a calendar, as Google answers it: a single one, a series, or an occurrence that differs from its series.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::IgnoredAny;

use crate::lenient::{Lenient, Object, Unread, fields};
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version};
use hooktide_model::part;

/// The longest id of an entity, in bytes: it becomes part of a key, which has 1,024. Ids of events may have as many.
const LONGEST_ENTITY: usize = 900;
/// The longest rules by which an event recurs, in bytes.
const LONGEST_RULES: usize = 32 * 1024;
/// The types of events that say where somebody is, or what day it is, and block no time.
const TAKE_NO_TIME: &[&str] = &["workingLocation", "birthday"];
/// The status of an event that is deleted, or of an occurrence that does not take place.
const CANCELLED: &str = "cancelled";

fields! {
    /// An event. A cancelled one may have nothing but its id.
    pub(super) struct Item {
        id: Lenient<String> = "id",
        status: Lenient<String> = "status",
        sort: Lenient<String> = "eventType",
        transparency: Lenient<String> = "transparency",
        recurrence: Lenient<Vec<Lenient<String>>> = "recurrence",
        series: Lenient<String> = "recurringEventId",
        original: Lenient<Object<Moment>> = "originalStartTime",
        start: Lenient<Object<Moment>> = "start",
        end: Lenient<Object<Moment>> = "end",
        updated: Lenient<Timestamp> = "updated",
        attendees: Lenient<Vec<Lenient<Object<Attendee>>>> = "attendees",
        properties: Lenient<Object<Properties>> = "extendedProperties",
    }
}

fields! {
    /// A start or an end: a day, or a time.
    struct Moment {
        date: Lenient<String> = "date",
        time: Lenient<Timestamp> = "dateTime",
        zone: Lenient<String> = "timeZone",
    }
}

fields! {
    struct Attendee {
        is_self: Lenient<bool> = "self",
        response: Lenient<String> = "responseStatus",
    }
}

fields! {
    struct Properties {
        private: Lenient<Object<Private>> = "private",
    }
}

fields! {
    /// The properties of the copy that is in this calendar. Guests do not get them.
    struct Private {
        block: Lenient<IgnoredAny> = "hooktide",
    }
}

impl Item {
    /// Its id, if it has one.
    pub(super) fn id(&self) -> Option<&str> {
        let fits = |id: &&str| !id.is_empty() && !id.chars().any(char::is_control);
        self.id.as_ref().map(String::as_str).filter(fits)
    }

    /// The id of a series that is deleted, with all of its occurrences.
    pub(super) fn ended_series(&self) -> Option<&str> {
        self.id().filter(|_| self.is_cancelled() && !self.series.is_there())
    }

    fn is_cancelled(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status == CANCELLED)
    }

    /// Whether its time is free: it is marked so, declined, or of a type that takes no time.
    fn is_free(&self) -> bool {
        let is = |field: &Lenient<String>, text: &str| field.as_ref().is_some_and(|field| field == text);
        let declined = |attendee: &Attendee| {
            attendee.is_self.as_ref().is_some_and(|own| *own) && is(&attendee.response, "declined")
        };
        let attendees = self.attendees.as_ref().into_iter().flatten().filter_map(Lenient::as_ref);
        is(&self.transparency, "transparent")
            || TAKE_NO_TIME.iter().any(|sort| is(&self.sort, sort))
            || attendees.into_iter().any(|Object(attendee)| declined(attendee))
    }

    /// Whether it is a block that we made for an event of another calendar.
    fn is_own_block(&self) -> bool {
        let private = self.properties.as_ref().and_then(|Object(properties)| properties.private.as_ref());
        private.is_some_and(|Object(private)| private.block.is_there())
    }
}

/// Whether an event is an occurrence of a series, by their ids: its own is that of the series and the time at which it would
/// begin, such as `weekly_20261214T080000Z`, or `weekly_20261214` where that is a day. What follows from a change of "this and
/// all following" is a series by itself, with an id such as `weekly_R20261214T080000`.
pub(super) fn is_occurrence(event: &str, series: &str) -> bool {
    let Some(begins) = event.strip_prefix(series).and_then(|rest| rest.strip_prefix('_')) else { return false };
    let (day, time) = begins.split_once('T').map_or((begins, None), |(day, time)| (day, Some(time)));
    let has = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    has(day, 8) && time.is_none_or(|time| has(time.strip_suffix('Z').unwrap_or(time), 6))
}

/// What the events of an answer have in common.
pub(super) struct Event<'a> {
    /// The calendar's id.
    pub(super) calendar: &'a str,
    /// The calendar's time zone, by which its days are counted.
    pub(super) zone: Option<&'a str>,
    /// When it was asked.
    pub(super) now: Timestamp,
}

impl Event<'_> {
    /// The state of an event, unless it cannot be read. `ended` are series that the same answer reports as deleted.
    pub(super) fn told(&self, item: Item, ended: &BTreeSet<String>) -> Result<EntityNotice, &'static str> {
        let id = item.id().ok_or("it has no id")?.to_owned();
        let entity = part::entity_id(self.calendar, &id);
        if entity.len() > LONGEST_ENTITY {
            return Err("its id is too long");
        }
        if item.series.is_odd() {
            return Err("`recurringEventId` is no text");
        }
        let updated = item.updated.as_ref().copied();
        let is_hole = item.series.as_ref().is_some_and(|series| !ended.contains(series));
        let mut unread = Unread::default();
        let state = match item.is_cancelled() && !is_hole {
            true => State::Deleted,
            false => State::Present(Document::CalendarEvent(Box::new(self.document(id, item, &mut unread)))),
        };
        let version = Version::from_time(updated.unwrap_or(self.now));
        Ok(EntityNotice {
            occurred_at: updated,
            // What is left of a cancelled event has no date.
            dated: if updated.is_some() { Dated::ByProvider } else { Dated::ByReceipt },
            unread: unread.into_paths(),
            ..EntityNotice::new(Kind::CalendarEvent, entity, version, state)
        })
    }

    fn document(&self, id: String, item: Item, unread: &mut Unread) -> CalendarEvent {
        let cancelled = item.is_cancelled();
        let (is_free, own_block) = (item.is_free(), item.is_own_block());
        let odd = [
            ("attendees", item.attendees.is_odd()),
            ("eventType", item.sort.is_odd()),
            ("extendedProperties", item.properties.is_odd()),
        ];
        odd.into_iter().filter(|(_, odd)| *odd).for_each(|(path, _)| unread.note(path));
        item.transparency.or_note(unread, "transparency");
        let series = item.series.read();
        let moment = |moment: Lenient<Object<Moment>>, needed: bool, path: &str, unread: &mut Unread| {
            let moment = if needed { moment.value_or_note(unread, path) } else { moment.or_note(unread, path) };
            moment.and_then(|Object(moment)| moment.when(unread, path))
        };
        let original = moment(item.original, series.is_some(), "originalStartTime", unread);
        let start = moment(item.start, !cancelled, "start", unread);
        let end = moment(item.end, !cancelled, "end", unread);
        let updated = if cancelled {
            item.updated.or_note(unread, "updated")
        } else {
            item.updated.value_or_note(unread, "updated")
        };
        let begins = start.as_ref().or(original.as_ref());
        let zone = begins.and_then(|when| when.zone.clone());
        CalendarEvent {
            id,
            calendar: self.calendar.to_owned(),
            series,
            recurrence: rules(item.recurrence, unread),
            all_day: begins.is_some_and(|when| when.is_day),
            time_zone: zone.or_else(|| self.zone.map(str::to_owned)),
            original_start: original.map(|when| when.text),
            start: start.map(|when| when.text),
            end: end.map(|when| when.text),
            status: if cancelled { item.status.read() } else { item.status.value_or_note(unread, "status") },
            busy: !cancelled && !is_free,
            own_block,
            updated_at: updated.unwrap_or(self.now).to_string(),
        }
    }
}

/// A start or an end.
struct When {
    text: String,
    is_day: bool,
    zone: Option<String>,
}

impl Moment {
    /// The day, or the time in UTC; what it cannot be read from is named as unread.
    fn when(self, unread: &mut Unread, path: &str) -> Option<When> {
        let zone = self.zone.or_note(unread, format_args!("{path}.timeZone"));
        if let Some(time) = self.time.or_note(unread, format_args!("{path}.dateTime")) {
            return Some(When { text: time.to_string(), is_day: false, zone });
        }
        let date = self.date.value_or_note(unread, format_args!("{path}.date"))?;
        let Ok(day) = date.parse::<Date>() else {
            unread.note(format_args!("{path}.date"));
            return None;
        };
        Some(When { text: day.to_string(), is_day: true, zone })
    }
}

/// The rules by which a series recurs. Without one of them it would recur otherwise, so they are read as a whole.
fn rules(lines: Lenient<Vec<Lenient<String>>>, unread: &mut Unread) -> Vec<String> {
    let lines = lines.or_note(unread, "recurrence").unwrap_or_default();
    let whole: Option<Vec<String>> = lines.into_iter().map(Lenient::read).collect();
    let whole = whole.filter(|lines| lines.iter().map(String::len).sum::<usize>() <= LONGEST_RULES);
    whole.unwrap_or_else(|| {
        unread.note("recurrence");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occurrence_is_told_from_what_only_begins_like_its_series() {
        for (event, expected) in [
            ("a/weekly_20261214T080000Z", true),
            ("a/weekly_20261214T080000", true),
            ("a/weekly_20261214", true),
            ("a/weekly", false),
            ("a/weekly_", false),
            ("a/weekly2_20261214", false),
            ("a/weekly_R20261214T080000", false),
            ("a/weekly_R20261214T080000_20261221T080000Z", false),
            ("a/weekly_20261214T080000Z_20261214T080000Z", false),
            ("a/weekly_2026121", false),
            ("a/weekly_20261214T0800Z", false),
            ("a/weekly_20261214T", false),
            ("b/weekly_20261214T080000Z", false),
            ("a/WEEKLY_20261214T080000Z", false),
        ] {
            assert_eq!(is_occurrence(event, "a/weekly"), expected, "{event}");
        }
    }
}
