//! Requests, taken apart.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value};

use super::reply::Problem;
use crate::simulator::query;

/// The path below which the API is.
const API: &str = "/wp-json/wc/v3/";

/// A call of the API.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// The route; absent where the path is none of the API's.
    pub(super) route: Option<Route>,
    /// The parameters, of the query and of the body.
    pub(super) params: Map<String, Value>,
    /// Whether the body is no JSON although it says so.
    pub(super) broken: bool,
}

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Products,
    Product(u64),
    ProductsBatch,
    Variations(u64),
    Variation(u64, u64),
    VariationsBatch(u64),
    Webhooks,
    Webhook(u64),
    WebhooksBatch,
    Currency,
    CurrencySetting,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        let id = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        Some(match parts.as_slice() {
            ["products"] => Self::Products,
            ["products", "batch"] => Self::ProductsBatch,
            ["products", product] => Self::Product(id(product)?),
            ["products", product, "variations"] => Self::Variations(id(product)?),
            ["products", product, "variations", "batch"] => Self::VariationsBatch(id(product)?),
            ["products", product, "variations", variation] => Self::Variation(id(product)?, id(variation)?),
            ["webhooks"] => Self::Webhooks,
            ["webhooks", "batch"] => Self::WebhooksBatch,
            ["webhooks", webhook] => Self::Webhook(id(webhook)?),
            ["data", "currencies", "current"] => Self::Currency,
            ["settings", "general", "woocommerce_currency"] => Self::CurrencySetting,
            _ => return None,
        })
    }

    /// The sort of the call, for whoever counts.
    fn name(self) -> &'static str {
        match self {
            Self::Products => "products",
            Self::Product(_) => "products/{id}",
            Self::ProductsBatch => "products/batch",
            Self::Variations(_) => "products/{id}/variations",
            Self::Variation(..) => "products/{id}/variations/{id}",
            Self::VariationsBatch(_) => "products/{id}/variations/batch",
            Self::Webhooks => "webhooks",
            Self::Webhook(_) => "webhooks/{id}",
            Self::WebhooksBatch => "webhooks/batch",
            Self::Currency => "data/currencies/current",
            Self::CurrencySetting => "settings/general/{id}",
        }
    }
}

impl Call {
    /// Takes a request apart.
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        let path = request.uri().path();
        let route = path.find(API).and_then(|at| Route::of(&path[at + API.len()..]));
        let mut params =
            query::parameters(request).into_iter().map(|(name, value)| (name, value.into())).collect::<Map<_, _>>();
        let content = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_json = content.contains("json") && !request.body().is_empty();
        let body: Option<Map<String, Value>> = serde_json::from_slice(request.body()).ok().filter(|_| is_json);
        let broken = is_json && body.is_none();
        params.extend(body.unwrap_or_default());
        Self { method: request.method().clone(), route, params, broken }
    }

    /// The sort of the call, for whoever counts.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.route.map_or("elsewhere", Route::name))
    }

    /// A parameter as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name)?.as_str()
    }

    /// Whether a parameter says yes.
    pub(super) fn says(&self, name: &str) -> bool {
        self.params.get(name).and_then(truth).unwrap_or_default()
    }

    /// The fields that are asked for, if not all are.
    pub(super) fn fields(&self) -> Option<&str> {
        self.text("_fields")
    }

    /// Refuses a call without one of the parameters that it needs.
    pub(super) fn require(&self, names: &[&str]) -> Result<(), Problem> {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !self.params.contains_key(*name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("Missing parameter(s): {}", missing.join(", "));
        Err(Problem::new(400, "rest_missing_callback_param", message).with("params", missing))
    }
}

/// A truth, as WordPress takes it.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, as WordPress takes it.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
