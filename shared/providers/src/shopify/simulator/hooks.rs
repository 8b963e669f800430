//! Webhook subscriptions of an app in the shop, and what is sent for them.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::graphql::{Refused, Variables, wrong};
use super::page::page;
use crate::shopify::{PROFILE, SECRET, Shopify, TOPIC};
use crate::simulator::outbox::{Outbox, is_address, sample, signing_by};
use crate::{Unsigned, Webhooks};

/// How long it takes until a delivery is tried again, by the failures so far, in minutes: four hours in all.
const GAPS: [i64; 8] = [0, 1, 4, 10, 20, 40, 65, 100];

/// A subscription.
#[derive(Debug, Clone)]
struct Subscription {
    topic: String,
    uri: String,
    /// How many deliveries failed in a row.
    failures: usize,
}

/// The subscriptions.
pub(super) struct Hooks {
    subscriptions: BTreeMap<u64, Subscription>,
    outbox: Outbox,
}

impl Hooks {
    pub(super) fn new(seed: u64) -> Self {
        Self { subscriptions: BTreeMap::new(), outbox: Outbox::new(seed) }
    }

    /// The subscriptions.
    pub(super) fn shown(&self) -> Value {
        self.subscriptions.iter().map(|(id, one)| node(*id, one)).collect()
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.take(now)
    }

    /// Sends a notification again that was not accepted. After eight failures in a row its subscription is deleted.
    pub(super) fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        let topic = notification.headers().get(TOPIC).and_then(|topic| topic.to_str().ok()).unwrap_or_default();
        let uri = notification.uri().to_string();
        let of_this = |one: &&mut Subscription| one.topic == topic && one.uri == uri;
        let Some(one) = self.subscriptions.values_mut().find(of_this) else { return };
        if status.is_some_and(|status| status.is_success()) {
            one.failures = 0;
            return;
        }
        one.failures += 1;
        match GAPS.get(one.failures) {
            Some(minutes) => {
                let at = now.checked_add(SignedDuration::from_mins(*minutes)).unwrap_or(now);
                self.outbox.push_at(notification.clone(), at);
            }
            None => self.subscriptions.retain(|_, one| one.failures < GAPS.len()),
        }
    }

    /// Ends all subscriptions.
    pub(super) fn remove(&mut self) {
        self.subscriptions.clear();
    }

    /// The operations on subscriptions.
    pub(super) fn operation(&mut self, name: &str, variables: &Variables<'_>) -> Result<Value, Refused> {
        match name {
            "HooktideSubscribe" => self.create(variables),
            "HooktideUnsubscribe" => self.delete(variables),
            "HooktideSubscription" => {
                let id = variables.id("id", "WebhookSubscription")?;
                Ok(json!({ "webhookSubscription": self.subscriptions.get(&id).map(|one| node(id, one)) }))
            }
            _ => self.list(variables),
        }
    }

    fn create(&mut self, variables: &Variables<'_>) -> Result<Value, Refused> {
        let topic = topic_of(variables.text("topic")?)?;
        let given = variables.value("subscription");
        let uri = given["uri"].as_str().unwrap_or_default().to_owned();
        let known =
            given.as_object().is_some_and(|given| given.keys().all(|name| ["uri", "format"].contains(&name.as_str())));
        if !known || !given["format"].is_null() && given["format"] != "JSON" {
            return Err(wrong("the subscription has a field that is not simulated".to_owned()));
        }
        let refused = |field: &str, message: &str| {
            let errors = json!([{ "field": ["webhookSubscription", field], "message": message }]);
            json!({ "webhookSubscriptionCreate": { "webhookSubscription": null, "userErrors": errors } })
        };
        if !is_address(&uri) {
            return Ok(refused("uri", "Address is invalid"));
        }
        if self.subscriptions.values().any(|one| one.topic == topic && one.uri == uri) {
            return Ok(refused("uri", "Address for this topic has already been taken"));
        }
        let id = 1_300_000_000_000 + self.outbox.next_number();
        let one = Subscription { topic, uri, failures: 0 };
        let created = node(id, &one);
        self.subscriptions.insert(id, one);
        Ok(json!({ "webhookSubscriptionCreate": { "webhookSubscription": created, "userErrors": [] } }))
    }

    fn delete(&mut self, variables: &Variables<'_>) -> Result<Value, Refused> {
        let id = variables.id("id", "WebhookSubscription")?;
        let payload = match self.subscriptions.remove(&id) {
            Some(_) => json!({ "deletedWebhookSubscriptionId": gid(id), "userErrors": [] }),
            None => {
                let errors = json!([{ "field": ["id"], "message": "Webhook subscription does not exist" }]);
                json!({ "deletedWebhookSubscriptionId": null, "userErrors": errors })
            }
        };
        Ok(json!({ "webhookSubscriptionDelete": payload }))
    }

    fn list(&self, variables: &Variables<'_>) -> Result<Value, Refused> {
        let found = self.subscriptions.iter().map(|(id, one)| ((0, *id), node(*id, one))).collect();
        let (nodes, info) = page(found, "ID", variables.size("first", 250)?, variables.maybe("after"))?;
        Ok(json!({ "webhookSubscriptions": { "pageInfo": info, "nodes": nodes } }))
    }

    /// Signs a body for each subscription to its topic.
    pub(super) fn notify(&mut self, topic: &str, body: &Value, now: Timestamp) {
        let secrets = signing_by(SECRET, sample(&PROFILE, SECRET));
        let urls: Vec<String> =
            self.subscriptions.values().filter(|one| one.topic == topic).map(|one| one.uri.clone()).collect();
        for url in urls {
            let delivery = self.outbox.next_id("delivery", 32).to_lowercase();
            let signed = Shopify.sign(Unsigned {
                topic,
                body: Bytes::from(body.to_string()),
                account: PROFILE.sample_account,
                delivery: &delivery,
                secrets: &secrets,
                url: &url,
                now,
            });
            self.outbox.push(signed);
        }
    }
}

fn gid(id: u64) -> String {
    format!("gid://shopify/WebhookSubscription/{id}")
}

fn node(id: u64, one: &Subscription) -> Value {
    json!({ "id": gid(id), "topic": one.topic.replace('/', "_").to_uppercase(), "uri": one.uri })
}

/// A topic by its name in GraphQL.
fn topic_of(name: &str) -> Result<String, Refused> {
    let known = PROFILE.topics.iter().map(|topic| topic.name);
    let found = known.into_iter().find(|topic| topic.replace('/', "_").to_uppercase() == name);
    found.map(str::to_owned).ok_or_else(|| wrong(format!("there is no topic {name}")))
}
