//! What goes wrong on purpose.

use serde::{Deserialize, Serialize};

/// What goes wrong at a simulator.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Faults {
    /// The share of notifications that are dropped, from 0 to 1.
    pub(super) drop: f64,
    /// The share of notifications that are sent twice, from 0 to 1.
    pub(super) double: f64,
    /// How long notifications are held back, in milliseconds.
    pub(super) delay_ms: u64,
    /// Whether every second notification is held back for as long again, so that others overtake it.
    pub(super) reorder: bool,
    /// Whether the API answers nothing but 503.
    pub(super) down: bool,
    /// The part of a path or of a body whose answers are lost: what was asked is done, and nobody hears so.
    pub(super) lose: Option<String>,
    /// How many calls a minute the API takes; as many as come without.
    pub(super) quota: Option<u32>,
    /// How many notifications there were.
    #[serde(skip)]
    count: u64,
}

/// A change of the faults: what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultsChange {
    drop: Option<Share>,
    double: Option<Share>,
    delay_ms: Option<u64>,
    reorder: Option<bool>,
    down: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    lose: Option<Option<String>>,
    /// Ends all access tokens, or keys, now.
    #[serde(default)]
    pub(super) expire_credentials: bool,
    #[serde(default, deserialize_with = "given")]
    pub(super) quota: Option<Option<u32>>,
}

/// A share: all, none, or a number from 0 to 1.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Share {
    All(bool),
    Part(f64),
}

impl Share {
    fn value(self) -> f64 {
        match self {
            Self::All(all) => f64::from(u8::from(all)),
            Self::Part(part) => part.clamp(0.0, 1.0),
        }
    }
}

/// `null` is a value here, and no absence.
fn given<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Faults {
    /// Takes over what a change gives.
    pub(super) fn change(&mut self, change: &FaultsChange) {
        self.drop = change.drop.map_or(self.drop, Share::value);
        self.double = change.double.map_or(self.double, Share::value);
        self.delay_ms = change.delay_ms.unwrap_or(self.delay_ms);
        self.reorder = change.reorder.unwrap_or(self.reorder);
        self.down = change.down.unwrap_or(self.down);
        self.lose = change.lose.clone().unwrap_or_else(|| self.lose.take());
        self.quota = change.quota.unwrap_or(self.quota);
    }

    /// Whether the answer to a request for this path, with this body, is lost.
    pub(super) fn loses(&self, path: &str, body: &[u8]) -> bool {
        let has = |part: &String| path.contains(part.as_str()) || String::from_utf8_lossy(body).contains(part.as_str());
        self.lose.as_ref().is_some_and(has)
    }

    /// The delays, in milliseconds, after which the next notification is sent, once each.
    pub(super) fn next(&mut self) -> Vec<u64> {
        self.count += 1;
        if is_hit(self.drop, self.count) {
            return Vec::new();
        }
        let late = self.reorder && self.count.is_multiple_of(2);
        let delay = self.delay_ms + if late { self.delay_ms.max(500) } else { 0 };
        if is_hit(self.double, self.count) { vec![delay, delay] } else { vec![delay] }
    }
}

/// Whether one of a row is among this share of them, spread evenly.
#[expect(clippy::cast_precision_loss, reason = "a count of notifications that somebody looks at")]
fn is_hit(share: f64, number: u64) -> bool {
    (number as f64 * share).floor() > ((number - 1) as f64 * share).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(change: &str) -> Faults {
        let mut faults = Faults::default();
        faults.change(&serde_json::from_str(change).unwrap());
        faults
    }

    #[test]
    fn a_share_of_the_notifications_is_dropped_and_another_doubled() {
        let sent = |change: &str| {
            (0..100).map(|_| 0).scan(after(change), |faults, _: u64| Some(faults.next().len())).sum::<usize>()
        };
        for (change, expected) in [
            ("{}", 100),
            (r#"{"drop": true}"#, 0),
            (r#"{"drop": 0.25}"#, 75),
            (r#"{"double": 1}"#, 200),
            (r#"{"double": 0.1}"#, 110),
        ] {
            assert_eq!(sent(change), expected, "{change}");
        }
    }

    #[test]
    fn an_answer_is_lost_by_what_was_asked() {
        let faults = after(r#"{"lose": "watch"}"#);
        for (path, body, lost) in [
            ("/calendars/a/watch", "", true),
            ("/graphql.json", r#"{"query": "watch"}"#, true),
            ("/graphql.json", "{}", false),
        ] {
            assert_eq!(faults.loses(path, body.as_bytes()), lost, "{path} {body}");
        }
        assert!(!after("{}").loses("/calendars/a/watch", b""));
    }

    #[test]
    fn what_a_change_does_not_name_stays() {
        let mut faults = after(r#"{"quota": 5, "down": true, "delay_ms": 20}"#);
        faults.change(&serde_json::from_str(r#"{"down": false}"#).unwrap());
        assert_eq!((faults.quota, faults.down, faults.next()), (Some(5), false, vec![20]));
        faults.change(&serde_json::from_str(r#"{"quota": null, "reorder": true}"#).unwrap());
        assert_eq!((faults.quota, faults.next()), (None, vec![520]));
    }
}
