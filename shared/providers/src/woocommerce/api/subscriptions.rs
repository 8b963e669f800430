//! The webhooks of a store, made and looked after through its API: one for each topic, without an end.

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::json;

use super::{body, question};
use crate::lenient::{Lenient, Object, fields};
use crate::woocommerce::{DELETED, PRODUCTS, RESTORED, SECRET, WooCommerce};
use crate::{
    Answer, Api, Ask, Covering, Listed, Plan, Refusal, Registered, Subscribed, SubscriptionResult, SubscriptionStep,
    SubscriptionTask, Subscriptions,
};
use hooktide_model::secret::Secrets;

const fn covering(topic: &'static str) -> Covering {
    Covering { resource: PRODUCTS, topic }
}

const PLAN: Plan = Plan {
    topics: &[covering("product.created"), covering("product.updated"), covering(DELETED), covering(RESTORED)],
    life: None,
    renews: false,
    app_wide: false,
    lists: true,
};

/// What the names of our webhooks begin with; the reference follows.
const OURS: &str = "Hooktide ";
/// What to do about a key that may not make or end webhooks.
const READS_ONLY: &str = "the store does not let the key make or end webhooks: give the connection a key with the permission \
                          Read/Write, made for a user who may manage the store";

/// The most pages of a list that are read.
const MOST_PAGES: u64 = 1_000;

fields! {
    struct Webhook {
        id: Lenient<u64>,
        name: Lenient<String>,
        status: Lenient<String>,
        topic: Lenient<String>,
        delivery_url: Lenient<String>,
    }
}

impl Subscriptions for WooCommerce {
    fn plan(&self) -> &'static Plan {
        &PLAN
    }

    fn ask(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>) -> Ask {
        let base = format!("{}/webhooks", task.api);
        match step {
            SubscriptionStep::Register => match secret(task.secrets, task.now) {
                Some(secret) => {
                    let body = json!({
                        "name": format!("{OURS}{}", task.reference),
                        "topic": task.topic,
                        "delivery_url": task.url,
                        "secret": secret,
                    });
                    question(Method::POST, &base, Some(Bytes::from(body.to_string())))
                }
                // A store that is given no secret makes one up and never says it: nothing is made then.
                None => question(Method::GET, &page(&base, 1), None),
            },
            SubscriptionStep::Renew { id } | SubscriptionStep::Probe { id } => {
                question(Method::GET, &format!("{base}/{}", number(id)), None)
            }
            SubscriptionStep::End { id } => {
                question(Method::DELETE, &format!("{base}/{}?force=true", number(id)), None)
            }
            SubscriptionStep::List { after } => question(Method::GET, &page(&base, after.map_or(1, number)), None),
        }
    }

    fn read(&self, task: &SubscriptionTask<'_>, step: &SubscriptionStep<'_>, answer: &Answer) -> SubscriptionResult {
        match step {
            SubscriptionStep::Register if secret(task.secrets, task.now).is_none() => Err(Refusal::Refused),
            SubscriptionStep::Register => {
                sort_write(answer)?;
                state(task, answer)
            }
            SubscriptionStep::Renew { .. } | SubscriptionStep::Probe { .. } => {
                if body::is_gone(answer) {
                    return Ok(Subscribed::Gone);
                }
                self.sort(answer)?;
                state(task, answer)
            }
            SubscriptionStep::End { .. } => {
                if !body::is_gone(answer) {
                    sort_write(answer)?;
                }
                Ok(Subscribed::Gone)
            }
            SubscriptionStep::List { after } => {
                self.sort(answer)?;
                list(answer, after.map_or(1, number))
            }
        }
    }
}

/// Sorts the answer to a write. A store refuses a key that may only read in the words for one that does not count.
fn sort_write(answer: &Answer) -> Result<(), Refusal> {
    WooCommerce.sort(answer).map_err(|refusal| match refusal {
        Refusal::Refused | Refusal::Forbidden => Refusal::Closed(READS_ONLY),
        other => other,
    })
}

/// The newest secret, as the text that a store takes.
fn secret(secrets: &Secrets, now: Timestamp) -> Option<&str> {
    secrets.live(SECRET, now).next()?.secret.expose_text()
}

/// A number of a store's; zero, which nothing has, where there is no number.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

fn page(base: &str, page: u64) -> String {
    format!("{base}?orderby=id&order=asc&per_page=100&page={page}")
}

/// What a store says of one webhook.
fn state(task: &SubscriptionTask<'_>, answer: &Answer) -> SubscriptionResult {
    let Object(webhook) = body::json::<Object<Webhook>>(answer, "no webhook")?;
    let id = webhook.id.read().filter(|id| *id > 0).ok_or(Refusal::Unreadable("a webhook without an id"))?;
    let status = webhook.status.read().ok_or(Refusal::Unreadable("a webhook without a status"))?;
    let url = webhook.delivery_url.read();
    let elsewhere = url.is_some_and(|url| url != task.url);
    let other = webhook.topic.read().is_some_and(|topic| topic != task.topic);
    Ok(match status.as_str() {
        "active" if elsewhere => Subscribed::Disabled("somebody gave it another address in the store"),
        "active" if other => Subscribed::Disabled("somebody gave it another topic in the store"),
        "active" => Subscribed::Active(Registered { id: id.to_string(), expires_at: None, secret: None }),
        "disabled" => Subscribed::Disabled(
            "the store disabled it after failed deliveries; it would be disabled again at the next, so a new one is needed",
        ),
        _ => Subscribed::Disabled("somebody paused it in the store"),
    })
}

fn list(answer: &Answer, page: u64) -> SubscriptionResult {
    let webhooks: Vec<Lenient<Object<Webhook>>> = body::json(answer, "no list of webhooks")?;
    let more = body::number(answer, "x-wp-totalpages").is_some_and(|pages| page < pages.min(MOST_PAGES));
    let listed = webhooks.into_iter().filter_map(|webhook| {
        let Object(webhook) = webhook.read()?;
        let topic = webhook.topic.read().filter(|topic| PLAN.topics.iter().any(|covering| covering.topic == topic));
        Some(Listed {
            id: webhook.id.read()?.to_string(),
            topic: topic.unwrap_or_default(),
            url: webhook.delivery_url.read().unwrap_or_default(),
            enabled: webhook.status.read().is_some_and(|status| status == "active"),
            // A store shows nobody the secret that a webhook signs with.
            reference: Some(webhook.name.read().unwrap_or_default().strip_prefix(OURS).unwrap_or_default().to_owned()),
        })
    });
    Ok(Subscribed::Listed(listed.collect(), more.then(|| (page + 1).to_string())))
}
