//! Errors as Graph answers them: the status says little, the codes say what to do. Codes nest, from the general to the exact.

use http::StatusCode;
use serde_json::Value;

use crate::json::nests_little;
use crate::protocols::answers;
use crate::{Answer, Refusal};

/// How many codes are read, each within the one before.
const MOST_CODES: usize = 8;
/// The codes of a link that leads nowhere any more.
const EXPIRED: &[&str] = &["syncStateNotFound", "resyncRequired", "SyncStateInvalid"];
/// The codes of a limit, whatever the status.
const LIMITS: &[&str] = &["ApplicationThrottled", "TooManyRequests", "activityLimitReached"];
/// The codes of an account that has no mailbox.
const NO_MAILBOX: &[&str] =
    &["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox"];
/// The codes of a mailbox that is full.
const FULL: &[&str] = &["ErrorQuotaExceeded", "quotaLimitReached"];
/// The codes of what is not there, or not for us.
const GONE: &[&str] = &["ErrorItemNotFound", "ResourceNotFound", "itemNotFound", "ErrorFolderNotFound"];
/// What to do about an account without a mailbox.
const GIVE_MAILBOX: &str = "the account has no mailbox that Microsoft Graph serves: connect an account whose mailbox is in \
                            Exchange Online or Outlook.com, or give this one a licence for it";
/// What to do about a mailbox that is full.
const MAKE_ROOM: &str = "the mailbox is full, so nothing can be written to its calendars: its owner has to make room";

/// Sorts an answer by its status, and by the codes that it gives.
pub(super) fn sort(answer: &Answer) -> Result<(), Refusal> {
    let Err(refusal) = answers::sort(answer) else { return Ok(()) };
    let codes = codes(answer);
    let has = |known: &[&str]| codes.iter().any(|code| known.iter().any(|one| one.eq_ignore_ascii_case(code)));
    let after = answers::after(answer);
    Err(match answer.status() {
        _ if has(EXPIRED) => Refusal::Expired,
        StatusCode::UNAUTHORIZED => Refusal::Refused,
        _ if has(LIMITS) => Refusal::Limited { after },
        _ if has(NO_MAILBOX) => Refusal::Closed(GIVE_MAILBOX),
        StatusCode::INSUFFICIENT_STORAGE => Refusal::Closed(MAKE_ROOM),
        _ if has(FULL) => Refusal::Closed(MAKE_ROOM),
        // Whoever gives no code is not the API, but something before it.
        StatusCode::FORBIDDEN if codes.is_empty() => Refusal::Unavailable { after },
        StatusCode::LOCKED => Refusal::Unavailable { after },
        _ => refusal,
    })
}

/// Whether Graph has nothing of the id that was asked for, or nothing that we may see.
pub(super) fn is_gone(answer: &Answer) -> bool {
    answer.status() == StatusCode::NOT_FOUND && GONE.iter().any(|code| says(answer, code))
}

/// Whether an answer gives this code.
pub(super) fn says(answer: &Answer, wanted: &str) -> bool {
    codes(answer).iter().any(|code| code.eq_ignore_ascii_case(wanted))
}

