//! A mailbox: its calendars, and the events of all of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::event::Event;
use super::refused::Refused;
use super::shown::movable_id;
use crate::simulator::drawn;

/// The fields of a calendar that can be set by an edit.
const OF_CALENDAR: &[&str] = &["name", "color", "canEdit"];

/// The mailbox.
pub(super) struct Mailbox {
    seed: u64,
    made: u64,
    /// The number of the last change.
    pub(super) changes: u64,
    pub(super) calendars: BTreeMap<String, Map<String, Value>>,
    /// The events by their immutable ids, also those that are deleted.
    pub(super) events: BTreeMap<String, Event>,
    /// What changed in which calendar since it was last taken: the calendar, the event, and how.
    touched: Vec<(String, String, &'static str)>,
}

/// An event, or the occurrence of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The immutable id.
    pub(super) id: String,
    pub(super) day: Option<Date>,
}

impl Mailbox {
    pub(super) fn new(seed: u64) -> Self {
        let (calendars, events) = (BTreeMap::new(), BTreeMap::new());
        Self { seed, made: 0, changes: 0, calendars, events, touched: Vec::new() }
    }

    /// A new id of so many letters and digits.
    pub(super) fn fresh_id(&mut self, begins: &str, length: usize) -> String {
        self.made += 1;
        format!("{begins}{}AAA=", drawn::id(self.seed, &format!("id {}", self.made), length))
    }

    /// The number of a change that happens now.
    pub(super) fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// Remembers that an event has changed.
    pub(super) fn touch(&mut self, event: &Event, how: &'static str) {
        self.touched.push((event.calendar.clone(), event.id.clone(), how));
    }

    /// What has changed since it was last taken.
    pub(super) fn take_touched(&mut self) -> Vec<(String, String, &'static str)> {
        std::mem::take(&mut self.touched)
    }

    /// The id of a calendar; that of the default one without.
    pub(super) fn calendar(&self, id: Option<&str>) -> Result<String, Refused> {
        let is_default = |fields: &Map<String, Value>| fields.get("isDefaultCalendar") == Some(&Value::Bool(true));
        let found = match id {
            Some(id) => self.calendars.get_key_value(id).map(|(id, _)| id),
            None => self.calendars.iter().find(|(_, fields)| is_default(fields)).map(|(id, _)| id),
        };
        found.cloned().ok_or_else(Refused::no_item)
    }

    /// A calendar as answers show it.
    pub(super) fn shown(&self, id: &str) -> Value {
        let mut shown = Value::Object(self.calendars.get(id).cloned().unwrap_or_default());
        shown["id"] = id.into();
        shown
    }

    /// What an id names, of either kind, in this calendar if one is said.
    pub(super) fn find(&self, calendar: Option<&str>, id: &str) -> Result<Found, Refused> {
        let (id, day) = match id.strip_prefix("OID.").and_then(|rest| rest.rsplit_once('.')) {
            Some((series, day)) => (series, Some(day.parse::<Date>().map_err(|_| Refused::no_item())?)),
            None => (id, None),
        };
        let is_it = |event: &&Event| event.id == id || movable_id(&event.id, &event.calendar) == id;
        let found = self
            .events
            .values()
            .find(is_it)
            .filter(|event| !event.is_removed && calendar.is_none_or(|calendar| event.calendar == calendar));
        let event = found.ok_or_else(Refused::no_item)?;
        if day.is_some_and(|day| event.on(day).is_none()) {
            return Err(Refused::no_item());
        }
        Ok(Found { id: event.id.clone(), day })
    }

    /// An event that was found.
    pub(super) fn event(&self, id: &str) -> Result<&Event, Refused> {
        self.events.get(id).ok_or_else(Refused::no_item)
    }

    /// Makes a calendar, or changes one.
    pub(super) fn put(&mut self, id: Option<&str>, fields: &Map<String, Value>) -> Result<String, String> {
        for (name, value) in fields {
            let fits = if name == "canEdit" { value.is_boolean() } else { value.is_string() };
            if !OF_CALENDAR.contains(&name.as_str()) || !fits {
                return Err(format!("a calendar has the fields {}; {name} does not fit", OF_CALENDAR.join(", ")));
            }
        }
        let id = match id {
            Some(id) if !self.calendars.contains_key(id) => return Err("there is no such calendar".to_owned()),
            Some(id) => id.to_owned(),
            None => self.fresh_id("AQMkAD", 28),
        };
        let of = self.calendars.entry(id.clone()).or_default();
        let fresh = json!({
            "name": "Calendar",
            "color": "auto",
            "isDefaultCalendar": false,
            "canShare": true,
            "canViewPrivateItems": true,
            "canEdit": true,
            "isRemovable": true,
        });
        for (name, value) in fresh.as_object().into_iter().flatten() {
            of.entry(name.clone()).or_insert_with(|| value.clone());
        }
        of.extend(fields.clone());
        Ok(id)
    }

    /// Makes a calendar the default one.
    pub(super) fn make_default(&mut self, id: &str) {
        if let Some(fields) = self.calendars.get_mut(id) {
            fields.insert("isDefaultCalendar".to_owned(), true.into());
        }
    }

    /// Removes a calendar with its events.
    pub(super) fn remove_calendar(&mut self, id: &str, now: Timestamp) -> Result<(), String> {
        if self.calendar(None).is_ok_and(|default| default == id) {
            return Err("the default calendar cannot be removed".to_owned());
        }
        self.calendars.remove(id).ok_or("there is no such calendar")?;
        let number = self.next_change();
        for event in self.events.values_mut().filter(|event| event.calendar == id) {
            (event.is_removed, event.changed, event.modified) = (true, number, now);
        }
        Ok(())
    }
}
