//! Shopify's webhook subscriptions: one for each topic, of this app in this shop.

use serde_json::json;

use super::operations::{SUBSCRIBE, SUBSCRIPTION, SUBSCRIPTIONS, UNSUBSCRIBE};
use super::pages::{List, rows};
use super::{errors, question};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::graphql::data;
use crate::shopify::{PRODUCTS, STOCK, Shopify};
use crate::{
    Answer, Ask, Covering, Listed, Plan, Refusal, Registered, Subscribed, SubscriptionResult, SubscriptionStep,
    SubscriptionTask, Subscriptions,
};

/// The topics that are subscribed to.
const PLAN: Plan = Plan {
    topics: &[
        Covering { resource: PRODUCTS, topic: "products/create" },
        Covering { resource: PRODUCTS, topic: "products/update" },
        Covering { resource: PRODUCTS, topic: "products/delete" },
        Covering { resource: STOCK, topic: "inventory_levels/update" },
        Covering { resource: PRODUCTS, topic: "app/uninstalled" },
    ],
    life: None,
    renews: false,
    app_wide: false,
    lists: true,
};
/// How many subscriptions a page has.
const PAGE: u16 = 100;

fields! {
    struct Changed {
        payload: Lenient<Object<Payload>> = "webhookSubscriptionCreate" | "webhookSubscriptionDelete",
    }
}

fields! {
    struct Payload {
        subscription: Lenient<Object<Subscription>> = "webhookSubscription",
        deleted: Lenient<String> = "deletedWebhookSubscriptionId",
        errors: Lenient<Vec<Lenient<Object<UserError>>>> = "userErrors",
    }
}

fields! {
    struct UserError {
        message: Lenient<String>,
    }
}

fields! {
    struct Found {
        one: Lenient<Object<Subscription>> = "webhookSubscription",
        all: Lenient<Object<List<Subscription>>> = "webhookSubscriptions",
    }
}

fields! {
    struct Subscription {
        id: Lenient<String>,
        topic: Lenient<String>,
        uri: Lenient<String>,
    }
}

impl Subscriptions for Shopify {
    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask {
        match step {
            SubscriptionStep::Register => {
                let (topic, subscription) = (graphql_name(task.topic), json!({ "uri": task.url, "format": "JSON" }));
                question(task.api, &SUBSCRIBE, &json!({ "topic": topic, "subscription": subscription }))
            }
            SubscriptionStep::Renew { id } | SubscriptionStep::Probe { id } => {
                question(task.api, &SUBSCRIPTION, &json!({ "id": id }))
            }
            SubscriptionStep::End { id } => question(task.api, &UNSUBSCRIBE, &json!({ "id": id })),
            SubscriptionStep::List { after } => {
                question(task.api, &SUBSCRIPTIONS, &json!({ "first": PAGE, "after": after }))
            }
        }
    }

    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult {
        errors::sort(answer)?;
        match step {
            SubscriptionStep::Register => created(data::<Changed>(answer)?.payload),
            SubscriptionStep::End { .. } => ended(data::<Changed>(answer)?.payload),
            SubscriptionStep::List { after } => listed(data::<Found>(answer)?.all, *after),
            SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } => found(task, data::<Found>(answer)?.one),
        }
    }
}

/// A subscription that was made, or is there already.
fn created(payload: Lenient<Object<Payload>>) -> SubscriptionResult {
    let Object(payload) = payload.read().ok_or(Refusal::Unreadable("the answer has no payload"))?;
    if let Some(id) = payload.subscription.read().and_then(|Object(one)| one.id.read()) {
        return Ok(active(id));
    }
    // An answer of ours was lost, or somebody made the same one.
    if says(payload.errors, "already been taken") { Ok(Subscribed::Taken) } else { Err(Refusal::Invalid) }
}

fn ended(payload: Lenient<Object<Payload>>) -> SubscriptionResult {
    let Object(payload) = payload.read().ok_or(Refusal::Unreadable("the answer has no payload"))?;
    let gone = payload.deleted.read().is_some() || says(payload.errors, "does not exist");
    if gone { Ok(Subscribed::Gone) } else { Err(Refusal::Invalid) }
}

/// A subscription that was looked up.
fn found(task: &SubscriptionTask<'_>, one: Lenient<Object<Subscription>>) -> SubscriptionResult {
    let one = match one {
        Lenient::Read(Object(one)) => one,
        Lenient::Null => return Ok(Subscribed::Gone),
        Lenient::Missing | Lenient::Odd => return Err(Refusal::Unreadable("the answer has no subscription")),
    };
    if one.topic.as_ref().is_some_and(|topic| *topic != graphql_name(task.topic)) {
        return Ok(Subscribed::Disabled("it is for another topic"));
    }
    if one.uri.as_ref().is_some_and(|uri| uri != task.url) {
        return Ok(Subscribed::Disabled("it is sent to another address"));
    }
    one.id.read().map(active).ok_or(Refusal::Unreadable("a subscription without an id"))
}

fn listed(all: Lenient<Object<List<Subscription>>>, after: Option<&str>) -> SubscriptionResult {
    let (nodes, next) = rows(all, after)?;
    let nodes = nodes.into_iter().filter_map(Lenient::read);
    let listed = nodes.filter_map(|Object(one)| {
        let named = one.topic.read()?;
        let topic = PLAN.topics.iter().map(|covering| covering.topic).find(|topic| graphql_name(topic) == named);
        let (id, url) = (one.id.read()?, one.uri.read()?);
        // The app's secret signs the deliveries of whoever made it.
        Some(Listed { id, topic: topic.unwrap_or_default().to_owned(), url, enabled: true, reference: None })
    });
    Ok(Subscribed::Listed(listed.collect(), next))
}

/// A subscription that exists. The app's secret signs its deliveries.
fn active(id: String) -> Subscribed {
    Subscribed::Active(Registered { id, expires_at: None, secret: None })
}

/// Whether one of the errors says so. Shopify gives no codes for these.
fn says(errors: Lenient<Vec<Lenient<Object<UserError>>>>, text: &str) -> bool {
    let errors = errors.read().unwrap_or_default().into_iter().filter_map(Lenient::read);
    errors.filter_map(|Object(error)| error.message.read()).any(|message| message.contains(text))
}

/// A topic as GraphQL writes it: `products/update` is `PRODUCTS_UPDATE`.
fn graphql_name(topic: &str) -> String {
    topic.replace('/', "_").to_uppercase()
}
