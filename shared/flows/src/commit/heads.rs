//! The ends of the journal's lanes that this process has seen. They save the look-up as long as no other writer takes
//! the lane.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::lock::{Mutex, MutexGuard};
use jiff::Timestamp;

use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Table;
use hooktide_store::records::journal::{self, Head};
use hooktide_store::remembered::Remembered;

/// How long a remembered end is trusted: far less than any item is kept.
const TRUSTED: Duration = Duration::from_secs(3600);
/// How many lanes' ends a process remembers.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// How many lanes may be appended to at once by one process.
const TURNS: usize = 1024;

/// The ends of lanes, by tenant and lane.
#[derive(Debug)]
pub(super) struct Heads {
    ends: Remembered<(Tenant, u8), u64>,
    turns: Vec<Mutex<()>>,
}

impl Default for Heads {
    fn default() -> Self {
        Self { ends: Remembered::new(REMEMBERED), turns: (0..TURNS).map(|_| Mutex::new(())).collect() }
    }
}

impl Heads {
    /// Waits for a turn at a lane: of two writers in one process that took the same place, one would do its work for nothing.
    pub(super) async fn turn(&self, tenant: &Tenant, lane: u8) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        (tenant, lane).hash(&mut hasher);
        let turn = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default();
        self.turns[turn].lock().await
    }

    /// The remembered or stored end of a lane.
    pub(super) async fn find(
        &self,
        table: &dyn Table,
        tenant: &Tenant,
        lane: u8,
        now: Timestamp,
    ) -> Result<Head, Fault> {
        match self.ends.get(&(tenant.clone(), lane), now) {
            Some(position) => Ok(Head::At(position)),
            None => journal::head(table, tenant, lane, now).await,
        }
    }

    /// Remembers a position that certainly exists.
    pub(super) fn remember(&self, tenant: &Tenant, at: JournalPlace, now: Timestamp) {
        let key = (tenant.clone(), at.lane);
        self.ends.merge(key, at.position, TRUSTED, now, u64::max);
    }

    /// Forgets a lane, because another writer was faster.
    pub(super) fn forget(&self, tenant: &Tenant, lane: u8) {
        self.ends.forget(&(tenant.clone(), lane));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_head_never_goes_back_and_is_not_trusted_for_long() {
        let heads = Heads::default();
        let (tenant, now) = (Tenant::system(), Timestamp::UNIX_EPOCH);
        heads.remember(&tenant, JournalPlace { lane: 0, position: 9 }, now);
        heads.remember(&tenant, JournalPlace { lane: 0, position: 4 }, now);
        assert_eq!(heads.ends.last(&(tenant, 0)), Some((now, 9)));
    }
}
