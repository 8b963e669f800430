//! Remembered values: bounded in number, and each for a while.

use std::borrow::Borrow;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;

/// Values by their keys. The ones that nobody asked for in the longest time give way. A clock that was set back makes
/// everything stale, never everything fresh.
#[derive(Debug)]
pub struct Remembered<K: Hash + Eq, V> {
    entries: Mutex<Entries<K, V>>,
    overtaking: Duration,
}

#[derive(Debug)]
struct Entries<K: Hash + Eq, V> {
    by_key: LruCache<K, Entry<V>>,
    forgotten: u64,
}

#[derive(Debug, Clone)]
struct Entry<V> {
    since: Timestamp,
    until: Timestamp,
    value: V,
}

/// A reading that began: its result may be remembered unless something was forgotten meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Reading(u64);

impl<K: Hash + Eq, V: Clone> Remembered<K, V> {
    /// Nothing yet, and at most `capacity` values.
    pub fn new(capacity: NonZeroUsize) -> Self {
        let entries = Entries { by_key: LruCache::new(capacity), forgotten: 0 };
        Self { entries: Mutex::new(entries), overtaking: Duration::ZERO }
    }

    /// The same, where whoever asks may have read the clock so much earlier than whoever remembered the value.
    pub fn overtaken_by(self, overtaking: Duration) -> Self {
        Self { overtaking, ..self }
    }

    /// The value, while it is fresh.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Timestamp) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let mut entries = self.lock();
        let entry = entries.by_key.get(key)?;
        (entry.since - self.overtaking..entry.until).contains(&now).then(|| entry.value.clone())
    }

    /// The value, however old it is, and the time at which it was remembered.
    pub fn last<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<(Timestamp, V)>
    where
        K: Borrow<Q>,
    {
        self.lock().by_key.get(key).map(|entry| (entry.since, entry.value.clone()))
    }

    /// Remembers a value from now on for `life`.
    pub fn put(&self, key: K, value: V, life: Duration, now: Timestamp) {
        self.lock().by_key.put(key, Entry { since: now, until: now + life, value });
    }

    /// Remembers what a value makes of the one that was remembered, however old that is.
    pub fn merge(&self, key: K, value: V, life: Duration, now: Timestamp, merged: impl Fn(V, V) -> V) {
        let mut entries = self.lock();
        let value = match entries.by_key.get(&key) {
            Some(entry) => merged(entry.value.clone(), value),
            None => value,
        };
        entries.by_key.put(key, Entry { since: now, until: now + life, value });
    }

    /// Begins a reading.
    pub fn begin(&self) -> Reading {
        Reading(self.lock().forgotten)
    }

    /// Remembers the result of a reading, unless something was forgotten since it began: it may be what was forgotten.
    pub fn finish(&self, reading: Reading, key: K, value: V, life: Duration, now: Timestamp) {
        let mut entries = self.lock();
        if entries.forgotten == reading.0 {
            entries.by_key.put(key, Entry { since: now, until: now + life, value });
        }
    }

    /// Forgets a value.
    pub fn forget<Q: Hash + Eq + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut entries = self.lock();
        entries.by_key.pop(key);
        entries.forgotten += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Remembered<K, ()> {
    /// Whether nobody took the key's turn within `life` before; then the turn is taken.
    pub fn take_turn(&self, key: K, life: Duration, now: Timestamp) -> bool {
        let mut entries = self.lock();
        let taken = entries.by_key.get(&key).is_some_and(|entry| (entry.since..entry.until).contains(&now));
        if !taken {
            entries.by_key.put(key, Entry { since: now, until: now + life, value: () });
        }
        !taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const CAPACITY: NonZeroUsize = NonZeroUsize::new(4).unwrap();

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    proptest! {
        #[test]
        fn a_value_is_the_last_one_and_never_older_than_its_life(
            steps in prop::collection::vec((0_u8..3, 0_u8..6, 0_i64..100, 1_u64..50), 1..200),
        ) {
            let remembered = Remembered::new(CAPACITY);
            let mut put: HashMap<u8, (i64, u64, usize)> = HashMap::new();
            for (number, (step, key, second, life)) in steps.into_iter().enumerate() {
                match step {
                    0 => {
                        remembered.put(key, number, Duration::from_secs(life), at(second));
                        put.insert(key, (second, life, number));
                    }
                    1 => {
                        remembered.forget(&key);
                        put.remove(&key);
                    }
                    _ => {
                        if let Some(value) = remembered.get(&key, at(second)) {
                            let (since, life, last) = put[&key];
                            prop_assert_eq!(value, last);
                            prop_assert!((since..since + i64::try_from(life).unwrap()).contains(&second));
                        }
                    }
                }
                prop_assert!(remembered.lock().by_key.len() <= CAPACITY.get());
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_everything_stale_but_for_those_who_were_overtaken() {
        let strict = Remembered::new(CAPACITY);
        let lenient = Remembered::new(CAPACITY).overtaken_by(Duration::from_secs(5));
        for remembered in [&strict, &lenient] {
            remembered.put("key", 1, Duration::from_secs(10), at(10));
        }
        for (second, in_strict, in_lenient) in [
            (4, false, false),
            (5, false, true),
            (9, false, true),
            (10, true, true),
            (19, true, true),
            (20, false, false),
        ] {
            let found = [&strict, &lenient].map(|remembered| remembered.get("key", at(second)).is_some());
            assert_eq!(found, [in_strict, in_lenient], "{second}");
        }
        assert_eq!(strict.last("key"), Some((at(10), 1)));
    }

    #[test]
    fn what_was_forgotten_while_it_was_read_is_not_remembered() {
        let remembered = Remembered::new(CAPACITY);
        let (life, now) = (Duration::from_secs(10), at(0));
        let (before, reading) = (remembered.begin(), remembered.begin());
        remembered.finish(before, "key", 1, life, now);
        remembered.forget("key");
        remembered.finish(reading, "key", 1, life, now);
        assert_eq!(remembered.get("key", now), None);
        remembered.finish(remembered.begin(), "key", 2, life, now);
        assert_eq!(remembered.get("key", now), Some(2));
    }

    #[test]
    fn a_turn_is_taken_once_in_its_life() {
        let turns = Remembered::new(CAPACITY);
        let take = |key, second| turns.take_turn(key, Duration::from_secs(60), at(second));
        assert!(take("a", 10) && !take("a", 10) && !take("a", 69) && take("a", 70));
        assert!(take("b", 10), "another key has its own");
        assert!(take("a", 5), "a clock that was set back locks nobody out");
    }
}
