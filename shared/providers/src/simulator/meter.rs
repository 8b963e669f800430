//! The calls of a simulated API: how many there were of each kind, and how many are allowed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

/// The length of the time for which calls are bounded, in seconds.
const MINUTE: i64 = 60;

/// The calls of an account.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    limit: Option<u32>,
    minute: i64,
    used: u32,
    calls: BTreeMap<String, u64>,
}

impl Meter {
    /// Bounds the calls of each minute; `None` lifts the bound.
    pub(crate) fn limit(&mut self, calls_per_minute: Option<u32>) {
        self.limit = calls_per_minute;
    }

    /// Counts a call of that kind. An error if it is one too many: how many seconds are left until the next is allowed.
    pub(crate) fn take(&mut self, kind: &str, now: Timestamp) -> Result<(), i64> {
        *self.calls.entry(kind.to_owned()).or_default() += 1;
        let second = now.as_second();
        if second.div_euclid(MINUTE) != self.minute {
            (self.minute, self.used) = (second.div_euclid(MINUTE), 0);
        }
        if self.limit.is_some_and(|limit| self.used >= limit) {
            return Err(MINUTE - second.rem_euclid(MINUTE));
        }
        self.used += 1;
        Ok(())
    }

    /// The counts of all calls, by their kinds.
    pub(crate) fn calls(&self) -> Value {
        json!(self.calls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_beyond_the_bound_wait_for_the_next_minute() {
        let at = |second: i64| Timestamp::from_second(600 + second).unwrap();
        let mut meter = Meter::default();
        meter.limit(Some(2));
        assert_eq!((meter.take("a", at(1)), meter.take("b", at(50))), (Ok(()), Ok(())));
        assert_eq!((meter.take("a", at(59)), meter.take("a", at(60))), (Err(1), Ok(())));
        meter.limit(None);
        assert_eq!((meter.take("a", at(61)), meter.take("a", at(62))), (Ok(()), Ok(())));
        assert_eq!(meter.calls(), json!({ "a": 5, "b": 1 }));
    }
}
