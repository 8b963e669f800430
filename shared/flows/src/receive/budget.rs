//! The budget for looking up keys that nobody knows: small, since whoever makes up ids spends calls that the provider
//! allows an app in a day; and apart for each source, so that one of them leaves the others theirs.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;

use super::limiter::Allowance;

/// How many sources and endpoints are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// What one network may cause at an endpoint: 1,470 look-ups a day.
const SOURCE: Rate = Rate { burst: 30, every: Duration::from_secs(60) };
/// What all together may cause at an endpoint: 5,860 look-ups a day. Of what is known to limit an app, 10,000 calls a day
/// are the fewest.
const ENDPOINT: Rate = Rate { burst: 100, every: Duration::from_secs(15) };

/// How much earlier a request may have come than one that was counted before it.
const OVERTAKING: Duration = Duration::from_secs(60);

/// So many at once, and one more in each interval.
#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    every: Duration,
}

impl Rate {
    /// Takes one of a bucket that will be full again at `full_at`; how long to wait, if it is empty.
    fn take(self, full_at: &mut Timestamp, now: Timestamp) -> Result<(), Duration> {
        // The bucket has been full for a while; or a clock was set back, and by more than requests may overtake each other.
        if !(now..=now + self.every * self.burst + OVERTAKING).contains(full_at) {
            *full_at = now;
        }
        let missing = full_at.duration_since(now).unsigned_abs();
        match (missing + self.every).checked_sub(self.every * self.burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => {
                *full_at += self.every;
                Ok(())
            }
        }
    }
}

/// When each bucket will be full again: an endpoint's, and those of the networks that send to it.
pub(super) struct KeyBudget(Mutex<LruCache<(String, Option<String>), Timestamp>>);

impl KeyBudget {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    /// Takes one look-up. What exceeds a network's part takes nothing from the endpoint's.
    pub(super) fn take(&self, endpoint: &str, network: &str, now: Timestamp) -> Allowance {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (rate, network) in [(SOURCE, Some(network.to_owned())), (ENDPOINT, None)] {
            let full_at = buckets.get_or_insert_mut((endpoint.to_owned(), network), || now);
            if let Err(wait) = rate.take(full_at, now) {
                return Allowance::Exceeded { retry_after: wait.as_secs().max(1) };
            }
        }
        Allowance::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    /// How many of `tries` are within.
    fn within(budget: &KeyBudget, network: &str, second: i64, tries: u32) -> u32 {
        let taken = |_: &u32| budget.take("e", network, at(second)) == Allowance::Within;
        u32::try_from((0..tries).filter(taken).count()).unwrap()
    }

    #[test]
    fn one_network_leaves_the_others_theirs() {
        let budget = KeyBudget::new();
        assert_eq!(within(&budget, "a", 0, 600), 30);
        assert_eq!(budget.take("e", "a", at(0)), Allowance::Exceeded { retry_after: 60 });
        assert_eq!(within(&budget, "b", 0, 1), 1);
        assert_eq!(within(&budget, "a", 60, 10), 1, "one more a minute");
        let others = (0..10).map(|number| within(&budget, &format!("c{number}"), 60, 30)).sum::<u32>();
        assert_eq!(others, 100 - 31 - 1 + 4, "and all together an endpoint's");
        assert_eq!(budget.take("f", "a", at(60)), Allowance::Within, "another endpoint has its own");
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let budget = KeyBudget::new();
        assert_eq!(within(&budget, "a", 1_000_000, 600), 30);
        assert_eq!(within(&budget, "a", 0, 600), 30);
    }

    #[test]
    fn a_day_costs_little_of_what_a_provider_allows() {
        let budget = KeyBudget::new();
        let taken: u32 = (0..24 * 3600).map(|second| within(&budget, &format!("{}", second % 97), second, 2)).sum();
        assert!((5_000..6_000).contains(&taken), "{taken}");
    }
}