/// The codes of an error, from the general to the exact.
fn codes(answer: &Answer) -> Vec<String> {
    if nests_little(answer.body()).is_err() {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else { return Vec::new() };
    let mut codes = Vec::new();
    let mut error = body.get("error");
    while let Some(Value::Object(fields)) = error.filter(|_| codes.len() < MOST_CODES) {
        match fields.get("code") {
            Some(Value::String(code)) => codes.push(code.clone()),
            Some(_) | None if codes.is_empty() => break,
            Some(_) | None => {}
        }
        let inner = ["innerError", "innererror"].iter().find_map(|name| fields.get(*name));
        error = inner.filter(|inner| inner.get("code").is_some());
    }
    codes
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, code: &str) -> Answer {
        let body = if code.is_empty() { json!({}) } else { json!({ "error": { "code": code, "message": "No." } }) };
        Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
    }

    #[test]
    fn every_answer_has_its_sort() {
        let (limited, unavailable) = (Refusal::Limited { after: None }, Refusal::Unavailable { after: None });
        for (status, code, expected) in [
            (200, "", Ok(())),
            (204, "", Ok(())),
            (400, "ErrorInvalidRequest", Err(Refusal::Invalid)),
            (400, "syncStateNotFound", Err(Refusal::Expired)),
            (404, "SyncStateNotFound", Err(Refusal::Expired)),
            (410, "resyncRequired", Err(Refusal::Expired)),
            (410, "", Err(Refusal::Expired)),
            (401, "InvalidAuthenticationToken", Err(Refusal::Refused)),
            (401, "", Err(Refusal::Refused)),
            (403, "ErrorAccessDenied", Err(Refusal::Forbidden)),
            (403, "Authorization_RequestDenied", Err(Refusal::Forbidden)),
            (403, "", Err(unavailable)),
            (403, "ApplicationThrottled", Err(limited)),
            (404, "ErrorItemNotFound", Err(Refusal::Invalid)),
            (404, "MailboxNotEnabledForRESTAPI", Err(Refusal::Closed(GIVE_MAILBOX))),
            (403, "ErrorNonExistentMailbox", Err(Refusal::Closed(GIVE_MAILBOX))),
            (409, "ErrorDuplicateTransactionId", Err(Refusal::Invalid)),
            (412, "ErrorIrresolvableConflict", Err(Refusal::Invalid)),
            (423, "resourceLocked", Err(unavailable)),
            (429, "ApplicationThrottled", Err(limited)),
            (429, "", Err(limited)),
            (500, "InternalServerError", Err(unavailable)),
            (503, "ErrorServerBusy", Err(unavailable)),
            (503, "TooManyRequests", Err(limited)),
            (507, "ErrorQuotaExceeded", Err(Refusal::Closed(MAKE_ROOM))),
            (507, "", Err(Refusal::Closed(MAKE_ROOM))),
            (509, "", Err(unavailable)),
        ] {
            assert_eq!(sort(&answer(status, code)), expected, "{status} {code}");
        }
    }

    #[test]
    fn only_graph_itself_says_that_something_is_gone() {
        for (status, code, expected) in [
            (404, "ErrorItemNotFound", true),
            (404, "ResourceNotFound", true),
            (404, "", false),
            (404, "MailboxNotEnabledForRESTAPI", false),
            (410, "syncStateNotFound", false),
            (403, "ErrorItemNotFound", false),
        ] {
            assert_eq!(is_gone(&answer(status, code)), expected, "{status} {code}");
        }
        let proxy = Response::builder().status(404).body(Bytes::from_static(b"<html>")).unwrap();
        assert!(!is_gone(&proxy), "a proxy says nothing about events");
    }

    #[test]
    fn codes_are_read_from_the_general_to_the_exact() {
        let inner = json!({ "code": "b", "innererror": { "date": "d", "innerError": { "code": "c" } } });
        for (body, expected) in [
            (json!({ "error": { "code": "a", "innerError": inner } }), vec!["a", "b"]),
            (
                json!({ "error": { "code": "a", "innerError": { "code": "b", "innerError": { "code": "c" } } } }),
                vec!["a", "b", "c"],
            ),
            (json!({ "error": { "code": 7, "innerError": { "code": "b" } } }), vec![]),
            (json!({ "error": "a" }), vec![]),
            (json!([]), vec![]),
        ] {
            let answer = Response::builder().status(400).body(Bytes::from(body.to_string())).unwrap();
            assert_eq!(codes(&answer), expected, "{body}");
        }
        let deep = format!("{}1{}", r#"{"error":"#.repeat(200), "}".repeat(200));
        assert!(codes(&Response::new(Bytes::from(deep))).is_empty());
    }
}
