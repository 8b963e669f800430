//! Which groups are worked on, so that one whose messages take long leaves receivers for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hooktide_store::ports::Source;

type Counts = HashMap<(Source, String), usize>;

/// How many claims of each group are under way; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct AtWork(Arc<Mutex<Counts>>);

impl AtWork {
    /// Whether so many claims hold messages of a group already.
    pub(super) fn has(&self, source: Source, group: &str, most: usize) -> bool {
        self.lock().get(&(source, group.to_owned())).is_some_and(|count| *count >= most)
    }

    /// Counts a claim of these groups until it is dropped.
    pub(super) fn claim(&self, source: Source, groups: Vec<String>) -> Claim {
        for group in &groups {
            *self.lock().entry((source, group.clone())).or_default() += 1;
        }
        Claim { counts: self.clone(), source, groups }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work on some messages: their groups are busy until it is dropped.
#[derive(Debug)]
#[must_use = "the groups are free again once it is dropped"]
pub struct Claim {
    counts: AtWork,
    source: Source,
    groups: Vec<String>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        for group in self.groups.drain(..) {
            let key = (self.source, group);
            if let Some(count) = counts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&key);
                }
            }
        }
    }
}
