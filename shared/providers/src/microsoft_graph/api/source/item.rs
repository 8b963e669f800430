//! The fields of events, as Graph answers them. An occurrence may have only its id, its series, and its times.

use serde::de::IgnoredAny;

use jiff::Timestamp;

use crate::lenient::{Lenient, Object, fields};
use crate::microsoft_graph::api::times::Time;

/// The longest id of an event, in bytes. Graph's have about 150.
const LONGEST_ID: usize = 512;
/// The values of `showAs` that take no time.
const FREE: &[&str] = &["free", "workingElsewhere"];
/// The answers of somebody who has not said yes.
const NOT_SAID: &[&str] = &["tentativelyAccepted", "notResponded"];

fields! {
    /// An event, or what is left of one.
    pub(super) struct Item {
        id: Lenient<String> = "id",
        pub(super) removed: Lenient<IgnoredAny> = "@removed",
        pub(super) sort: Lenient<String> = "type",
        pub(super) series: Lenient<String> = "seriesMasterId",
        pub(super) subject: Lenient<String> = "subject",
        pub(super) shows: Lenient<String> = "showAs",
        pub(super) cancelled: Lenient<bool> = "isCancelled",
        pub(super) all_day: Lenient<bool> = "isAllDay",
        pub(super) start: Lenient<Object<Time>> = "start",
        pub(super) end: Lenient<Object<Time>> = "end",
        pub(super) response: Lenient<Object<Response>> = "responseStatus",
        pub(super) sensitivity: Lenient<String> = "sensitivity",
        pub(super) uid: Lenient<String> = "iCalUId",
        pub(super) transaction: Lenient<String> = "transactionId",
        pub(super) updated: Lenient<Timestamp> = "lastModifiedDateTime",
    }
}

fields! {
    pub(super) struct Response {
        response: Lenient<String> = "response",
    }
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sort {
    /// What is deleted, or has left the window.
    Removed,
    /// An event by itself.
    Single,
    /// A series, without its occurrences.
    Series,
    /// An occurrence of the series of that id.
    Occurrence(String),
}

impl Item {
    /// Its id, if it has one.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_ref().map(String::as_str).filter(|id| is_id(id))
    }

    /// What it is.
    pub(super) fn sort(&self) -> Result<Sort, &'static str> {
        if self.removed.is_there() {
            return Ok(Sort::Removed);
        }
        let sort = self.sort.as_ref().map(String::as_str).unwrap_or_default();
        match (sort, &self.series) {
            ("seriesMaster", _) => Ok(Sort::Series),
            (_, Lenient::Read(series)) if is_id(series) => Ok(Sort::Occurrence(series.clone())),
            ("occurrence" | "exception", _) | (_, Lenient::Odd | Lenient::Read(_)) => Err("`seriesMasterId` is no id"),
            (_, Lenient::Missing | Lenient::Null) => Ok(Sort::Single),
        }
    }

    /// What its owner answered to the invitation.
    pub(super) fn response(&self) -> Option<&str> {
        let response = self.response.as_ref().and_then(|Object(response)| response.response.as_ref());
        response.map(String::as_str)
    }

    /// Whether its time is taken, and whether that is not certain. What an occurrence does not say, its series does.
    pub(super) fn takes_time(&self, series: Option<&Self>) -> (bool, bool) {
        let shows = self.shows.as_ref().or_else(|| series?.shows.as_ref()).map(String::as_str).unwrap_or_default();
        let response = self.response().or_else(|| series?.response()).unwrap_or_default();
        let cancelled = self.cancelled.as_ref().or_else(|| series?.cancelled.as_ref()).copied().unwrap_or_default();
        let busy = !cancelled && !FREE.contains(&shows) && response != "declined";
        (busy, busy && (shows == "tentative" || NOT_SAID.contains(&response)))
    }
}

/// Whether a text can be the id of an event.
fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && !id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(value: &Value) -> Item {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn an_item_is_what_its_fields_say() {
        for (value, expected) in [
            (json!({ "id": "a", "@removed": { "reason": "deleted" }, "type": "seriesMaster" }), Ok(Sort::Removed)),
            (json!({ "id": "a" }), Ok(Sort::Single)),
            (json!({ "id": "a", "type": "singleInstance", "seriesMasterId": null }), Ok(Sort::Single)),
            (json!({ "id": "a", "type": "seriesMaster" }), Ok(Sort::Series)),
            (json!({ "id": "a", "type": "occurrence", "seriesMasterId": "s" }), Ok(Sort::Occurrence("s".into()))),
            (json!({ "id": "a", "type": "exception", "seriesMasterId": "s" }), Ok(Sort::Occurrence("s".into()))),
            (json!({ "id": "a", "type": "tomorrow", "seriesMasterId": "s" }), Ok(Sort::Occurrence("s".into()))),
            (json!({ "id": "a", "type": "occurrence" }), Err("`seriesMasterId` is no id")),
            (json!({ "id": "a", "seriesMasterId": [] }), Err("`seriesMasterId` is no id")),
            (json!({ "id": "a", "seriesMasterId": "" }), Err("`seriesMasterId` is no id")),
        ] {
            assert_eq!(item(&value).sort(), expected, "{value}");
        }
    }

    #[test]
    fn time_is_taken_unless_it_is_free_cancelled_or_declined() {
        let response = |text: &str| json!({ "response": text });
        for (value, expected) in [
            (json!({}), (true, false)),
            (json!({ "showAs": "busy", "responseStatus": response("organizer") }), (true, false)),
            (json!({ "showAs": "oof", "responseStatus": response("none") }), (true, false)),
            (json!({ "showAs": "unknown" }), (true, false)),
            (json!({ "showAs": 7.5 }), (true, false)),
            (json!({ "showAs": "tentative" }), (true, true)),
            (json!({ "showAs": "busy", "responseStatus": response("notResponded") }), (true, true)),
            (json!({ "showAs": "busy", "responseStatus": response("tentativelyAccepted") }), (true, true)),
            (json!({ "showAs": "free" }), (false, false)),
            (json!({ "showAs": "workingElsewhere" }), (false, false)),
            (json!({ "showAs": "tentative", "isCancelled": true }), (false, false)),
            (json!({ "showAs": "busy", "responseStatus": response("declined") }), (false, false)),
        ] {
            assert_eq!(item(&value).takes_time(None), expected, "{value}");
            let stripped = item(&json!({ "id": "a" }));
            assert_eq!(stripped.takes_time(Some(&item(&value))), expected, "{value}: as its series");
        }
        let series = item(&json!({ "showAs": "free", "responseStatus": response("accepted") }));
        assert_eq!(item(&json!({ "showAs": "busy" })).takes_time(Some(&series)), (true, false), "an exception");
        assert_eq!(item(&json!({ "isCancelled": true })).takes_time(Some(&series)), (false, false));
    }
}
