//! How many failed verifications, or look-ups of keys, an endpoint takes from one address; counted approximately, in bounded
//! memory.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;

/// How many pairs of endpoint and address are counted at once.
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

/// Counts in fixed windows of a minute.
pub(super) struct AddressLimiter {
    windows: Mutex<LruCache<(String, String), (i64, u32)>>,
    limit: u32,
}

impl AddressLimiter {
    pub(super) fn new(limit: u32) -> Self {
        Self { windows: Mutex::new(LruCache::new(CAPACITY)), limit }
    }

    /// Whether one more would be within the limit; counts nothing.
    pub(super) fn allows(&self, endpoint: &str, source: &str, now: Timestamp) -> bool {
        self.add(endpoint, source, now, 0) < self.limit
    }

    /// Counts one more.
    pub(super) fn count(&self, endpoint: &str, source: &str, now: Timestamp) -> Allowance {
        if self.add(endpoint, source, now, 1) <= self.limit {
            Allowance::Within
        } else {
            let left = WINDOW - now.as_second().rem_euclid(WINDOW);
            Allowance::Exceeded { retry_after: u64::try_from(left).unwrap_or(1) }
        }
    }

    fn add(&self, endpoint: &str, source: &str, now: Timestamp, more: u32) -> u32 {
        let window = now.as_second().div_euclid(WINDOW);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = windows.get_or_insert_mut((endpoint.to_owned(), source.to_owned()), || (window, 0));
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
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(limiter.count("e", "1.1.1.1", at(10)), Allowance::Within);
        assert_eq!(limiter.count("e", "1.1.1.1", at(11)), Allowance::Within);
        assert_eq!(limiter.count("e", "1.1.1.1", at(12)), Allowance::Exceeded { retry_after: 48 });
        assert_eq!(limiter.count("e", "2.2.2.2", at(12)), Allowance::Within);
        assert_eq!(limiter.count("f", "1.1.1.1", at(12)), Allowance::Within);
        assert_eq!(limiter.count("e", "1.1.1.1", at(60)), Allowance::Within);
    }
}
