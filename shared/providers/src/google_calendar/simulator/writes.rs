//! Writing events, as a client does or the owner.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::calendars::{Calendars, etag};
use super::event::{Event, emptied, patch};
use super::query::Query;
use super::refused::Refused;
use super::series;

/// How long the id of an event can be that a client makes up.
const ID: std::ops::RangeInclusive<usize> = 5..=1024;
/// Who can get e-mails about a write.
const TO_WHOM: &[&str] = &["all", "externalOnly", "none"];
/// The fields whose change makes a new issue of an event.
const OF_ISSUE: &[&str] = &["start", "end", "recurrence", "status"];

impl Calendars {
    /// What is there under an id: an event, also if it is deleted, or an occurrence of a series.
    pub(super) fn existing(&self, calendar: &str, id: &str) -> Result<Value, Refused> {
        let of = self.of(calendar)?;
        let kept = of.events.get(id).filter(|event| !event.is_purged).map(|event| event.value.clone());
        kept.or_else(|| series::occurrence(of, id)).ok_or_else(Refused::not_found)
    }

    /// `POST calendars/{id}/events`.
    pub(super) fn insert(
        &mut self,
        calendar: &str,
        given: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let id = match given.get("id") {
            None | Some(Value::Null) => self.fresh_id(26),
            Some(id) => own_id(id)?.to_owned(),
        };
        let of = self.of(calendar)?;
        // The id of a deleted event stays taken.
        if of.events.contains_key(&id) {
            return Err(Refused::new(409, "duplicate", "The requested identifier already exists."));
        }
        let own = json!({ "email": of.id, "self": true });
        let mut event = json!({
            "kind": "calendar#event",
            "id": id,
            "status": "confirmed",
            "htmlLink": format!("https://www.google.com/calendar/event?eid={id}"),
            "created": format!("{now:.3}"),
            "creator": own,
            "organizer": own,
            "iCalUID": given.get("iCalUID").cloned().unwrap_or_else(|| format!("{id}@google.com").into()),
            "sequence": 0,
            "reminders": { "useDefault": true },
            "eventType": given.get("eventType").cloned().unwrap_or_else(|| "default".into()),
        });
        patch(&mut event, given, of.text("timeZone"))?;
        Ok(self.keep(calendar, event, Some(now)))
    }

    /// `PATCH calendars/{id}/events/{event}`, or `PUT`, where what is not given is dropped.
    pub(super) fn change(
        &mut self,
        (calendar, id): (&str, &str),
        given: &Map<String, Value>,
        is_whole: bool,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let before = self.existing(calendar, id)?;
        let mut event = if is_whole { emptied(&before) } else { before.clone() };
        patch(&mut event, given, self.of(calendar)?.text("timeZone"))?;
        if OF_ISSUE.iter().any(|name| before.get(name) != event.get(name)) {
            event["sequence"] = (before["sequence"].as_u64().unwrap_or_default() + 1).into();
        }
        if event["status"] == "cancelled" {
            return Ok(self.cancel(calendar, event, now));
        }
        // Reminders are nobody else's business: they leave the date as it is.
        let is_quiet = !given.is_empty() && given.keys().all(|name| name == "reminders");
        Ok(self.keep(calendar, event, (!is_quiet).then_some(now)))
    }

    /// `DELETE calendars/{id}/events/{event}`.
    pub(super) fn delete(&mut self, calendar: &str, id: &str, now: Timestamp) -> Result<(), Refused> {
        let event = self.existing(calendar, id)?;
        if event["status"] == "cancelled" {
            return Err(Refused::new(410, "deleted", "Resource has been deleted"));
        }
        self.cancel(calendar, event, now);
        Ok(())
    }

    /// Cancels an event, and with a series what differs from it.
    fn cancel(&mut self, calendar: &str, mut event: Value, now: Timestamp) -> Value {
        event["status"] = "cancelled".into();
        let of_series = |other: &&Event| event["id"].is_string() && other.value["recurringEventId"] == event["id"];
        let events = self.all.get(calendar).into_iter().flat_map(|of| of.events.values());
        let others: Vec<Value> = events.filter(of_series).map(|other| other.value.clone()).collect();
        for mut other in others {
            other["status"] = "cancelled".into();
            self.keep(calendar, other, Some(now));
        }
        self.keep(calendar, event, Some(now))
    }

