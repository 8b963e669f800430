//! The bodies of answers.

use serde::Deserialize;

use crate::json::nests_little;
use crate::lenient::{Lenient, Object, fields};
use crate::{Answer, Refusal};

/// The byte order mark that some plugins write before all that a store answers.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fields! {
    struct Error {
        code: Lenient<String>,
    }
}

/// What to do about a page in place of JSON.
const PAGE: &str = "a page for browsers in place of JSON: where WordPress has plain permalinks, choose others (Settings, Permalinks); \
                    else see what stands before the store";

/// The body as JSON. An empty body, or anything else but a page for browsers, is `otherwise`.
pub(super) fn json<'a, T: Deserialize<'a>>(answer: &'a Answer, otherwise: &'static str) -> Result<T, Refusal> {
    let body = answer.body().strip_prefix(BYTE_ORDER_MARK).unwrap_or(answer.body());
    let read = nests_little(body).ok().and_then(|()| serde_json::from_slice(body).ok());
    let is_page = || body.trim_ascii_start().starts_with(b"<");
    read.ok_or_else(|| Refusal::Unreadable(if is_page() { PAGE } else { otherwise }))
}

/// The code of an error that the store itself answers.
pub(super) fn error_code(answer: &Answer) -> Option<String> {
    let Object(error) = json::<Object<Error>>(answer, "").ok()?;
    error.code.read()
}

/// Whether the store has nothing of the id that was asked for: a route that does not exist has another code.
pub(super) fn is_gone(answer: &Answer) -> bool {
    answer.status() == http::StatusCode::NOT_FOUND
        && error_code(answer).is_some_and(|code| code.ends_with("_invalid_id"))
}

/// A header that is a number.
pub(super) fn number(answer: &Answer, name: &str) -> Option<u64> {
    answer.headers().get(name)?.to_str().ok()?.trim().parse().ok()
}
