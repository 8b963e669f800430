//! Notifications: of changes, of what becomes of subscriptions, and the questions for a sign of whoever gets them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::Event;
use super::shown::{etag, movable_id};
use super::subscriptions::{Subscription, Subscriptions};
use crate::protocols::percent::encoded;
use crate::simulator::outbox::Outbox;
use hooktide_model::signing;

/// The mailbox's owner, and the organisation.
const OWNER: &str = "86894ae2-0e82-4a4f-b68e-3c72b8797f42";
/// See [`OWNER`].
const ORGANISATION: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
/// The parameter of a question for a sign.
const SIGN: &str = "validationToken=";
/// How often a notification is sent again: with growing gaps, for about four hours.
const MOST_RETRIES: u32 = 8;

/// The notifications of a mailbox.
pub(super) struct Notifications {
    outbox: Outbox,
    /// What is sent once a subscription is authorised again.
    held: Vec<(String, Request<Bytes>)>,
    /// How often notifications were sent again, by the hash of their bodies.
    retries: BTreeMap<String, u32>,
}

impl Notifications {
    pub(super) fn new(seed: u64) -> Self {
        Self { outbox: Outbox::new(seed), held: Vec::new(), retries: BTreeMap::new() }
    }

    /// Asks both addresses of a subscription for a sign.
    pub(super) fn ask_for_signs(&mut self, made: &Value) {
        let id = made["id"].as_str().unwrap_or_default();
        for name in ["notificationUrl", "lifecycleNotificationUrl"] {
            let Some(url) = made[name].as_str() else { continue };
            let number = self.outbox.next_number();
            let token = format!(
                "Validation: Testing client application reachability for subscription Request-Id: {id}+{number}"
            );
            let separator = if url.contains('?') { '&' } else { '?' };
            let request = Request::post(format!("{url}{separator}{SIGN}{}", encoded(&token)))
                .header("content-type", "text/plain; charset=utf-8");
            self.outbox.push(crate::sample::sent(request, Bytes::new()));
        }
    }

    /// Tells who watches the calendar of an event that it changed.
    pub(super) fn tell(&mut self, subscriptions: &Subscriptions, calendar: &str, event: &Event, change: &str) {
        let watching = subscriptions.all.iter();
        let watching = watching.filter(|(_, one)| one.calendar == calendar && one.wants(change));
        for (id, one) in watching {
            let event_id = if one.is_immutable { event.id.clone() } else { movable_id(&event.id, &event.calendar) };
            let path = format!("Users/{OWNER}/Events/{event_id}");
            let item = json!({
                "subscriptionId": id,
                "subscriptionExpirationDateTime": one.ends(),
                "changeType": change,
                "resource": path,
                "resourceData": {
                    "@odata.type": "#Microsoft.Graph.Event",
                    "@odata.id": path,
                    "@odata.etag": etag(event.changed),
                    "id": event_id,
                },
                "clientState": one.fields.get("clientState"),
                "tenantId": ORGANISATION,
            });
            self.push(one, id, one.text("notificationUrl"), item);
        }
    }

    /// Tells what becomes of a subscription itself.
    pub(super) fn tell_lifecycle(&mut self, id: &str, one: &Subscription, event: &str) {
        let url = one.text("lifecycleNotificationUrl");
        if url.is_empty() {
            return;
        }
        let item = json!({
            "subscriptionId": id,
            "subscriptionExpirationDateTime": one.ends(),
            "tenantId": ORGANISATION,
            "clientState": one.fields.get("clientState"),
            "lifecycleEvent": event,
        });
        self.push(&Subscription { waits: false, ..one.clone() }, id, url, item);
    }

    fn push(&mut self, one: &Subscription, id: &str, url: &str, mut item: Value) {
        item["id"] = self.outbox.next_id("notification", 32).into();
        let request = Request::post(url).header("content-type", "application/json; charset=utf-8");
        let Ok(request) = crate::sample::sent(request, Bytes::from(json!({ "value": [item] }).to_string())) else {
            return;
        };
        match one.waits {
            true => self.held.push((id.to_owned(), request)),
            false => self.outbox.push(Ok(request)),
        }
    }

    /// Sends what was held back for a subscription that is authorised again.
    pub(super) fn release(&mut self, id: &str) {
        let held = std::mem::take(&mut self.held);
        let (released, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|(of, _)| of == id);
        self.held = held;
        released.into_iter().for_each(|(_, request)| self.outbox.push(Ok(request)));
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.take(now)
    }

    /// Hears the answer: sends a notification again, after a longer time each time, unless it was accepted. Returns the
    /// subscription whose address gave no sign, which is not to be.
    pub(super) fn delivered(
        &mut self,
        request: &Request<Bytes>,
        status: Option<StatusCode>,
        now: Timestamp,
    ) -> Option<String> {
        let sign = request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(SIGN)));
        if let Some(token) = sign {
            let refused = status.is_some_and(|status| status != StatusCode::OK);
            let text = crate::protocols::query::decoded(token).unwrap_or_default();
            let id = text.rsplit_once(' ').and_then(|(_, last)| last.split_once('+'));
            return id.filter(|_| refused).map(|(id, _)| id.to_owned());
        }
        let key = signing::sha256_hex(request.body());
        let before = self.retries.remove(&key).unwrap_or_default();
        // Whether one that nobody answers is sent again is not documented.
        if status.is_some_and(|status| !status.is_success()) && before < MOST_RETRIES {
            let wait = SignedDuration::from_secs(60 << before);
            self.outbox.push_at(request.clone(), now.saturating_add(wait).unwrap_or(now));
            self.retries.insert(key, before + 1);
        }
        None
    }
}
