//! How many failed verifications, or look-ups of keys, an endpoint takes from one address; counted approximately, in bounded
//! memory.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;

/// How many counts there are at once.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Seconds of a window.
const WINDOW: i64 = 60;

/// Whether one more is within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// It is.
    Within,
    /// It is not, until the window ends.
    Exceeded {
        /// Seconds until then.
        retry_after: u64,
    },
}

/// What is counted, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Counted {
    /// What could not be verified, and handshakes.
    Failure,
    /// A key that was fetched and verified nothing.
    KeyLookup,
}

/// What is counted, of which endpoint, from which address.
type Window = (Counted, String, String);

/// Counts in fixed windows of a minute.
pub(super) struct AddressLimiter {
    windows: Mutex<LruCache<Window, (i64, u32)>>,
    limit: u32,
}

impl AddressLimiter {
    pub(super) fn new(limit: u32) -> Self {
        Self { windows: Mutex::new(LruCache::new(CAPACITY)), limit }
    }

    /// Whether one more would be within the limit; counts nothing.
    pub(super) fn allows(&self, what: Counted, endpoint: &str, source: &str, now: Timestamp) -> bool {
        self.add(what, endpoint, source, now, 0) < self.limit
    }

    /// Counts one more.
    pub(super) fn count(&self, what: Counted, endpoint: &str, source: &str, now: Timestamp) -> Allowance {
        if self.add(what, endpoint, source, now, 1) <= self.limit {
            Allowance::Within
        } else {
            let left = WINDOW - now.as_second().rem_euclid(WINDOW);
            Allowance::Exceeded { retry_after: u64::try_from(left).unwrap_or(1) }
        }
    }

    fn add(&self, what: Counted, endpoint: &str, source: &str, now: Timestamp, more: u32) -> u32 {
        let window = now.as_second().div_euclid(WINDOW);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = windows.get_or_insert_mut((what, endpoint.to_owned(), source.to_owned()), || (window, 0));
        if counted.0 != window {
            *counted = (window, 0);
        }
        counted.1 = counted.1.saturating_add(more);
        counted.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_limited_by_address_and_minute() {
        let limiter = AddressLimiter::new(2);
        let count = |what, endpoint, source, second| {
            limiter.count(what, endpoint, source, Timestamp::from_second(second).unwrap())
        };
        assert_eq!(count(Counted::Failure, "e", "1.1.1.1", 10), Allowance::Within);
        assert_eq!(count(Counted::Failure, "e", "1.1.1.1", 11), Allowance::Within);
        assert_eq!(count(Counted::Failure, "e", "1.1.1.1", 12), Allowance::Exceeded { retry_after: 48 });
        assert_eq!(count(Counted::KeyLookup, "e", "1.1.1.1", 12), Allowance::Within);
        assert_eq!(count(Counted::Failure, "e", "2.2.2.2", 12), Allowance::Within);
        assert_eq!(count(Counted::Failure, "f", "1.1.1.1", 12), Allowance::Within);
        assert_eq!(count(Counted::Failure, "e", "1.1.1.1", 60), Allowance::Within);
    }
}
