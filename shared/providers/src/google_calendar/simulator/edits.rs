//! Edits as the owner makes them in the calendar's own pages.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::calendars::{Calendars, ROLES};
use super::refused::Refused;
use crate::simulator::Edit;
use crate::simulator::zone::zone;
use hooktide_model::part;

/// The fields of a calendar that can be set.
const OF_CALENDAR: &[&str] =
    &["summary", "summaryOverride", "description", "location", "timeZone", "accessRole", "hidden", "selected"];
/// The field of an event that says in which calendar it is made.
const CALENDAR: &str = "calendar";

impl Calendars {
    /// Makes, changes or deletes an event, or an occurrence of a series. Ids are those of its calendar and its own, as
    /// `<calendar>/<event>`; without a calendar, it is in the main one.
    pub(super) fn edit_event(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let mut fields = edit.fields.clone();
        let to = fields.as_mut().and_then(|fields| fields.remove(CALENDAR));
        let to = to.as_ref().map_or(Some("primary"), Value::as_str).ok_or("`calendar` is the id of a calendar")?;
        let (calendar, id) = match edit.id.as_deref() {
            None => (to.to_owned(), None),
            Some(id) => match part::ids_of(id) {
                Some((calendar, id)) => (calendar, Some(id)),
                None => (to.to_owned(), Some(id.to_owned())),
            },
        };
        let calendar = self.of(&calendar).map(|of| of.id.clone()).map_err(|_| "there is no such calendar")?;
        let id = match (id, fields.map(replacing)) {
            (None, None) => return Err("what is deleted has an id".to_owned()),
            (None, Some(fields)) => {
                let fields = timed(fields, now);
                let made = self.insert(&calendar, &fields, now).map_err(Refused::into_message)?;
                made["id"].as_str().unwrap_or_default().to_owned()
            }
            (Some(id), Some(fields)) => {
                self.change((&calendar, &id), &fields, false, now).map_err(Refused::into_message)?;
                id
            }
            (Some(id), None) => {
                self.delete(&calendar, &id, now).map_err(Refused::into_message)?;
                id
            }
        };
        Ok(part::entity_id(&calendar, &id))
    }

    /// Empties the bin of all calendars. Of what was deleted only the ids are left, which stay taken; occurrences of a series
    /// that were cancelled belong to it.
    pub(super) fn empty_bin(&mut self) {
        for event in self.all.values_mut().flat_map(|of| of.events.values_mut()) {
            event.is_purged |= event.value["status"] == "cancelled" && !event.value["recurringEventId"].is_string();
        }
    }

    /// Makes, changes or removes a calendar.
    pub(super) fn edit_calendar(&mut self, edit: &Edit) -> Result<String, String> {
        let existing = match &edit.id {
            None => None,
            Some(id) => {
                let known = self.all.get(id).filter(|of| !of.is_removed);
                Some(known.map(|of| of.id.clone()).ok_or("there is no such calendar")?)
            }
        };
        let Some(fields) = &edit.fields else {
            let id = existing.ok_or("what is deleted has an id")?;
            if self.all.get(&id).is_some_and(|of| of.entry["primary"] == true) {
                return Err("the main calendar cannot be removed".to_owned());
            }
            self.remove(&id);
            return Ok(id);
        };
        for (name, value) in fields {
            let fits = match name.as_str() {
                "timeZone" => value.as_str().is_some_and(|name| zone(name).is_some()),
                "accessRole" => value.as_str().is_some_and(|role| ROLES.contains(&role)),
                "hidden" | "selected" => value.is_boolean(),
                name => OF_CALENDAR.contains(&name) && value.is_string(),
            };
            if !fits {
                return Err(format!("a calendar has the fields {}; {name} does not fit", OF_CALENDAR.join(", ")));
            }
        }
        let id = existing.unwrap_or_else(|| format!("c_{}@group.calendar.google.com", self.fresh_id(26)));
        self.put(&id, fields);
        Ok(id)
    }
}

/// An event's fields, whose days take the place of times, and times that of days: whoever edits one in a page replaces it.
fn replacing(mut fields: Map<String, Value>) -> Map<String, Value> {
    for name in ["start", "end"] {
        let Some(Value::Object(moment)) = fields.get_mut(name) else { continue };
        let others: &[&str] = if moment.contains_key("date") { &["dateTime", "timeZone"] } else { &["date"] };
        for other in others {
            moment.entry(*other).or_insert(Value::Null);
        }
    }
    fields
}

/// An event's fields with a time, if they have none: an hour, from the next full one on.
fn timed(mut fields: Map<String, Value>, now: Timestamp) -> Map<String, Value> {
    if !fields.contains_key("start") && !fields.contains_key("end") {
        let hour = |hours: i64| {
            let second = (now.as_second().div_euclid(3600) + hours) * 3600;
            json!({ "dateTime": Timestamp::from_second(second).unwrap_or(now).to_string() })
        };
        fields.insert("start".to_owned(), hour(1));
        fields.insert("end".to_owned(), hour(2));
    }
    fields
}
