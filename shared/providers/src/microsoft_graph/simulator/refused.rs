//! Refusals as Graph writes them.

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response};
use serde_json::json;

use crate::simulator::json;

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    code: &'static str,
    message: String,
    /// In how many seconds to come again.
    after: Option<i64>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), after: None }
    }

    /// A parameter that is wrong, or that the call does not have.
    pub(super) fn parameter(name: &str) -> Self {
        Self::new(400, "ErrorInvalidUrlQuery", format!("The query parameter '{name}' is not supported, or is invalid."))
    }

    /// A field of a body that does not fit.
    pub(super) fn field(message: impl Into<String>) -> Self {
        Self::new(400, "ErrorPropertyValidationFailure", message)
    }

    /// An object of Outlook that is unknown.
    pub(super) fn no_item() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// A path or a subscription that is unknown.
    pub(super) fn no_resource() -> Self {
        Self::new(404, "ResourceNotFound", "The object was not found.")
    }

    /// What was asked for with a link that leads nowhere any more.
    pub(super) fn sync_state() -> Self {
        Self::new(410, "syncStateNotFound", "The sync state generation is not found; perform a full synchronization.")
    }

    /// One request too many.
    pub(super) fn limited(after: i64) -> Self {
        let message = "Application is over its MailboxConcurrency limit.";
        Self { after: Some(after), ..Self::new(429, "ApplicationThrottled", message) }
    }

    /// What the owner did not allow.
    pub(super) fn denied() -> Self {
        Self::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    }

    /// What is wrong.
    pub(super) fn into_message(self) -> String {
        self.message
    }

    pub(super) fn into_answer(self, request: &str) -> Response<Bytes> {
        let Self { status, code, message, after } = self;
        let inner = json!({ "date": "2026-11-28T12:00:00", "request-id": request, "client-request-id": request });
        let error = json!({ "code": code, "message": message, "innerError": inner });
        let mut answer = json::answer(status, &json!({ "error": error }));
        if let Some(after) = after {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after));
        }
        answer
    }
}
