//! Refusals as Paysafe writes them.

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::json;

use crate::simulator::json;

/// The header that names an answer, for whoever asks Paysafe about it.
const CORRELATION: &str = "x-internal-correlation-id";

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    code: &'static str,
    message: &'static str,
    /// The field that is wrong, and how.
    field: Option<(String, &'static str)>,
}

impl Refused {
    const fn new(status: u16, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, field: None }
    }

    /// A user that is unknown, or no user at all.
    pub(super) const fn stranger() -> Self {
        Self::new(401, "5279", "The authentication credentials are invalid.")
    }

    /// An id that is unknown.
    pub(super) const fn not_found() -> Self {
        Self::new(404, "5269", "The ID(s) specified in the URL do not correspond to the values in the system.")
    }

    /// A path or method that the API does not have.
    pub(super) fn nowhere() -> Self {
        Self { code: "5273", message: "The API endpoint that was requested does not exist.", ..Self::not_found() }
    }

    /// A state in which it cannot be done any more.
    pub(super) const fn done() -> Self {
        Self::new(409, "5031", "The transaction is not in a state in which it can be cancelled.")
    }

    /// Too many requests.
    pub(super) const fn limited() -> Self {
        Self::new(429, "1200", "The API call has been denied as it has exceeded the permissible call rate limit.")
    }

    /// A field that is wrong.
    pub(super) fn invalid(field: &str, error: &'static str) -> Self {
        let message = "Either you submitted a request that is missing a mandatory field or the value of a field does not match \
                       the format expected.";
        Self { field: Some((field.to_owned(), error)), ..Self::new(400, "5068", message) }
    }

    pub(super) fn into_answer(self) -> Response<Bytes> {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some((field, wrong)) = self.field {
            error["fieldErrors"] = json!([{ "field": field, "error": wrong }]);
        }
        let mut answer = json::answer(self.status, &json!({ "error": error }));
        answer.headers_mut().insert(CORRELATION, HeaderValue::from_static("simulated"));
        answer
    }
}
