//! Errors as Square answers them: a list of categories and codes, which may come with a success as well.

use http::StatusCode;

use crate::lenient::{Lenient, Object, fields};
use crate::protocols::answers;
use crate::{Answer, Refusal};

/// The code for a page that is no longer kept.
const INVALID_CURSOR: &str = "INVALID_CURSOR";
/// The codes for what the seller did not allow.
const NOT_ALLOWED: &[&str] = &["INSUFFICIENT_SCOPES", "FORBIDDEN"];
/// The codes for an app that Square has shut off.
const SHUT_OFF: &[&str] = &["APPLICATION_DISABLED", "CLIENT_DISABLED"];
/// What to do about an app that Square has shut off.
const APP_OFF: &str = "Square has disabled the app: see it in the Square developer console, or ask Square's developer support; no \
                       new authorisation is needed";
/// The code for an object that is unknown.
const NOT_FOUND: &str = "NOT_FOUND";

fields! {
    struct Body {
        errors: Lenient<Vec<Lenient<Object<SquareError>>>>,
    }
}

fields! {
    struct SquareError {
        category: Lenient<String>,
        code: Lenient<String>,
    }
}

/// Sorts an answer by its status, and by what its errors say.
pub(super) fn sort(answer: &Answer) -> Result<(), Refusal> {
    match answers::sort(answer) {
        sorted @ (Ok(()) | Err(Refusal::Invalid)) => by_errors(answer).map_or(sorted, Err),
        Err(sorted @ (Refusal::Refused | Refusal::Forbidden)) => Err(match by_errors(answer) {
            // Whoever gives no reason is not Square, but something before it.
            None if sorted == Refusal::Forbidden => Refusal::Unavailable { after: answers::after(answer) },
            None | Some(Refusal::Invalid) => sorted,
            Some(named) => named,
        }),
        sorted => sorted,
    }
}

/// Whether Square has nothing of the id that was asked for.
pub(super) fn is_gone(answer: &Answer) -> bool {
    answer.status() == StatusCode::NOT_FOUND && codes(answer).iter().any(|(_, code)| code == NOT_FOUND)
}

/// The sort that the errors of an answer name; `None` without errors.
fn by_errors(answer: &Answer) -> Option<Refusal> {
    let errors = codes(answer);
    let after = answers::after(answer);
    let sorts = errors.iter().map(|(category, code)| match (category.as_str(), code.as_str()) {
        ("RATE_LIMIT_ERROR", _) | (_, "RATE_LIMITED") => Refusal::Limited { after },
        (_, code) if NOT_ALLOWED.contains(&code) => Refusal::Forbidden,
        (_, code) if SHUT_OFF.contains(&code) => Refusal::Closed(APP_OFF),
        ("AUTHENTICATION_ERROR", _) => Refusal::Refused,
        (_, INVALID_CURSOR) => Refusal::Expired,
        ("API_ERROR", _) => Refusal::Unavailable { after },
        _ => Refusal::Invalid,
    });
    // What may pass counts more than a question that is wrong.
    sorts.reduce(|one, other| if one == Refusal::Invalid { other } else { one })
}

/// The category and the code of each error.
fn codes(answer: &Answer) -> Vec<(String, String)> {
    let Ok(Object(Body { errors })) = serde_json::from_slice(answer.body()) else { return Vec::new() };
    let errors = errors.read().unwrap_or_default().into_iter();
    let code = |error: SquareError| (error.category.read().unwrap_or_default(), error.code.read().unwrap_or_default());
    errors.map(|error| error.read().map_or_else(Default::default, |Object(error)| code(error))).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::Response;
    use http::header::RETRY_AFTER;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, errors: &[(&str, &str)]) -> Answer {
        let errors: Vec<_> =
            errors.iter().map(|(category, code)| json!({ "category": category, "code": code })).collect();
        let body = if errors.is_empty() { json!({}) } else { json!({ "errors": errors }) };
        let answer = Response::builder().status(status).header(RETRY_AFTER, "3");
        answer.body(Bytes::from(body.to_string())).unwrap()
    }

    #[test]
    fn every_answer_has_its_sort() {
        let after = Some(Duration::from_secs(3));
        let (limited, unavailable) = (Refusal::Limited { after }, Refusal::Unavailable { after });
        for (status, errors, expected) in [
            (200, &[][..], Ok(())),
            (200, &[("API_ERROR", "INTERNAL_SERVER_ERROR")], Err(unavailable)),
            (200, &[("INVALID_REQUEST_ERROR", "INVALID_VALUE")], Err(Refusal::Invalid)),
            (200, &[("INVALID_REQUEST_ERROR", "INVALID_VALUE"), ("RATE_LIMIT_ERROR", "RATE_LIMITED")], Err(limited)),
            (200, &[("", "")], Err(Refusal::Invalid)),
            (400, &[], Err(Refusal::Invalid)),
            (400, &[("INVALID_REQUEST_ERROR", "INVALID_CURSOR")], Err(Refusal::Expired)),
            (400, &[("AUTHENTICATION_ERROR", "UNAUTHORIZED")], Err(Refusal::Refused)),
            (401, &[("AUTHENTICATION_ERROR", "ACCESS_TOKEN_EXPIRED")], Err(Refusal::Refused)),
            (401, &[("AUTHENTICATION_ERROR", "ACCESS_TOKEN_REVOKED")], Err(Refusal::Refused)),
            (401, &[("AUTHENTICATION_ERROR", "CLIENT_DISABLED")], Err(Refusal::Closed(APP_OFF))),
            (401, &[], Err(Refusal::Refused)),
            (403, &[("AUTHENTICATION_ERROR", "INSUFFICIENT_SCOPES")], Err(Refusal::Forbidden)),
            (403, &[("AUTHENTICATION_ERROR", "FORBIDDEN")], Err(Refusal::Forbidden)),
            (403, &[("AUTHENTICATION_ERROR", "APPLICATION_DISABLED")], Err(Refusal::Closed(APP_OFF))),
            (403, &[], Err(unavailable)),
            (404, &[("INVALID_REQUEST_ERROR", "NOT_FOUND")], Err(Refusal::Invalid)),
            (409, &[("INVALID_REQUEST_ERROR", "VERSION_MISMATCH")], Err(Refusal::Invalid)),
            (429, &[("RATE_LIMIT_ERROR", "RATE_LIMITED")], Err(limited)),
            (429, &[], Err(limited)),
            (500, &[("API_ERROR", "INTERNAL_SERVER_ERROR")], Err(unavailable)),
            (504, &[], Err(unavailable)),
        ] {
            assert_eq!(sort(&answer(status, errors)), expected, "{status} {errors:?}");
        }
    }

    #[test]
    fn a_page_that_is_no_json_has_no_errors() {
        let html = Response::builder().status(200).body(Bytes::from_static(b"<html>")).unwrap();
        assert_eq!(sort(&html), Ok(()), "whoever reads it finds out");
        assert!(is_gone(&answer(404, &[("INVALID_REQUEST_ERROR", "NOT_FOUND")])));
        let proxy = Response::builder().status(404).body(Bytes::from_static(b"no such route")).unwrap();
        assert!(!is_gone(&proxy), "a proxy says nothing about objects");
    }
}
