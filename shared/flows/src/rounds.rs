//! Rounds: who needs the same read at once shares one, and each is given a read that began after they asked.
//!
//! Single flight gives whoever comes late the result of work that began before; where the result must be as new as the request,
//! that is too old. Here one read is under way, and whoever asks meanwhile joins the next one, which begins when it has ended.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// How many keys there may be before those that nobody waits for are removed.
const CLEARED: usize = 256;

type Round<T> = Arc<futures::lock::Mutex<Option<T>>>;

/// The reads under way, by their key. Bounded by the requests under way.
pub(crate) struct Rounds<K, T>(Mutex<HashMap<K, Turn<T>>>);

struct Turn<T> {
    /// Held while a read is under way.
    gate: Arc<futures::lock::Mutex<()>>,
    /// The read that has not begun.
    next: Round<T>,
}

impl<T> Default for Turn<T> {
    fn default() -> Self {
        Self { gate: Arc::default(), next: Arc::default() }
    }
}

impl<K, T> Default for Rounds<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, T: Clone> Rounds<K, T> {
    /// The result of a read that begins from now on: of this one, or of one that others share. Where the one who reads is cut off,
    /// the next takes over.
    pub(crate) async fn join(&self, key: K, read: impl Future<Output = T>) -> T {
        let (gate, round) = self.turn(&key);
        let mut landed = round.lock().await;
        if let Some(result) = &*landed {
            return result.clone();
        }
        let _turn = gate.lock().await;
        self.begin(&key, &round);
        let result = read.await;
        *landed = Some(result.clone());
        result
    }

    fn turn(&self, key: &K) -> (Arc<futures::lock::Mutex<()>>, Round<T>) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= CLEARED && !turns.contains_key(key) {
            turns.retain(|_, turn| Arc::strong_count(&turn.gate) > 1 || Arc::strong_count(&turn.next) > 1);
        }
        let turn = turns.entry(key.clone()).or_default();
        (Arc::clone(&turn.gate), Arc::clone(&turn.next))
    }

    /// From here on others join the round after this one.
    fn begin(&self, key: &K, round: &Round<T>) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get_mut(key)
            && Arc::ptr_eq(&turn.next, round)
        {
            turn.next = Arc::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A read that takes two turns of the executor and says what the value was when it began.
    async fn read(value: &Cell<u32>, reads: &Cell<u32>) -> u32 {
        reads.set(reads.get() + 1);
        let began_with = value.get();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        began_with
    }

    #[tokio::test]
    async fn nobody_is_given_a_read_that_began_before_they_asked() {
        let (rounds, value, reads) = (Rounds::default(), Cell::new(0), Cell::new(0));
        let ask = async || {
            let asked_at = value.get();
            let given = rounds.join("key", read(&value, &reads)).await;
            assert!(given >= asked_at, "{given} was read before {asked_at} was there");
        };
        let readers = (0..40_u32).map(|number| {
            let (value, ask) = (&value, &ask);
            async move {
                for turn in 0..10 {
                    for _ in 0..(number + turn) % 5 {
                        tokio::task::yield_now().await;
                    }
                    value.set(value.get() + 1);
                    ask().await;
                }
            }
        });
        futures::future::join_all(readers).await;
        assert!(reads.get() < 200, "{} reads for 400 requests", reads.get());
    }

    #[tokio::test]
    async fn a_read_that_is_cut_off_is_taken_over_and_other_keys_do_not_wait() {
        let rounds = Rounds::default();
        let mut cut = Box::pin(rounds.join("key", std::future::pending::<u8>()));
        assert!(futures::poll!(&mut cut).is_pending());
        assert_eq!(rounds.join("other", std::future::ready(1)).await, 1);
        let mut next = Box::pin(rounds.join("key", std::future::ready(2)));
        assert!(futures::poll!(&mut next).is_pending(), "one read of a key is under way");
        drop(cut);
        assert_eq!(next.await, 2);
    }

    #[tokio::test]
    async fn keys_that_nobody_waits_for_are_cleared_away() {
        let rounds = Rounds::default();
        for key in 0..10 * CLEARED {
            rounds.join(key, std::future::ready(())).await;
        }
        assert!(rounds.0.lock().unwrap().len() <= CLEARED);
    }
}
