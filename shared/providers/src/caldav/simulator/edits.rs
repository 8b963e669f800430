//! Edits as the owner makes them with another client.

use jiff::Timestamp;
use serde_json::Value;

use super::Account;
use super::collection::{Collection, Resource, text};
use crate::simulator::{Edit, drawn, ical};
use hooktide_model::part;

/// The field of an event that says in which calendar it is made.
const CALENDAR: &str = "calendar";
/// The field of an event that has all of its text.
const TEXT: &str = "text";

impl Account {
    /// Makes, changes or deletes an event. Ids are those of its calendar and its own name, as `<calendar>/<name>`; without a
    /// calendar, it is at home.
    pub(super) fn edit_event(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let mut fields = edit.fields.clone();
        let to = fields.as_mut().and_then(|fields| fields.remove(CALENDAR));
        let to = to.as_ref().map_or(Some("home"), Value::as_str).ok_or("`calendar` is the id of a calendar")?;
        let (part, name) = match edit.id.as_deref().map(|id| (id, part::ids_of(id))) {
            None => (to.to_owned(), None),
            Some((_, Some((calendar, name)))) => (calendar, Some(name)),
            Some((name, None)) => (to.to_owned(), Some(name.to_owned())),
        };
        let (id, part) = self.calendar(&part).ok_or("there is no such calendar")?;
        let made = self.made;
        let of = self.calendars.get_mut(&id).ok_or("there is no such calendar")?;
        let name = match (name, fields) {
            (None, None) => return Err("what is deleted has an id".to_owned()),
            (Some(name), None) => {
                if !of.remove(&name) {
                    return Err("there is no such event".to_owned());
                }
                name
            }
            (name, Some(fields)) => {
                self.made += 1;
                let uid = drawn::id(self.seed, &format!("event {made}"), 20);
                let is_new = name.is_none();
                let name = name.unwrap_or_else(|| format!("{uid}.ics"));
                let before = of.members.get(&name).cloned();
                if before.is_none() && !is_new && !fields.contains_key(TEXT) {
                    return Err("there is no such event".to_owned());
                }
                let new = match fields.get(TEXT) {
                    Some(Value::String(text)) => text.clone(),
                    Some(_) => return Err("`text` is a text".to_owned()),
                    None => edited(before.as_ref(), &uid, &fields, now)?,
                };
                of.put(&name, new);
                name
            }
        };
        Ok(part::entity_id(&part, &name))
    }

    /// Makes, renames or removes a calendar.
    pub(super) fn edit_calendar(&mut self, edit: &Edit) -> Result<String, String> {
        let known = match &edit.id {
            None => None,
            Some(id) => Some(self.calendar(id).ok_or("there is no such calendar")?),
        };
        let Some(fields) = &edit.fields else {
            let (id, part) = known.ok_or("what is deleted has an id")?;
            self.calendars.remove(&id);
            return Ok(part);
        };
        let name = fields.get("name").and_then(Value::as_str).filter(|_| fields.len() == 1);
        let name = name.ok_or("a calendar has a `name`")?;
        if let Some((id, part)) = known {
            self.calendars.entry(id).and_modify(|of| name.clone_into(&mut of.name));
            return Ok(part);
        }
        self.made += 1;
        let id = drawn::id(self.seed, &format!("calendar {}", self.made), 12);
        self.calendars.insert(id.clone(), Collection::named(name, true));
        Ok(format!("{}{id}/", self.home()))
    }

    /// A calendar by its path, its whole address or its last name: its own id, and the one that was given, or its path.
    fn calendar(&self, given: &str) -> Option<(String, String)> {
        let id = given.trim_end_matches('/').rsplit('/').next()?;
        let part = if given.contains('/') { given.to_owned() } else { format!("{}{id}/", self.home()) };
        self.calendars.contains_key(id).then(|| (id.to_owned(), part))
    }
}

/// The text of an event after an edit of its properties; occurrences that differ stay as they are.
fn edited(
    before: Option<&Resource>,
    uid: &str,
    fields: &serde_json::Map<String, Value>,
    now: Timestamp,
) -> Result<String, String> {
    let mut events = before.map(|before| ical::components(&before.text, "VEVENT")).unwrap_or_default();
    if events.is_empty() {
        events.push(vec![format!("UID:{uid}"), "SUMMARY:Event".to_owned()]);
    }
    events[0] = ical::edited(&events[0], fields, now)?;
    Ok(text(&events.iter().map(|lines| ical::event(lines)).collect::<String>()))
}
