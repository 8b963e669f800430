//! Refusals as Google writes them.

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response};
use serde_json::{Value, json};

use crate::simulator::json;

/// The reasons that belong to calendars, and not to all of Google's APIs.
const OF_CALENDAR: &[&str] = &["fullSyncRequired", "requiredAccessLevel", "timeRangeEmpty", "updatedMinTooLongAgo"];
/// The reasons that belong to quotas.
const OF_USAGE: &[&str] = &["quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"];

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    reason: &'static str,
    message: String,
    /// The header or the parameter that is wrong, with which of both it is.
    location: Option<(&'static str, String)>,
    /// The scopes of which one is lacking.
    scopes: Option<&'static str>,
}

impl Refused {
    pub(super) fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into(), location: None, scopes: None }
    }

    /// A parameter that is wrong.
    pub(super) fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self::new(400, "invalid", message).at(name)
    }

    /// An object that is unknown, or not shared with the account.
    pub(super) fn not_found() -> Self {
        Self::new(404, "notFound", "Not Found")
    }

    /// A request for which one of these scopes is lacking.
    pub(super) fn scopes(scopes: &'static str) -> Self {
        let message = "Request had insufficient authentication scopes.";
        Self { scopes: Some(scopes), ..Self::new(403, "insufficientPermissions", message) }
    }

    /// One request too many. Google has several words for it, and does not say when to come again.
    pub(super) fn limited(number: u64) -> Self {
        match number % 4 {
            0 => Self::new(403, "rateLimitExceeded", "Rate Limit Exceeded"),
            1 => Self::new(403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
            2 => Self::new(429, "rateLimitExceeded", "Rate Limit Exceeded"),
            _ => Self::new(403, "quotaExceeded", "Calendar usage limits exceeded."),
        }
    }

    /// The parameter that it is about.
    pub(super) fn at(self, parameter: &str) -> Self {
        Self { location: Some(("parameter", parameter.to_owned())), ..self }
    }

    /// The header that it is about.
    pub(super) fn in_header(self, header: &str) -> Self {
        Self { location: Some(("header", header.to_owned())), ..self }
    }

    /// What is wrong.
    pub(super) fn into_message(self) -> String {
        self.message
    }

    pub(super) fn into_answer(self) -> Response<Bytes> {
        let Self { status, reason, message, location, scopes } = self;
        let domain = match () {
            () if OF_CALENDAR.contains(&reason) => "calendar",
            () if OF_USAGE.contains(&reason) => "usageLimits",
            () => "global",
        };
        let mut error = json!({ "domain": domain, "reason": reason, "message": message });
        if let Some((kind, name)) = location {
            (error["locationType"], error["location"]) = (Value::from(kind), Value::from(name));
        }
        let mut answer =
            json::answer(status, &json!({ "error": { "errors": [error], "code": status, "message": message } }));
        let challenge = scopes.map(|scopes| {
            format!(r#"Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{scopes}""#)
        });
        if let Some(challenge) = challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}
