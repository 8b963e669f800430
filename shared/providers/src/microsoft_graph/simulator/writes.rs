//! Writing events, as a client does or the owner.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::event::{Event, patch};
use super::mailbox::{Found, Mailbox};
use super::refused::Refused;
use super::shown::etag;

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// An app, which is bound by the rights of the account.
    App,
    /// The owner, or somebody who invited them.
    Owner,
}

impl Mailbox {
    /// `POST .../events`; the immutable id of what is made.
    pub(super) fn create(
        &mut self,
        calendar: &str,
        given: &Map<String, Value>,
        by: By,
        now: Timestamp,
    ) -> Result<String, Refused> {
        self.check_right(calendar, by)?;
        let mut fields = Map::new();
        patch(&mut fields, given, by == By::Owner)?;
        if let Some(transaction) = fields.get("transactionId") {
            // Whatever became of the event.
            if self.events.values().any(|event| event.fields.get("transactionId") == Some(transaction)) {
                let message = "Your request can't be completed. The TransactionId specified in the request has already \
                               been used to create a different event.";
                // Both were seen.
                let status = if self.changes.is_multiple_of(2) { 409 } else { 400 };
                return Err(Refused::new(status, "ErrorDuplicateTransactionId", message));
            }
        }
        let (id, changed) = (self.fresh_id("AAkALgAA", 36), self.next_change());
        let event = Event {
            id: id.clone(),
            calendar: calendar.to_owned(),
            fields,
            exceptions: BTreeMap::new(),
            created: now,
            modified: now,
            changed,
            is_removed: false,
        };
        self.touch(&event, "created");
        self.events.insert(id.clone(), event);
        Ok(id)
    }

    /// `PATCH .../events/{id}`. A change of an occurrence makes an exception.
    pub(super) fn change(
        &mut self,
        found: &Found,
        given: &Map<String, Value>,
        by: By,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut event = self.event(&found.id)?.clone();
        self.check_right(&event.calendar, by)?;
        if given.contains_key("transactionId") {
            return Err(Refused::field("The TransactionId of an event cannot be changed."));
        }
        match found.day {
            None => patch(&mut event.fields, given, by == By::Owner)?,
            Some(day) => {
                let mut whole = event.on(day).ok_or_else(Refused::no_item)?;
                patch(&mut whole, given, by == By::Owner)?;
                let mut own = event.exceptions.get(&day).cloned().flatten().unwrap_or_default();
                for name in given.keys().map(String::as_str).chain(["start", "end"]) {
                    whole.get(name).into_iter().for_each(|value| drop(own.insert(name.to_owned(), value.clone())));
                }
                event.exceptions.insert(day, Some(own));
            }
        }
        self.keep(event, now);
        Ok(())
    }

    /// `DELETE .../events/{id}`.
    pub(super) fn delete(&mut self, found: &Found, by: By, now: Timestamp) -> Result<(), Refused> {
        let mut event = self.event(&found.id)?.clone();
        self.check_right(&event.calendar, by)?;
        match found.day {
            None => event.is_removed = true,
            Some(day) => drop(event.exceptions.insert(day, None)),
        }
        self.keep(event, now);
        Ok(())
    }

    /// Moves an event to another calendar.
    pub(super) fn move_to(&mut self, id: &str, calendar: &str, now: Timestamp) -> Result<(), Refused> {
        let mut event = self.event(id)?.clone();
        if event.calendar == calendar {
            return Ok(());
        }
        self.touch(&event, "deleted");
        event.calendar = calendar.to_owned();
        self.keep(event, now);
        Ok(())
    }

    fn keep(&mut self, mut event: Event, now: Timestamp) {
        (event.changed, event.modified) = (self.next_change(), now);
        self.touch(&event, if event.is_removed { "deleted" } else { "updated" });
        self.events.insert(event.id.clone(), event);
    }

    fn check_right(&self, calendar: &str, by: By) -> Result<(), Refused> {
        let fields = self.calendars.get(calendar).ok_or_else(Refused::no_item)?;
        match by == By::Owner || fields.get("canEdit") != Some(&Value::Bool(false)) {
            true => Ok(()),
            false => Err(Refused::denied()),
        }
    }

    /// Refuses a write to another version of an event than the one that is there.
    pub(super) fn check_version(&self, found: &Found, if_match: Option<&str>) -> Result<(), Refused> {
        let event = self.event(&found.id)?;
        match if_match {
            Some(given) if given != "*" && given != etag(event.changed) => {
                let message = "The send or update operation could not be performed because the change key passed in the \
                               request does not match the current change key for the item.";
                Err(Refused::new(412, "ErrorIrresolvableConflict", message))
            }
            _ => Ok(()),
        }
    }
}
