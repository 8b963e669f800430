//! Errors as Google answers them: the status says little, the reasons say what to do.

use http::StatusCode;

use crate::lenient::{Lenient, Object, fields};
use crate::protocols::answers;
use crate::{Answer, Refusal};

/// The reasons of a 403 that is a limit.
const LIMITS: &[&str] = &["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"];
/// The reasons of a 403 that is about what the owner allowed.
const OF_SCOPES: &[&str] = &["insufficientPermissions"];
/// The reasons of a 403 that is about the app.
const OF_APP: &[&str] = &["accessNotConfigured"];
/// How the reasons begin that are about the webhook address.
const OF_ADDRESS: &str = "push.webhookUrl";
/// What to do about an app whose project has not enabled the API.
const ENABLE: &str = "the app's project has not enabled the Google Calendar API: enable it in the Google Cloud console, under \
                      APIs & Services; no new authorisation is needed";
/// What to do about a webhook address that Google does not send to.
const ADDRESS: &str = "Google does not send to this webhook address: give Hooktide an https address with a certificate that \
                       browsers trust, and verify its domain for the app's project in the Google Cloud console";
/// What to do about a refusal of which nothing else is known.
const CLOSED: &str = "Google does not let the app, or this account, use the calendar API, whatever its owner allows: see whether \
                      the account has a calendar, and whether the administrator of its organisation allows the app";
/// The reasons of a 403 that is about one calendar, and not about the credentials.
const OF_CALENDAR: &[&str] = &["forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel"];
/// The parameters that are places in a list: where one is wrong, the list has to be read anew.
const PLACES: &[&str] = &["syncToken", "pageToken"];

fields! {
    struct Body {
        error: Lenient<Object<ErrorBody>> = "error",
    }
}

fields! {
    struct ErrorBody {
        errors: Lenient<Vec<Lenient<Object<One>>>> = "errors",
    }
}

fields! {
    struct One {
        reason: Lenient<String> = "reason",
        location: Lenient<String> = "location",
    }
}

/// Sorts an answer by its status, and by the reasons that it gives.
pub(super) fn sort(answer: &Answer) -> Result<(), Refusal> {
    let sorted = answers::sort(answer);
    let reasons = || reasons(answer);
    let has = |known: &[&str]| reasons().iter().any(|(reason, _)| known.contains(&reason.as_str()));
    match answer.status() {
        StatusCode::FORBIDDEN if has(LIMITS) => Err(Refusal::Limited { after: answers::after(answer) }),
        StatusCode::FORBIDDEN if has(OF_CALENDAR) => Err(Refusal::Invalid),
        StatusCode::FORBIDDEN if has(OF_SCOPES) => Err(Refusal::Forbidden),
        StatusCode::FORBIDDEN if has(OF_APP) => Err(Refusal::Closed(ENABLE)),
        // Whoever gives no reason is not the API, but something before it.
        StatusCode::FORBIDDEN if reasons().is_empty() => Err(Refusal::Unavailable { after: answers::after(answer) }),
        StatusCode::FORBIDDEN => Err(Refusal::Closed(CLOSED)),
        // The status says that the token does not count, although only the address does not.
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST
            if reasons().iter().any(|(reason, _)| reason.starts_with(OF_ADDRESS)) =>
        {
            Err(Refusal::Closed(ADDRESS))
        }
        StatusCode::BAD_REQUEST if reasons().iter().any(|(_, location)| PLACES.contains(&location.as_str())) => {
            Err(Refusal::Expired)
        }
        _ => sorted,
    }
}

/// Whether Google has nothing of the id that was asked for, or nothing that we may see.
pub(super) fn is_gone(answer: &Answer) -> bool {
    match answer.status() {
        StatusCode::NOT_FOUND => says(answer, "notFound"),
        StatusCode::GONE => says(answer, "deleted"),
        _ => false,
    }
}

/// Whether the id of an event is taken, by one that is there or was.
pub(super) fn is_taken(answer: &Answer) -> bool {
    answer.status() == StatusCode::CONFLICT && says(answer, "duplicate")
}

/// Whether an event is no longer in the state that a write was decided by.
pub(super) fn is_changed(answer: &Answer) -> bool {
    answer.status() == StatusCode::PRECONDITION_FAILED && says(answer, "conditionNotMet")
}

