//! A store with its REST API and its webhooks, in memory: built from what WooCommerce documents, and from what a store of
//! version 9.9.5 was seen to answer.

mod call;
mod catalog;
mod defaults;
mod document;
mod edits;
mod hooks;
mod keys;
mod outbox;
mod query;
mod reply;
mod schema;
mod shop;
mod start;
#[cfg(test)]
mod tests;
mod write;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use self::call::{Call, Route};
use self::hooks::Hooks;
use self::keys::{Access, Keys};
use self::outbox::Outbox;
use self::reply::{Problem, Reply};
use self::shop::Shop;
use super::PROFILE;
use crate::simulator::meter::Meter;
use crate::simulator::{Edit, Simulator};

/// A store.
pub(super) struct Account {
    shop: Shop,
    hooks: Hooks,
    outbox: Outbox,
    keys: Keys,
    meter: Meter,
}

impl Account {
    pub(super) fn new(seed: u64) -> Self {
        let home = format!("https://{}", PROFILE.sample_account);
        Self {
            shop: start::shop(home, seed),
            hooks: Hooks::default(),
            outbox: Outbox::default(),
            keys: Keys::new(seed),
            meter: Meter::default(),
        }
    }

    fn reply(&mut self, request: &Request<Bytes>, call: &Call, now: Timestamp) -> Result<Reply, Problem> {
        // A wrong proof is refused wherever it is shown.
        let access = self.keys.identify(request, now)?;
        let none = || Problem::new(404, "rest_no_route", "No route was found matching the URL and request method.");
        let route = call.route.ok_or_else(none)?;
        if call.broken {
            let broken = Problem::new(400, "rest_invalid_json", "Invalid JSON body passed.");
            return Err(broken.with("json_error_code", 4).with("json_error_message", "Syntax error"));
        }
        if access == Access::Stranger {
            return Err(stranger(call, route));
        }
        let reply = match route {
            Route::Webhooks | Route::Webhook(_) | Route::WebhooksBatch => {
                self.hooks.answer(call, route, &self.shop, now)
            }
            Route::Currency | Route::CurrencySetting if call.method != Method::GET => None,
            Route::Currency => Some(Ok(Reply::new(200, self.currency()))),
            Route::CurrencySetting => Some(Ok(Reply::new(200, self.currency_setting()))),
            Route::Products
            | Route::Product(_)
            | Route::ProductsBatch
            | Route::Variations(_)
            | Route::Variation(..)
            | Route::VariationsBatch(_) => self.shop.catalog(call, route, now),
        };
        Ok(reply.ok_or_else(none)??.only(call.fields()))
    }

    fn currency(&self) -> Value {
        json!({
            "code": "EUR",
            "name": "Euro",
            "symbol": "&euro;",
            "_links": self.shop.links("data/currencies", "EUR"),
        })
    }

    fn currency_setting(&self) -> Value {
        let about = "This controls what currency prices are listed at in the catalog and which currency gateways will take \
                     payments in.";
        json!({
            "id": "woocommerce_currency",
            "label": "Currency",
            "description": about,
            "type": "select",
            "default": "USD",
            "options": { "EUR": "Euro (&euro;) \u{2014} EUR", "USD": "United States (US) dollar (&#36;) \u{2014} USD" },
            "tip": about,
            "value": "EUR",
            "group_id": "general",
            "_links": self.shop.links("settings/general", "woocommerce_currency"),
        })
    }
}

/// What somebody gets who did not say who asks.
fn stranger(call: &Call, route: Route) -> Problem {
    let is_list = matches!(route, Route::Products | Route::Variations(_) | Route::Webhooks);
    let (may, message) = match (&call.method, is_list) {
        (&Method::GET, true) => ("view", "Sorry, you cannot list resources."),
        (&Method::GET, false) => ("view", "Sorry, you cannot view this resource."),
        (&Method::DELETE, _) => ("delete", "Sorry, you are not allowed to delete this resource."),
        (_, true) => ("create", "Sorry, you are not allowed to create resources."),
        (_, false) => ("edit", "Sorry, you are not allowed to edit this resource."),
    };
    Problem::new(401, &format!("woocommerce_rest_cannot_{may}"), message)
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let call = Call::of(request);
        if let Err(wait) = self.meter.take(&call.name(), now) {
            // A store has no bound of its own; the host before it answers, and not in JSON.
            let response = Response::builder().status(StatusCode::TOO_MANY_REQUESTS).header("retry-after", wait);
            return response.body(Bytes::from_static(b"<h1>Too many requests</h1>")).unwrap_or_default();
        }
        let reply = self.reply(request, &call, now).unwrap_or_else(Reply::from);
        self.outbox.take_up(&mut self.shop, &self.hooks);
        reply.sent(now)
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        self.edited(edit, now)
    }

    fn take_notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.outbox.send(&self.shop, &mut self.hooks, now)
    }

    fn expire_credentials(&mut self) {
        self.keys.replace();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        let product = |id: &u64| self.shop.product(*id, document::Context::Edit);
        let hook = |(id, hook): (&u64, &hooks::Hook)| json!({ "id": id, "topic": hook.topic, "status": hook.status, "delivery_url": hook.url });
        json!({
            "calls": self.meter.calls(),
            "credentials": self.keys.shown(),
            "products": self.shop.posts.keys().filter_map(product).collect::<Vec<_>>(),
            "webhooks": self.hooks.all.iter().map(hook).collect::<Vec<_>>(),
        })
    }
}
