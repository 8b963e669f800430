//! Webhook subscriptions of the application, and what is sent for them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::answer::{Refused, invalid};
use super::catalog::text;
use super::page::known;
use crate::simulator::outbox::{Outbox, is_address, signing_by};
use crate::square::{API_VERSION, CATALOG_UPDATED, COUNT_UPDATED, PROFILE, SECRET, Square};
use crate::{Unsigned, Webhooks};

/// The topics that can be subscribed to.
const TOPICS: &[&str] =
    &[CATALOG_UPDATED, COUNT_UPDATED, "inventory.adjustment.updated", "order.created", "payment.updated"];
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// The header that counts the retries of a notification.
const RETRY_NUMBER: &str = "square-retry-number";
/// The header that says why it is sent again.
const RETRY_REASON: &str = "square-retry-reason";
/// How often a notification is sent again: for a day.
const MOST_RETRIES: u32 = 29;
/// How many counts a notification has at the most.
const MOST_COUNTS: usize = 100;

/// The subscriptions of an application.
pub(super) struct Hooks {
    subscriptions: BTreeMap<String, Value>,
    outbox: Outbox,
}

impl Hooks {
    pub(super) fn new(seed: u64) -> Self {
        Self { subscriptions: BTreeMap::new(), outbox: Outbox::new(seed) }
    }

    /// The subscriptions, without what signs them.
    pub(super) fn shown(&self) -> Value {
        let fields = ["id", "enabled", "event_types", "notification_url"];
        let shown = |one: &Value| fields.iter().map(|name| ((*name).to_owned(), one[*name].clone())).collect();
        self.subscriptions.values().map(|one| Value::Object(shown(one))).collect()
    }

    /// `POST /v2/webhooks/subscriptions`.
    pub(super) fn create(&mut self, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(body, &["idempotency_key", "subscription"])?;
        let Some(Value::Object(given)) = body.get("subscription") else {
            return Err(invalid("MISSING_REQUIRED_PARAMETER", "`subscription` is missing."));
        };
        for name in ["name", "event_types", "notification_url"] {
            if !given.contains_key(name) {
                return Err(invalid("MISSING_REQUIRED_PARAMETER", "A field of the subscription is missing."));
            }
        }
        let id = format!("wbhk_{}", self.outbox.next_id("subscription", 32).to_lowercase());
        let mut one = json!({
            "id": id,
            "enabled": true,
            "api_version": API_VERSION,
            "signature_key": self.outbox.next_id("signature", 22),
            "created_at": now.to_string(),
        });
        set(&mut one, given, now)?;
        self.subscriptions.insert(id, one.clone());
        Ok(json!({ "subscription": one }))
    }

    /// `GET /v2/webhooks/subscriptions`, in one page.
    pub(super) fn list(&self, query: &str) -> Value {
        let disabled = query.split('&').any(|pair| pair == "include_disabled=true");
        let shown = self.subscriptions.values().filter(|one| disabled || one["enabled"] == true);
        let shown: Vec<&Value> = shown.collect();
        if shown.is_empty() { json!({}) } else { json!({ "subscriptions": shown }) }
    }

    /// `GET /v2/webhooks/subscriptions/{id}`.
    pub(super) fn get(&self, id: &str) -> Result<Value, Refused> {
        let one = self.subscriptions.get(id).ok_or(Refused::not_found())?;
        Ok(json!({ "subscription": one }))
    }

    /// `PUT /v2/webhooks/subscriptions/{id}`: only what is given changes.
    pub(super) fn change(&mut self, id: &str, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        known(body, &["subscription"])?;
        let one = self.subscriptions.get_mut(id).ok_or(Refused::not_found())?;
        let mut next = one.clone();
        set(&mut next, body.get("subscription").and_then(Value::as_object).unwrap_or(&Map::new()), now)?;
        *one = next;
        // The key is not shown again.
        let mut shown = one.clone();
        shown.as_object_mut().map(|shown| shown.remove("signature_key"));
        Ok(json!({ "subscription": shown }))
    }

    /// `DELETE /v2/webhooks/subscriptions/{id}`.
    pub(super) fn delete(&mut self, id: &str) -> Result<Value, Refused> {
        self.subscriptions.remove(id).map(|_| json!({})).ok_or(Refused::not_found())
    }

