//! Square's webhook subscriptions: they belong to the application, and each has a signature key of its own.

use http::Method;
use serde_json::{Value, json};

use super::{errors, question};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::percent::encoded;
use crate::square::{API_VERSION, CATALOG, CATALOG_UPDATED, COUNT_UPDATED, SECRET, STOCK, Square};
use crate::{
    Answer, Ask, Covering, Listed, Plan, Refusal, Registered, Subscribed, SubscriptionResult, SubscriptionStep,
    SubscriptionTask, Subscriptions,
};
use hooktide_model::secret::Secret;
use hooktide_model::signing;

/// The events that are subscribed to: one subscription for each resource, so that each is watched on its own.
const PLAN: Plan = Plan {
    topics: &[
        Covering { resource: CATALOG, topic: CATALOG_UPDATED },
        Covering { resource: STOCK, topic: COUNT_UPDATED },
    ],
    life: None,
    renews: false,
    app_wide: true,
    lists: true,
};
/// The time for which a registration that is tried again is the same one, in seconds. Later it is another: the one before may
/// have been deleted since, and Square would repeat its first answer.
const SAME_FOR: i64 = 15 * 60;

fields! {
    struct Envelope {
        subscription: Lenient<Object<Subscription>>,
    }
}

fields! {
    struct Page {
        subscriptions: Lenient<Vec<Lenient<Object<Subscription>>>>,
        cursor: Lenient<String>,
    }
}

fields! {
    struct Subscription {
        id: Lenient<String>,
        enabled: Lenient<bool>,
        event_types: Lenient<Vec<Lenient<String>>>,
        notification_url: Lenient<String>,
        signature_key: Lenient<String>,
    }
}

impl Subscriptions for Square {
    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask {
        let all = format!("{}/v2/webhooks/subscriptions", task.api);
        let one = |id: &str| format!("{all}/{}", encoded(id));
        match step {
            SubscriptionStep::Register => question(Method::POST, &all, Some(&registration(task))),
            SubscriptionStep::Renew { id } => {
                question(Method::PUT, &one(id), Some(&json!({ "subscription": { "enabled": true } })))
            }
            SubscriptionStep::Probe { id } => question(Method::GET, &one(id), None),
            SubscriptionStep::End { id } => question(Method::DELETE, &one(id), None),
            SubscriptionStep::List { after } => {
                let after = after.map(|after| format!("&cursor={}", encoded(after))).unwrap_or_default();
                question(Method::GET, &format!("{all}?include_disabled=true&limit=100{after}"), None)
            }
        }
    }

    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult {
        let known = !matches!(step, SubscriptionStep::Register | SubscriptionStep::List { .. });
        if known && errors::is_gone(answer) {
            return Ok(Subscribed::Gone);
        }
        errors::sort(answer)?;
        match step {
            SubscriptionStep::End { .. } => Ok(Subscribed::Gone),
            SubscriptionStep::List { after } => listed(answer, *after),
            SubscriptionStep::Register | SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } => {
                one(task, answer)
            }
        }
    }
}

fn registration(task: &SubscriptionTask<'_>) -> Value {
    let period = task.now.as_second().div_euclid(SAME_FOR);
    let key = signing::sha256_hex(format!("{}/{}/{}/{period}", task.reference, task.topic, task.url).as_bytes());
    json!({
        "idempotency_key": &key[..32],
        "subscription": {
            "name": format!("Hooktide {}", &key[..8]),
            "enabled": true,
            "event_types": [task.topic],
            "notification_url": task.url,
            "api_version": API_VERSION,
        },
    })
}

/// A subscription that was made, changed or looked up.
fn one(task: &SubscriptionTask<'_>, answer: &Answer) -> SubscriptionResult {
    let unreadable = Refusal::Unreadable("the answer is no subscription of Square's");
    let Object(Envelope { subscription }) = serde_json::from_slice(answer.body()).map_err(|_| unreadable)?;
    let Object(found) = subscription.read().ok_or(unreadable)?;
    if found.enabled.as_ref().is_some_and(|enabled| !enabled) {
        return Ok(Subscribed::Disabled("Square has turned it off, or somebody has in the Developer Console"));
    }
    if !found.topics().any(|topic| topic == task.topic) {
        return Ok(Subscribed::Disabled("it is no longer for this event"));
    }
    if found.notification_url.as_ref().is_some_and(|url| url != task.url) {
        return Ok(Subscribed::Disabled("it is sent to another address"));
    }
    let id = found.id.read().filter(|id| !id.is_empty()).ok_or(unreadable)?;
    let key = found.signature_key.read().filter(|key| !key.is_empty());
    let secret = key.map(|key| (SECRET, Secret::new(key.into_bytes())));
    Ok(Subscribed::Active(Registered { id, expires_at: None, secret }))
}

fn listed(answer: &Answer, after: Option<&str>) -> SubscriptionResult {
    let unreadable = Refusal::Unreadable("the answer is no list of subscriptions");
    let Object(Page { subscriptions, cursor }) = serde_json::from_slice(answer.body()).map_err(|_| unreadable)?;
    let next = cursor.read().filter(|next| !next.is_empty());
    if subscriptions.is_odd() || next.is_some() && next.as_deref() == after {
        return Err(unreadable);
    }
    let mut listed = Vec::new();
    for Object(found) in subscriptions.read().unwrap_or_default().into_iter().filter_map(Lenient::read) {
        let known = |topic: &&str| PLAN.topics.iter().any(|covering| covering.topic == *topic);
        // Ours are for one event each. One for others as well is somebody's own.
        let topic = {
            let mut topics = found.topics();
            topics.next().filter(known).filter(|_| topics.next().is_none()).unwrap_or_default().to_owned()
        };
        let enabled = found.enabled.as_ref().copied().unwrap_or_default();
        let (Some(id), Some(url)) = (found.id.read(), found.notification_url.read()) else { continue };
        // Each says its key to whoever asks for it alone.
        listed.push(Listed { id, topic, url, enabled, reference: None });
    }
    Ok(Subscribed::Listed(listed, next))
}

impl Subscription {
    fn topics(&self) -> impl Iterator<Item = &str> {
        self.event_types.as_ref().into_iter().flatten().filter_map(|topic| topic.as_ref().map(String::as_str))
    }
}
