//! How many failed verifications an endpoint takes from one network; counted approximately, in bounded memory.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;

/// The most counts at once.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Seconds of a window.
const WINDOW: i64 = 60;

/// Whether one more is within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowance {
    /// One more is within the limit.
    Within,
    /// The limit is exceeded until the window ends.
    Exceeded {
        /// Seconds until then.
        retry_after: u64,
    },
}

/// The endpoint, and the network that the requests come from.
type Sender = (String, String);

/// Counts in fixed windows of a minute.
pub(super) struct AddressLimiter {
    windows: Mutex<LruCache<Sender, (i64, u32)>>,
    limit: u32,
}

impl AddressLimiter {
    pub(super) fn new(limit: u32) -> Self {
        Self { windows: Mutex::new(LruCache::new(CAPACITY)), limit }
    }

    /// Counts one more.
    pub(super) fn count(&self, endpoint: &str, network: &str, now: Timestamp) -> Allowance {
        let window = now.as_second().div_euclid(WINDOW);
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = windows.get_or_insert_mut((endpoint.to_owned(), network.to_owned()), || (window, 0));
        if counted.0 != window {
            *counted = (window, 0);
        }
        counted.1 = counted.1.saturating_add(1);
        if counted.1 <= self.limit {
            Allowance::Within
        } else {
            let left = WINDOW - now.as_second().rem_euclid(WINDOW);
            Allowance::Exceeded { retry_after: u64::try_from(left).unwrap_or(1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_limited_by_address_and_minute() {
        let limiter = AddressLimiter::new(2);
        let count = |endpoint, source, second| limiter.count(endpoint, source, Timestamp::from_second(second).unwrap());
        assert_eq!(count("e", "1.1.1.1", 10), Allowance::Within);
        assert_eq!(count("e", "1.1.1.1", 11), Allowance::Within);
        assert_eq!(count("e", "1.1.1.1", 12), Allowance::Exceeded { retry_after: 48 });
        assert_eq!(count("e", "2.2.2.2", 12), Allowance::Within);
        assert_eq!(count("f", "1.1.1.1", 12), Allowance::Within);
        assert_eq!(count("e", "1.1.1.1", 60), Allowance::Within);
    }
}
