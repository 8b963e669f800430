//! Single flight: work that many requests need at once is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How many entries there may be before those without a waiter are removed.
const CLEARED: usize = 256;

type Flight<T> = futures::lock::Mutex<Option<T>>;

/// The work under way, by its key. Bounded by the requests under way.
pub(crate) struct Flights<K, T>(Mutex<HashMap<K, Weak<Flight<T>>>>);

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T: Clone> Flights<K, T> {
    /// Does the work, or takes the result of whoever does it already, if it is of use to others. Where that one is cut off,
    /// the next takes over.
    pub(crate) async fn once(&self, key: K, work: impl Future<Output = T>, is_shared: fn(&T) -> bool) -> T {
        let flight = self.flight(key);
        let mut landed = flight.lock().await;
        if let Some(result) = &*landed {
            return result.clone();
        }
        let result = work.await;
        if is_shared(&result) {
            *landed = Some(result.clone());
        }
        result
    }

    fn flight(&self, key: K) -> Arc<Flight<T>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return flight;
        }
        if flights.len() >= CLEARED {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::new(Flight::new(None));
        flights.insert(key, Arc::downgrade(&flight));
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_many_want_at_once_is_done_once() {
        let (flights, done) = (Flights::default(), Cell::new(0));
        let work = |key| {
            let done = &done;
            let work = async move {
                tokio::task::yield_now().await;
                done.set(done.get() + 1);
                done.get()
            };
            flights.once(key, work, |_| true)
        };
        let results = futures::future::join_all((0..100).map(|number| work(number % 2))).await;
        assert_eq!(done.get(), 2, "once for each key");
        assert!(results.iter().all(|result| [1, 2].contains(result)));
        assert_eq!(work(0).await, 3, "and again when nobody waits any more");
    }

    #[tokio::test]
    async fn what_is_of_no_use_to_others_is_done_by_each() {
        let flights = Flights::default();
        let work = |number: u32| {
            let work = async move {
                tokio::task::yield_now().await;
                number
            };
            flights.once("key", work, |_| false)
        };
        assert_eq!(futures::join!(work(1), work(2), work(3)), (1, 2, 3));
    }

    #[tokio::test]
    async fn work_that_is_cut_off_is_taken_over() {
        let flights = Flights::default();
        let mut cut = Box::pin(flights.once("key", std::future::pending::<u8>(), |_| true));
        assert!(futures::poll!(&mut cut).is_pending());
        let next = flights.once("key", std::future::ready(2), |_| true);
        drop(cut);
        assert_eq!(next.await, 2);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_cleared_away() {
        let flights = Flights::default();
        for key in 0..10 * CLEARED {
            flights.once(key, std::future::ready(()), |()| true).await;
        }
        assert!(flights.0.lock().unwrap().len() <= CLEARED);
    }
}
