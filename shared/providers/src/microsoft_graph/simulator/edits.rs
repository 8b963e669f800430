//! Edits as the owner makes them in Outlook, and what happens to the account.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::mailbox::Mailbox;
use super::refused::Refused;
use super::writes::By;
use crate::simulator::Edit;
use hooktide_model::part;

/// The field of an event that says in which calendar it is made, or to which one it is moved.
const CALENDAR: &str = "calendar";

impl Mailbox {
    /// Makes, changes, moves or deletes an event, or an occurrence of a series. Ids are those of its calendar and its own, as
    /// `<calendar>/<event>`, and `<calendar>/OID.<series>.<day>` for an occurrence; without a calendar, it is in the default one.
    pub(super) fn edit_event(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let mut fields = edit.fields.clone();
        let to = fields.as_mut().and_then(|fields| fields.remove(CALENDAR));
        let to = match &to {
            None => None,
            Some(to) => Some(to.as_str().ok_or("`calendar` is the id of a calendar")?),
        };
        let no_calendar = |_: Refused| "there is no such calendar".to_owned();
        let Some(id) = edit.id.as_deref() else {
            let fields = fields.ok_or("what is deleted has an id")?;
            let calendar = self.calendar(to).map_err(no_calendar)?;
            let id = self.create(&calendar, &timed(fields, now), By::Owner, now).map_err(Refused::into_message)?;
            return Ok(part::entity_id(&calendar, &id));
        };
        let (calendar, id) = match part::ids_of(id) {
            Some((calendar, id)) => (Some(calendar), id),
            None => (None, id.to_owned()),
        };
        let found = self.find(calendar.as_deref(), &id).map_err(Refused::into_message)?;
        let Some(fields) = fields else {
            let calendar = self.event(&found.id).map_err(Refused::into_message)?.calendar.clone();
            self.delete(&found, By::Owner, now).map_err(Refused::into_message)?;
            return Ok(part::entity_id(&calendar, &id));
        };
        if let Some(to) = to {
            let to = self.calendar(Some(to)).map_err(no_calendar)?;
            self.move_to(&found.id, &to, now).map_err(Refused::into_message)?;
        }
        if !fields.is_empty() {
            self.change(&found, &fields, By::Owner, now).map_err(Refused::into_message)?;
        }
        Ok(part::entity_id(&self.event(&found.id).map_err(Refused::into_message)?.calendar, &id))
    }

    /// Makes, changes or removes a calendar.
    pub(super) fn edit_calendar(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match (&edit.id, &edit.fields) {
            (None, None) => Err("what is deleted has an id".to_owned()),
            (id, Some(fields)) => self.put(id.as_deref(), fields),
            (Some(id), None) => self.remove_calendar(id, now).map(|()| id.clone()),
        }
    }
}

/// An event's fields with a time, if they have none: an hour, from the next full one on.
fn timed(mut fields: Map<String, Value>, now: Timestamp) -> Map<String, Value> {
    if !fields.contains_key("start") && !fields.contains_key("end") {
        let hour = |hours: i64| {
            let second = (now.as_second().div_euclid(3600) + hours) * 3600;
            let at = Timestamp::from_second(second).unwrap_or(now);
            json!({ "dateTime": at.to_string(), "timeZone": "UTC" })
        };
        fields.insert("start".to_owned(), hour(1));
        fields.insert("end".to_owned(), hour(2));
    }
    fields
}