    /// Keeps an event, and the copies of it in the calendars of this account that are invited.
    fn keep(&mut self, calendar: &str, mut event: Value, now: Option<Timestamp>) -> Value {
        mark_own(&mut event, calendar);
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        let is_invited = |to: &str| {
            let mut attendees = event["attendees"].as_array().into_iter().flatten();
            event["status"] != "cancelled" && attendees.any(|attendee| attendee["email"] == to)
        };
        let others = self.all.values().filter(|of| of.id != calendar && of.text("accessRole") == "owner");
        let copies: Vec<(String, Value)> = others
            .filter(|_| event["organizer"]["email"] == calendar)
            .filter_map(|of| match (is_invited(&of.id), of.events.get(&id)) {
                (true, _) => Some((of.id.clone(), event.clone())),
                (false, Some(copy)) => {
                    let mut copy = copy.value.clone();
                    copy["status"] = "cancelled".into();
                    Some((of.id.clone(), copy))
                }
                (false, None) => None,
            })
            .collect();
        for (calendar, mut copy) in copies {
            // Each copy has private properties of its own.
            let existing = self.all.get(&calendar).and_then(|of| of.events.get(&id));
            let private = existing.and_then(|existing| existing.value["extendedProperties"].get("private")).cloned();
            if let Some(private) = private {
                copy["extendedProperties"]["private"] = private;
            } else if let Some(Value::Object(properties)) = copy.get_mut("extendedProperties") {
                properties.remove("private");
            }
            for who in ["creator", "organizer"] {
                copy[who].as_object_mut().map(|who| who.remove("self"));
            }
            mark_own(&mut copy, &calendar);
            self.store(&calendar, copy, now);
        }
        self.store(calendar, event, now)
    }

    fn store(&mut self, calendar: &str, mut event: Value, now: Option<Timestamp>) -> Value {
        let changed = self.next_change();
        event["etag"] = etag(changed).into();
        if let Some(now) = now {
            event["updated"] = format!("{now:.3}").into();
        }
        if let Some(of) = self.all.get_mut(calendar) {
            let (id, path) = (event["id"].as_str().unwrap_or_default().to_owned(), of.path());
            of.events.insert(id, Event { value: event.clone(), changed, is_purged: false });
            self.touch(path);
        }
        event
    }
}

/// Refuses a write to another version of an event than the one that is there.
pub(super) fn check_version(event: &Value, if_match: Option<&str>) -> Result<(), Refused> {
    match if_match {
        Some(etag) if etag != "*" && event["etag"] != etag => {
            Err(Refused::new(412, "conditionNotMet", "Precondition Failed").in_header("If-Match"))
        }
        _ => Ok(()),
    }
}

/// Refuses an answer to the question of who gets e-mails that Google does not know.
pub(super) fn check_updates(query: &Query) -> Result<(), Refused> {
    match query.text("sendUpdates").is_none_or(|to| TO_WHOM.contains(&to)) {
        true => Ok(()),
        false => Err(Refused::parameter("sendUpdates", "Invalid value for sendUpdates.")),
    }
}

/// An id that a client made up.
fn own_id(id: &Value) -> Result<&str, Refused> {
    let fits = |id: &&str| ID.contains(&id.len()) && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
    id.as_str().filter(fits).ok_or_else(|| Refused::new(400, "invalid", "Invalid resource id value."))
}

/// Marks which of the attendees the calendar itself is.
fn mark_own(event: &mut Value, calendar: &str) {
    for attendee in event.get_mut("attendees").and_then(Value::as_array_mut).into_iter().flatten() {
        let is_own = attendee["email"] == calendar;
        let Some(attendee) = attendee.as_object_mut() else { continue };
        attendee.remove("self");
        if is_own {
            attendee.insert("self".to_owned(), true.into());
        }
        attendee.entry("responseStatus").or_insert_with(|| "needsAction".into());
    }
}
