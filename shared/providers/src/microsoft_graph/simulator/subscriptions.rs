//! Subscriptions: who is told what until when, and the notifications that they get.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::protocols::query::decoded_path;
use crate::simulator::drawn;
use crate::simulator::outbox::is_address;

/// The fields that a subscription can be made with.
const FIELDS: &[&str] = &[
    "changeType",
    "clientState",
    "expirationDateTime",
    "latestSupportedTlsVersion",
    "lifecycleNotificationUrl",
    "notificationUrl",
    "resource",
];
/// The fields that can be changed.
const CHANGEABLE: &[&str] = &["expirationDateTime", "notificationUrl"];
/// What can happen to an event.
const CHANGES: &[&str] = &["created", "updated", "deleted"];
/// The shortest life of a subscription, and the longest, in minutes.
const LIFE: (i64, i64) = (45, 10_080);
/// The longest `clientState`.
const LONGEST_STATE: usize = 128;

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) fields: Map<String, Value>,
    pub(super) calendar: String,
    /// The kind of the ids that its notifications have: that which it was made with.
    pub(super) is_immutable: bool,
    pub(super) ends_at: Timestamp,
    /// Whether nothing is sent until it is authorised again.
    pub(super) waits: bool,
}

impl Subscription {
    /// A field as a text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// When it ends, as it is shown.
    pub(super) fn ends(&self) -> String {
        format!("{:.7}", self.ends_at)
    }

    /// Whether such changes are sent to it.
    pub(super) fn wants(&self, change: &str) -> bool {
        self.text("changeType").split(',').any(|wanted| wanted == change)
    }

    /// The subscription as answers show it; `clientState` only where it is made.
    fn shown(&self, id: &str, is_new: bool) -> Value {
        let mut shown = Value::Object(self.fields.clone());
        shown["id"] = id.into();
        shown["expirationDateTime"] = self.ends().into();
        shown["applicationId"] = "6731de76-14a6-49ae-97bc-6eba6914391e".into();
        shown["creatorId"] = "8ee44408-0679-472c-bc2a-692812af3437".into();
        if !is_new {
            shown["clientState"] = Value::Null;
        }
        shown
    }
}

/// The subscriptions of an app to a mailbox.
pub(super) struct Subscriptions {
    seed: u64,
    made: u64,
    pub(super) all: BTreeMap<String, Subscription>,
}

