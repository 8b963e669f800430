//! Refusals as Square writes them.

use bytes::Bytes;
use http::Response;
use serde_json::json;

use crate::simulator::json;

/// A request that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    category: &'static str,
    code: &'static str,
    detail: &'static str,
}

impl Refused {
    pub(super) const fn new(status: u16, category: &'static str, code: &'static str, detail: &'static str) -> Self {
        Self { status, category, code, detail }
    }

    /// Too many requests. Square says not when to come again.
    pub(super) const fn limited() -> Self {
        Self::new(429, "RATE_LIMIT_ERROR", "RATE_LIMITED", "Too many requests.")
    }

    /// An object that is unknown, or gone.
    pub(super) const fn not_found() -> Self {
        Self::new(404, "INVALID_REQUEST_ERROR", "NOT_FOUND", "Catalog object with that ID was not found.")
    }

    pub(super) fn into_answer(self) -> Response<Bytes> {
        let Self { status, category, code, detail } = self;
        json::answer(status, &json!({ "errors": [{ "category": category, "code": code, "detail": detail }] }))
    }
}

/// A request that is wrong.
pub(super) const fn invalid(code: &'static str, detail: &'static str) -> Refused {
    Refused::new(400, "INVALID_REQUEST_ERROR", code, detail)
}
