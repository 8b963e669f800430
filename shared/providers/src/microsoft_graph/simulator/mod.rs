//! Somebody's mailbox at Microsoft, with the part of Graph's API that is about calendars, in memory.

mod access;
mod delta;
mod edits;
mod event;
mod lists;
mod mailbox;
mod notifications;
mod query;
mod recurrence;
mod refused;
mod routes;
mod seed;
mod shown;
mod subscriptions;
#[cfg(test)]
mod tests;
mod writes;
mod zone;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::access::Access;
use self::delta::Habits;
use self::mailbox::Mailbox;
use self::notifications::Notifications;
use self::subscriptions::Subscriptions;
use crate::simulator::meter::Meter;
use crate::simulator::plain::empty;
use crate::simulator::tokens::Giver;
use crate::simulator::{Edit, Simulator, drawn, json};

/// What can be edited.
const EDITS: &str = "what is edited is an event, an occurrence or a calendar; a subscription is given `lifecycle` \
                     (reauthorizationRequired, missed), or removed; the tokens of rounds, the consent and a scope of it can be \
                     deleted; `delta` is given `splits`";

/// The account.
pub(super) struct Account {
    seed: u64,
    meter: Meter,
    /// How many calls there were.
    calls: u64,
    access: Access,
    mailbox: Mailbox,
    habits: Habits,
    subscriptions: Subscriptions,
    notifications: Notifications,
}

impl Account {
    /// A mailbox with a few calendars, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            meter: Meter::default(),
            calls: 0,
            access: Access::new(seed),
            mailbox: seed::mailbox(seed),
            habits: Habits::default(),
            subscriptions: Subscriptions::new(seed),
            notifications: Notifications::new(seed),
        }
    }

    /// Tells the watchers of what was touched.
    fn tell(&mut self, now: Timestamp) {
        self.subscriptions.end_past(now);
        for (calendar, id, change) in self.mailbox.take_touched() {
            if let Ok(event) = self.mailbox.event(&id) {
                self.notifications.tell(&self.subscriptions, &calendar, event, change);
            }
        }
    }

    /// Does to a subscription what an edit says: Graph removes it, or says something of it.
    fn edit_subscription(&mut self, edit: &Edit) -> Result<String, String> {
        let unknown = || "there is no such subscription".to_owned();
        let id = edit.id.clone().ok_or_else(unknown)?;
        let one = self.subscriptions.all.get(&id).cloned().ok_or_else(unknown)?;
        let event = match &edit.fields {
            None => "subscriptionRemoved",
            Some(fields) => fields.get("lifecycle").and_then(Value::as_str).unwrap_or_default(),
        };
        match event {
            "subscriptionRemoved" => drop(self.subscriptions.all.remove(&id)),
            "reauthorizationRequired" => {
                self.subscriptions.all.get_mut(&id).into_iter().for_each(|one| one.waits = true);
            }
            "missed" => {}
            _ => return Err(EDITS.to_owned()),
        }
        self.notifications.tell_lifecycle(&id, &one, event);
        Ok(id)
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if let Some(answer) = self.access.answer(request, now) {
            return answer;
        }
        self.calls += 1;
        let answer = self.call(request, now);
        self.tell(now);
        match answer {
            Ok((status, Some(body))) => json::answer(status, &body),
            Ok((_, None)) => empty(StatusCode::NO_CONTENT),
            Err(refused) => refused.into_answer(&drawn::id(self.seed, &format!("request {}", self.calls), 32)),
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = match (edit.what.as_str(), &edit.fields) {
            ("event" | "occurrence", _) => self.mailbox.edit_event(edit, now)?,
            ("calendar", _) => self.mailbox.edit_calendar(edit, now)?,
            ("subscription", _) => self.edit_subscription(edit)?,
            ("tokens", None) => {
                self.habits.forgotten += 1;
                edit.what.clone()
            }
            ("delta", Some(fields)) => {
                self.habits.splits = fields.get("splits") == Some(&Value::Bool(true));
                edit.what.clone()
            }
            ("consent", None) => {
                self.access.revoke();
                edit.what.clone()
            }
            ("scope", _) => self.access.consents.edit(edit)?,
            _ => return Err(EDITS.to_owned()),
        };
        self.tell(now);
        Ok(id)
    }

    fn take_notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.notifications.take(now)
    }

    fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        if let Some(id) = self.notifications.delivered(notification, status, now) {
            self.subscriptions.all.remove(&id);
        }
    }

    fn expire_credentials(&mut self) {
        self.access.expire();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        let events = |id: &str| {
            let events = self.mailbox.events.values().filter(|event| event.calendar == id && !event.is_removed);
            events.map(|event| Value::Object(shown_of(event))).collect::<Vec<_>>()
        };
        let calendars = self.mailbox.calendars.iter();
        let calendars = calendars.map(|(id, of)| json!({ "id": id, "name": of.get("name"), "events": events(id) }));
        json!({
            "calls": self.meter.calls(),
            "calendars": calendars.collect::<Vec<_>>(),
            "subscriptions": self.subscriptions.list(),
        })
    }
}

/// An event for whoever looks: what it is called, when it is, and whose it is.
fn shown_of(event: &event::Event) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), event.id.as_str().into());
    for name in ["subject", "start", "end", "isAllDay", "showAs", "transactionId"] {
        event.fields.get(name).into_iter().for_each(|value| drop(shown.insert(name.to_owned(), value.clone())));
    }
    shown
}
