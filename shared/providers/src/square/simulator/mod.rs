//! A seller's account at Square, with its API, in memory.

mod access;
mod answer;
mod catalog;
mod edits;
mod hooks;
mod page;
mod seed;
mod stock;
#[cfg(test)]
mod tests;
mod writes;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::access::Access;
use self::answer::{Refused, invalid};
use self::catalog::Catalog;
use self::hooks::Hooks;
use self::stock::Stock;
use self::writes::Writes;
use crate::simulator::meter::Meter;
use crate::simulator::{Edit, Simulator, json};

/// The account.
pub(super) struct Account {
    meter: Meter,
    access: Access,
    catalog: Catalog,
    stock: Stock,
    hooks: Hooks,
    writes: Writes,
}

impl Account {
    /// An account with a few items, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        let (catalog, stock) = seed::shop(seed);
        let (meter, access, hooks) = (Meter::default(), Access::new(seed), Hooks::new(seed));
        Self { meter, access, catalog, stock, hooks, writes: Writes::default() }
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refused> {
        let path = request.uri().path();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let kind = format!("{} /{}", request.method(), parts.iter().take(4).copied().collect::<Vec<_>>().join("/"));
        self.meter.take(&kind, now).map_err(|_| Refused::limited())?;
        if path != access::TOKEN_PATH {
            self.access.check(request)?;
        }
        let query = request.uri().query().unwrap_or_default();
        match (request.method(), &parts[..]) {
            (&Method::POST, ["oauth2", "token"]) => self.access.give(&body(request)?, now),
            (&Method::POST, ["v2", "catalog", "search"]) => self.catalog.search(&body(request)?, now),
            (&Method::GET, ["v2", "catalog", "object", id]) => self.catalog.retrieve(id, query),
            (&Method::DELETE, ["v2", "catalog", "object", id]) => self.delete(id, now),
            (&Method::POST, ["v2", "catalog", "object"] | ["v2", "webhooks", "subscriptions"]) => {
                self.once(path, &body(request)?, now)
            }
            (&Method::POST, ["v2", "inventory", "counts", "batch-retrieve"]) => {
                self.stock.retrieve(&body(request)?, now)
            }
            (&Method::GET, ["v2", "webhooks", "subscriptions"]) => Ok(self.hooks.list(query)),
            (&Method::GET, ["v2", "webhooks", "subscriptions", id]) => self.hooks.get(id),
            (&Method::PUT, ["v2", "webhooks", "subscriptions", id]) => self.hooks.change(id, &body(request)?, now),
            (&Method::DELETE, ["v2", "webhooks", "subscriptions", id]) => self.hooks.delete(id),
            (&Method::POST, ["v2", "webhooks", "subscriptions", id, "signature-key"]) => self.hooks.rotate(id),
            _ => {
                Err(Refused::new(404, "INVALID_REQUEST_ERROR", "NOT_FOUND", "API endpoint for URL path is not found."))
            }
        }
    }

    /// A request with a key, which is done once.
    fn once(&mut self, path: &str, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        if let Some(first) = self.writes.replay(path, body)? {
            return Ok(first);
        }
        let answer = if path.contains("/webhooks/") {
            self.hooks.create(body, now)?
        } else {
            self.writes.lock(now)?;
            let answer = self.catalog.upsert(body, now)?;
            self.hooks.catalog_updated(self.catalog.latest(), 1, now);
            answer
        };
        self.writes.remember(path, body, &answer);
        Ok(answer)
    }

    fn delete(&mut self, id: &str, now: Timestamp) -> Result<Value, Refused> {
        self.writes.lock(now)?;
        let answer = self.catalog.delete_object(id, now)?;
        self.hooks.catalog_updated(self.catalog.latest(), 1, now);
        Ok(answer)
    }

    /// Edits the catalog as the dashboard does, which makes two notifications of one edit.
    fn edit_catalog(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = match edit.what.as_str() {
            "product" => self.catalog.edit_item(edit, now)?,
            _ => self.catalog.edit_image(edit, now)?,
        };
        self.hooks.catalog_updated(self.catalog.latest(), 2, now);
        Ok(id)
    }
}

/// The body of a request, as an object.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refused> {
    json::object(request).ok_or_else(|| invalid("EXPECTED_JSON_BODY", "The body of the request is not a JSON object."))
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if request.method() == Method::GET && request.uri().path() == access::CONSENT_PATH {
            return self.access.consents.page(request.uri(), now);
        }
        match self.route(request, now) {
            Ok(body) => json::answer(200, &body),
            Err(refused) => refused.into_answer(),
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match edit.what.as_str() {
            "product" | "image" => self.edit_catalog(edit, now),
            "stock" => {
                let (id, counts) = self.stock.edit(edit, now)?;
                self.hooks.counts_updated(&counts, now);
                Ok(id)
            }
            "app" => {
                self.access.remove();
                Ok("app".to_owned())
            }
            "scope" => self.access.consents.edit(edit),
            _ => Err("what is edited is a product, an image, the stock, the app or a scope of it".to_owned()),
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
            "products": self.catalog.items(),
            "stock": self.stock.counts(),
            "subscriptions": self.hooks.shown(),
        })
    }
}