impl Subscriptions {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, made: 0, all: BTreeMap::new() }
    }

    /// `POST /subscriptions`. Both addresses are to be asked for a sign.
    pub(super) fn create(
        &mut self,
        given: &Map<String, Value>,
        calendar: impl Fn(&str) -> Result<String, Refused>,
        is_immutable: bool,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        check(given, FIELDS)?;
        let invalid = |what: &str| Refused::new(400, "InvalidRequest", format!("Subscription {what} is invalid."));
        let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let changes = text("changeType").ok_or_else(|| invalid("changeType"))?;
        if !changes.split(',').all(|change| CHANGES.contains(&change)) {
            return Err(invalid("changeType"));
        }
        for name in ["notificationUrl", "lifecycleNotificationUrl"] {
            match text(name) {
                None if name == "lifecycleNotificationUrl" => {}
                Some(url) if is_address(url) => {}
                _ => return Err(Refused::new(400, "InvalidRequest", "Subscription notification url must use https.")),
            }
        }
        if text("clientState").is_some_and(|state| state.len() > LONGEST_STATE) {
            return Err(invalid("clientState"));
        }
        let calendar = calendar(text("resource").and_then(resource).ok_or_else(|| invalid("resource"))?.as_str())?;
        let ends_at = ends_at(given, now)?;
        self.made += 1;
        let digits = drawn::id(self.seed, &format!("subscription {}", self.made), 32).to_lowercase();
        let id =
            format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        let made = Subscription { fields: given.clone(), calendar, is_immutable, ends_at, waits: false };
        let shown = made.shown(&id, true);
        self.all.insert(id, made);
        Ok(shown)
    }

    /// `PATCH /subscriptions/{id}`, which authorises it again as well. What has ended is not there.
    pub(super) fn renew(&mut self, id: &str, given: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        check(given, CHANGEABLE)?;
        self.end_past(now);
        let one = self.all.get_mut(id).ok_or_else(Refused::no_resource)?;
        one.ends_at = ends_at(given, now)?;
        one.fields.extend(given.clone());
        one.waits = false;
        Ok(one.shown(id, false))
    }

    /// `POST /subscriptions/{id}/reauthorize`.
    pub(super) fn reauthorise(&mut self, id: &str, now: Timestamp) -> Result<(), Refused> {
        self.end_past(now);
        self.all.get_mut(id).ok_or_else(Refused::no_resource)?.waits = false;
        Ok(())
    }

    /// `DELETE /subscriptions/{id}`.
    pub(super) fn remove(&mut self, id: &str, now: Timestamp) -> Result<(), Refused> {
        self.end_past(now);
        self.all.remove(id).map(drop).ok_or_else(Refused::no_resource)
    }

    /// `GET /subscriptions/{id}`.
    pub(super) fn get(&mut self, id: &str, now: Timestamp) -> Result<Value, Refused> {
        self.end_past(now);
        self.all.get(id).map(|one| one.shown(id, false)).ok_or_else(Refused::no_resource)
    }

    /// `GET /subscriptions`, and what is shown to whoever looks.
    pub(super) fn list(&self) -> Vec<Value> {
        self.all.iter().map(|(id, one)| one.shown(id, false)).collect()
    }

    /// Ends what has lived for long enough.
    pub(super) fn end_past(&mut self, now: Timestamp) {
        self.all.retain(|_, one| now < one.ends_at);
    }
}

fn check(given: &Map<String, Value>, known: &[&str]) -> Result<(), Refused> {
    match given.keys().find(|name| !name.starts_with('@') && !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(Refused::new(400, "InvalidRequest", format!("The property '{name}' cannot be set."))),
    }
}

/// The calendar that a resource names; empty for the default one.
fn resource(text: &str) -> Option<String> {
    let path = text.trim_start_matches('/');
    let path =
        path.strip_prefix("me/").or_else(|| path.strip_prefix("users/")?.split_once('/').map(|(_, rest)| rest))?;
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["events"] | ["calendar", "events"] => Some(String::new()),
        ["calendars", id, "events"] => decoded_path(id),
        _ => None,
    }
}

/// The end that is asked for: what is asked to live shorter than the shortest life lives as long as that.
fn ends_at(given: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refused> {
    let invalid =
        || Refused::new(400, "InvalidRequest", "Subscription expiration can only be 10080 minutes in the future.");
    let asked = given.get("expirationDateTime").and_then(Value::as_str);
    let asked: Timestamp = asked.and_then(|at| at.parse().ok()).ok_or_else(invalid)?;
    let minutes = |minutes| now.saturating_add(SignedDuration::from_mins(minutes)).map_err(|_| invalid());
    let (shortest, longest) = (minutes(LIFE.0)?, minutes(LIFE.1)?);
    if asked <= now || asked > longest {
        return Err(invalid());
    }
    Ok(asked.max(shortest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_names_a_calendar_of_the_mailbox() {
        for (text, expected) in [
            ("/me/calendars/AQ%3D/events", Some("AQ=")),
            ("me/calendars/AQ=/events", Some("AQ=")),
            ("me/events", Some("")),
            ("users/7/events", Some("")),
            ("/users/7/calendars/a/events", Some("a")),
            ("me/messages", None),
            ("me/calendars/a", None),
            ("", None),
        ] {
            assert_eq!(resource(text).as_deref(), expected, "{text}");
        }
    }
}