    /// `POST /v2/webhooks/subscriptions/{id}/signature-key`: a new key, from now on.
    pub(super) fn rotate(&mut self, id: &str) -> Result<Value, Refused> {
        let key = self.outbox.next_id("signature", 22);
        let one = self.subscriptions.get_mut(id).ok_or(Refused::not_found())?;
        one["signature_key"] = Value::from(key.clone());
        Ok(json!({ "signature_key": key }))
    }

    /// Sends that the catalog has a new version: the seller's edit makes several notifications, an API's call one.
    pub(super) fn catalog_updated(&mut self, at: Timestamp, times: i64, now: Timestamp) {
        for before in (0..times).rev() {
            let at = at.checked_sub(SignedDuration::from_millis(before)).unwrap_or(at);
            let version = json!({ "catalog_version": { "updated_at": at.to_string() } });
            self.notify(CATALOG_UPDATED, &json!({ "type": "catalog_version", "id": "", "object": version }), now);
        }
    }

    /// Sends counts that changed.
    pub(super) fn counts_updated(&mut self, counts: &[Value], now: Timestamp) {
        for counts in counts.chunks(MOST_COUNTS) {
            let id = self.uuid();
            let object = json!({ "inventory_counts": counts });
            self.notify(COUNT_UPDATED, &json!({ "type": "inventory_counts", "id": id, "object": object }), now);
        }
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.take(now)
    }

    /// Sends a notification again that was not accepted: after a minute, twice as long each time, and each hour for a day.
    pub(super) fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        let former = notification.headers().get(RETRY_NUMBER).and_then(|number| number.to_str().ok()?.parse().ok());
        let retry: u32 = former.unwrap_or(0) + 1;
        if status.is_some_and(|status| status.is_success()) || retry > MOST_RETRIES {
            return;
        }
        let wait = SignedDuration::from_mins(60.min(1 << (retry - 1).min(6)));
        let reason = if status.is_some() { "http_error" } else { "http_timeout" };
        let mut again = notification.clone();
        again.headers_mut().insert(RETRY_NUMBER, HeaderValue::from(retry));
        again.headers_mut().insert(RETRY_REASON, HeaderValue::from_static(reason));
        self.outbox.push_at(again, now.checked_add(wait).unwrap_or(now));
    }

    /// Signs an event for each subscription that is for it: the event is the same, and its signature is not.
    fn notify(&mut self, topic: &str, data: &Value, now: Timestamp) {
        let event_id = self.uuid();
        let event = json!({
            "merchant_id": PROFILE.sample_account,
            "type": topic,
            "event_id": event_id,
            "created_at": now.to_string(),
            "data": data,
        });
        let is_for = |one: &&Value| {
            let topics = one["event_types"].as_array().into_iter().flatten();
            one["enabled"] == true && topics.into_iter().any(|name| name == topic)
        };
        for one in self.subscriptions.values().filter(is_for) {
            let signed = Square.sign(Unsigned {
                topic,
                body: Bytes::from(event.to_string()),
                account: PROFILE.sample_account,
                delivery: &event_id,
                secrets: &signing_by(SECRET, &text(&one["signature_key"])),
                url: &text(&one["notification_url"]),
                now,
            });
            self.outbox.push(signed);
        }
    }

    fn uuid(&mut self) -> String {
        let id = self.outbox.next_id("event", 32).to_lowercase();
        format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..])
    }
}

/// Sets fields of a subscription.
fn set(one: &mut Value, given: &Map<String, Value>, now: Timestamp) -> Result<(), Refused> {
    known(given, &["name", "enabled", "event_types", "notification_url", "api_version"])?;
    for (name, value) in given {
        let fits = match name.as_str() {
            "name" => value.as_str().is_some_and(|name| (1..=LONGEST_NAME).contains(&name.len())),
            "enabled" => value.is_boolean(),
            "event_types" => value.as_array().is_some_and(|topics| {
                !topics.is_empty() && topics.iter().all(|topic| topic.as_str().is_some_and(|it| TOPICS.contains(&it)))
            }),
            "notification_url" => value.as_str().is_some_and(is_address),
            _ => value.is_string(),
        };
        if !fits {
            return Err(invalid("INVALID_VALUE", "A field of the subscription has an invalid value."));
        }
        one[name] = value.clone();
    }
    one["updated_at"] = Value::from(now.to_string());
    Ok(())
}
