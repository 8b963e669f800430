//! The points of an app in a shop: what calls cost, and how fast that comes back.

use jiff::Timestamp;
use serde_json::{Value, json};

/// How many points there are at the most.
const MOST: i64 = 2_000;
/// How many points come back each second.
const RATE: i64 = 100;
/// How many points one call may cost.
pub(super) const MOST_A_CALL: i64 = 1_000;

/// The points.
#[derive(Debug)]
pub(super) struct Bucket {
    /// How many there were at `at`, in thousandths.
    thousandths: i64,
    at: Timestamp,
}

/// Why a call is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    /// There are not enough points now.
    Throttled,
    /// There are never enough.
    MaxCost,
}

impl Bucket {
    pub(super) fn new() -> Self {
        Self { thousandths: MOST * 1_000, at: Timestamp::MIN }
    }

    /// Takes what a call may cost.
    pub(super) fn take(&mut self, requested: i64, now: Timestamp) -> Result<(), TooMuch> {
        self.refill(now);
        if requested > MOST_A_CALL {
            return Err(TooMuch::MaxCost);
        }
        if self.thousandths < requested * 1_000 {
            return Err(TooMuch::Throttled);
        }
        self.thousandths -= requested * 1_000;
        Ok(())
    }

    /// Gives back what a call did not cost.
    pub(super) fn give_back(&mut self, points: i64) {
        self.thousandths = (self.thousandths + points * 1_000).min(MOST * 1_000);
    }

    /// Takes all points.
    pub(super) fn empty(&mut self, now: Timestamp) {
        self.refill(now);
        self.thousandths = 0;
    }

    /// What an answer says about its cost.
    pub(super) fn told(&self, requested: i64, actual: Option<i64>) -> Value {
        json!({
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": {
                "maximumAvailable": MOST,
                "currentlyAvailable": self.thousandths / 1_000,
                "restoreRate": RATE,
            },
        })
    }

    fn refill(&mut self, now: Timestamp) {
        let passed = now.as_millisecond().saturating_sub(self.at.as_millisecond()).max(0);
        self.thousandths = self.thousandths.saturating_add(passed.saturating_mul(RATE)).min(MOST * 1_000);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back_and_no_call_takes_more_than_there_are() {
        let at = |millisecond: i64| Timestamp::from_millisecond(1_000_000 + millisecond).unwrap();
        let mut bucket = Bucket::new();
        assert_eq!(bucket.take(1_001, at(0)), Err(TooMuch::MaxCost));
        assert_eq!((bucket.take(1_000, at(0)), bucket.take(1_000, at(0))), (Ok(()), Ok(())));
        assert_eq!(bucket.take(50, at(499)), Err(TooMuch::Throttled));
        assert_eq!(bucket.take(50, at(500)), Ok(()));
        bucket.give_back(40);
        assert_eq!(bucket.told(50, Some(10))["throttleStatus"]["currentlyAvailable"], 40);
        bucket.empty(at(501));
        assert_eq!(bucket.take(1, at(501)), Err(TooMuch::Throttled));
        assert_eq!(bucket.take(1_000, at(3_600_000)), Ok(()));
    }
}
