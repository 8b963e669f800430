//! A shop at Shopify, with its Admin API, in memory.

mod access;
mod bucket;
mod cost;
mod edits;
mod graphql;
mod hooks;
mod page;
mod search;
mod seed;
mod shop;
mod written;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use self::access::Access;
use self::bucket::Bucket;
use self::hooks::Hooks;
use self::shop::Shop;
use crate::shopify::VERSION;
use crate::simulator::meter::Meter;
use crate::simulator::{Edit, Simulator, json};

/// The path under which tokens are renewed.
const TOKEN_PATH: &str = "/admin/oauth/access_token";
/// The path of the page on which a merchant lets the app in.
const CONSENT_PATH: &str = "/admin/oauth/authorize";

/// The shop, and what an app has to do with it.
pub(super) struct Account {
    meter: Meter,
    access: Access,
    bucket: Bucket,
    shop: Shop,
    hooks: Hooks,
}

impl Account {
    /// A shop with a few products, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            meter: Meter::default(),
            access: Access::new(seed),
            bucket: Bucket::new(),
            shop: seed::shop(seed),
            hooks: Hooks::new(seed),
        }
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> (u16, Value) {
        let path = request.uri().path();
        let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        if request.method() == Method::POST && path == TOKEN_PATH {
            let renewed = self.access.give(&body, now);
            return renewed.map_or_else(|| (400, json!({ "error": "invalid_request" })), |pair| (200, pair));
        }
        if request.method() != Method::POST || path != format!("/admin/api/{VERSION}/graphql.json") {
            return (404, json!({ "errors": "Not Found" }));
        }
        if !self.access.allows(request.headers(), now) {
            let text = "[API] Invalid API key or access token (unrecognized login or wrong password)";
            return (401, json!({ "errors": text }));
        }
        let name = body["operationName"].as_str().unwrap_or("unnamed");
        if self.meter.take(name, now).is_err() {
            self.bucket.empty(now);
        }
        if let Some(denied) = self.access.denied(name) {
            return (200, denied);
        }
        (200, self.operation(&body, now))
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.method() == Method::GET && request.uri().path() == CONSENT_PATH {
            return self.access.consents.page(request.uri(), now);
        }
        let (status, body) = self.route(request, now);
        let mut answer = json::answer(status, &body);
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap_or_default();
        if let Ok(date) = HeaderValue::from_str(&date) {
            answer.headers_mut().insert(DATE, date);
        }
        answer
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match edit.what.as_str() {
            "product" => self.edit_product(edit, now),
            "stock" => self.edit_stock(edit, now),
            "app" => Ok(self.remove_app(now)),
            "scope" => self.access.consents.edit(edit),
            _ => Err("what is edited is a product, the stock, the app or a scope of it".to_owned()),
        }
    }

    fn take_notifications(&mut self, now: Timestamp) -> Vec<Request<Bytes>> {
        self.hooks.take(now)
    }

    fn delivered(&mut self, notification: &Request<Bytes>, status: Option<StatusCode>, now: Timestamp) {
        self.hooks.delivered(notification, status, now);
    }

    fn expire_credentials(&mut self) {
        self.access.expire();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        json!({
            "calls": self.meter.calls(),
            "products": self.shop.products.keys().map(u64::to_string).collect::<Vec<_>>(),
            "levels": self.shop.levels.len(),
            "subscriptions": self.hooks.shown(),
        })
    }
}