/// Whether an answer gives this reason.
pub(super) fn says(answer: &Answer, wanted: &str) -> bool {
    reasons(answer).iter().any(|(reason, _)| reason == wanted)
}

/// The reason of each error, and the parameter that it is about.
fn reasons(answer: &Answer) -> Vec<(String, String)> {
    let Ok(Object(Body { error })) = serde_json::from_slice(answer.body()) else { return Vec::new() };
    let errors = error.read().and_then(|Object(error)| error.errors.read()).unwrap_or_default().into_iter();
    let texts = |one: One| (one.reason.read().unwrap_or_default(), one.location.read().unwrap_or_default());
    errors.filter_map(|error| error.read().map(|Object(one)| texts(one))).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, reason: &str, location: &str) -> Answer {
        let one = json!({ "domain": "global", "reason": reason, "message": "No.", "location": location });
        let error = json!({ "errors": [one], "code": status, "message": "No." });
        let body = if reason.is_empty() { json!({}) } else { json!({ "error": error }) };
        Response::builder().status(status).body(Bytes::from(body.to_string())).unwrap()
    }

    #[test]
    fn every_answer_has_its_sort() {
        let (limited, unavailable) = (Refusal::Limited { after: None }, Refusal::Unavailable { after: None });
        for (status, reason, location, expected) in [
            (200, "", "", Ok(())),
            (204, "", "", Ok(())),
            (400, "timeRangeEmpty", "timeMax", Err(Refusal::Invalid)),
            (400, "invalid", "syncToken", Err(Refusal::Expired)),
            (400, "invalid", "pageToken", Err(Refusal::Expired)),
            (400, "channelIdNotUnique", "", Err(Refusal::Invalid)),
            (400, "push.webhookUrlNotHttps", "", Err(Refusal::Closed(ADDRESS))),
            (400, "push.webhookUrlUnauthorized", "", Err(Refusal::Closed(ADDRESS))),
            (401, "authError", "Authorization", Err(Refusal::Refused)),
            (401, "required", "Authorization", Err(Refusal::Refused)),
            (401, "push.webhookUrlUnauthorized", "", Err(Refusal::Closed(ADDRESS))),
            (401, "", "", Err(Refusal::Refused)),
            (403, "rateLimitExceeded", "", Err(limited)),
            (403, "userRateLimitExceeded", "", Err(limited)),
            (403, "quotaExceeded", "", Err(limited)),
            (403, "insufficientPermissions", "", Err(Refusal::Forbidden)),
            (403, "accessNotConfigured", "", Err(Refusal::Closed(ENABLE))),
            (403, "notACalendarUser", "", Err(Refusal::Closed(CLOSED))),
            (403, "domainPolicy", "", Err(Refusal::Closed(CLOSED))),
            (403, "forbidden", "", Err(Refusal::Invalid)),
            (403, "", "", Err(unavailable)),
            (404, "notFound", "", Err(Refusal::Invalid)),
            (410, "fullSyncRequired", "syncToken", Err(Refusal::Expired)),
            (410, "updatedMinTooLongAgo", "updatedMin", Err(Refusal::Expired)),
            (412, "conditionNotMet", "If-Match", Err(Refusal::Invalid)),
            (429, "rateLimitExceeded", "", Err(limited)),
            (429, "", "", Err(limited)),
            (500, "backendError", "", Err(unavailable)),
            (503, "", "", Err(unavailable)),
        ] {
            assert_eq!(sort(&answer(status, reason, location)), expected, "{status} {reason}");
        }
    }

    #[test]
    fn only_google_itself_says_what_became_of_an_event() {
        let (gone, taken, changed, nothing) =
            ((true, false, false), (false, true, false), (false, false, true), (false, false, false));
        for (status, reason, expected) in [
            (404, "notFound", gone),
            (410, "deleted", gone),
            (404, "", nothing),
            (410, "fullSyncRequired", nothing),
            (403, "notFound", nothing),
            (409, "duplicate", taken),
            (409, "", nothing),
            (412, "conditionNotMet", changed),
            (412, "", nothing),
            (400, "duplicate", nothing),
        ] {
            let answer = answer(status, reason, "");
            assert_eq!((is_gone(&answer), is_taken(&answer), is_changed(&answer)), expected, "{status} {reason}");
        }
        let proxy = Response::builder().status(404).body(Bytes::from_static(b"<html>")).unwrap();
        assert!(!is_gone(&proxy), "a proxy says nothing about events");
    }
}
