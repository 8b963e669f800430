//! A seller's account at Square, with its API, in memory.

mod access;
mod answer;
mod catalog;
mod edits;
mod page;
mod seed;
mod stock;

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::access::Access;
use self::answer::{Refused, invalid};
use self::catalog::Catalog;
use self::stock::Stock;
use crate::simulator::meter::Meter;
use crate::simulator::{Edit, Simulator, json};

/// The account.
pub(super) struct Account {
    meter: Meter,
    access: Access,
    catalog: Catalog,
    stock: Stock,
}

impl Account {
    /// An account with a few items, made from the seed.
    pub(super) fn new(seed: u64) -> Self {
        let (catalog, stock) = seed::shop(seed);
        Self { meter: Meter::default(), access: Access::new(seed), catalog, stock }
    }

    fn route(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Value, Refused> {
        let path = request.uri().path();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let kind = format!("{} /{}", request.method(), parts.iter().take(4).copied().collect::<Vec<_>>().join("/"));
        self.meter.take(&kind, now).map_err(|_| Refused::limited())?;
        if path != access::TOKEN_PATH {
            self.access.check(request)?;
        }
        match (request.method(), &parts[..]) {
            (&Method::POST, ["oauth2", "token"]) => self.access.refresh(&body(request)?, now),
            (&Method::POST, ["v2", "catalog", "search"]) => self.catalog.search(&body(request)?, now),
            (&Method::GET, ["v2", "catalog", "object", id]) => self.catalog.retrieve(id, request.uri()),
            (&Method::POST, ["v2", "inventory", "counts", "batch-retrieve"]) => {
                self.stock.retrieve(&body(request)?, now)
            }
            _ => {
                Err(Refused::new(404, "INVALID_REQUEST_ERROR", "NOT_FOUND", "API endpoint for URL path is not found."))
            }
        }
    }
}

/// The body of a request, as an object.
fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(request.body()) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) | Err(_) => Err(invalid("EXPECTED_JSON_BODY", "The body of the request is not a JSON object.")),
    }
}

impl Simulator for Account {
    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        match self.route(request, now) {
            Ok(body) => json::answer(200, &body),
            Err(refused) => refused.into_answer(),
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        match edit.what.as_str() {
            "product" => self.catalog.edit_item(edit, now),
            "image" => self.catalog.edit_image(edit, now),
            "stock" => self.stock.edit(edit, now),
            _ => Err("what is edited is a product, an image or the stock".to_owned()),
        }
    }

    fn take_notifications(&mut self, _now: Timestamp) -> Vec<Request<Bytes>> {
        Vec::new()
    }

    fn expire_credentials(&mut self) {
        self.access.expire();
    }

    fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.meter.limit(calls_per_minute);
    }

    fn state(&self) -> Value {
        json!({ "calls": self.meter.calls(), "products": self.catalog.items(), "stock": self.stock.counts() })
    }
}
