//! What a store sends: pings at once, and deliveries whose bodies are built when they are sent.

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use jiff::Timestamp;
use serde_json::json;

use super::document::Context;
use super::hooks::{Hook, Hooks};
use super::reply::{Problem, written};
use super::shop::Shop;
use crate::woocommerce::{DELETED, SECRET, WooCommerce};
use crate::{Unsigned, Webhooks};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::signing;

/// The deliveries that wait: the webhook, and what it is about.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: Vec<(u64, u64)>,
}

impl Outbox {
    /// Queues what happened for all webhooks that report it. What waits already is not queued again.
    pub(super) fn take_up(&mut self, shop: &mut Shop, hooks: &Hooks) {
        for (topic, post) in shop.happened.drain(..) {
            for (id, hook) in &hooks.all {
                let delivery = (*id, post);
                if hook.topic == topic && hook.status == "active" && !self.waiting.contains(&delivery) {
                    self.waiting.push(delivery);
                }
            }
        }
    }

    /// All that is to be sent now.
    pub(super) fn send(&mut self, shop: &Shop, hooks: &mut Hooks, now: Timestamp) -> Vec<Request<Bytes>> {
        let pings: Vec<u64> = hooks.pings.drain(..).collect();
        let hook = |id: &u64| hooks.all.get(id);
        let mut sent: Vec<Request<Bytes>> = pings.iter().filter_map(|id| ping(*id, hook(id)?)).collect();
        let waiting = std::mem::take(&mut self.waiting);
        sent.extend(waiting.into_iter().filter_map(|(id, post)| delivery(id, hook(&id)?, post, shop, now)));
        sent
    }
}

/// The ping of an address: a form, and unsigned.
fn ping(id: u64, hook: &Hook) -> Option<Request<Bytes>> {
    let request = Request::post(&hook.url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.header(USER_AGENT, agent()).body(format!("webhook_id={id}").into()).ok()
}

fn delivery(id: u64, hook: &Hook, post: u64, shop: &Shop, now: Timestamp) -> Option<Request<Bytes>> {
    let body = match hook.topic.as_str() {
        DELETED => json!({ "id": post }),
        // The store asks its own API, and sends what that answers.
        _ => shop.product(post, Context::View).unwrap_or_else(|| Problem::invalid_id("product", 404).body()),
    };
    let secret = LiveSecret {
        name: SECRET.to_owned(),
        id: KeyId("store".to_owned()),
        secret: Secret::new(hook.secret.as_str()),
        retires_at: None,
    };
    // Two products of one webhook in one second share it.
    let delivery = signing::sha256_hex(format!("{id}/{}", now.as_second()).as_bytes());
    let unsigned = Unsigned {
        topic: &hook.topic,
        body: written(&body),
        account: shop.home.trim_start_matches("https://"),
        delivery: &delivery[..32],
        secrets: &Secrets::new(vec![secret]),
        url: &hook.url,
        now,
    };
    let mut request = WooCommerce.sign(unsigned).ok()?;
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent()));
    request.headers_mut().insert("x-wc-webhook-id", HeaderValue::from(id));
    Some(request)
}

const fn agent() -> &'static str {
    "WooCommerce/9.9.5 Hookshot (WordPress/6.9)"
}
