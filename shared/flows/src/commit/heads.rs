//! The ends of the journal's lanes that this process has seen. They spare the look-up as long as no other writer takes the
//! lane.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;

use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Table;
use hooktide_store::records::entity::Journaled;
use hooktide_store::records::journal::{self, Head};

/// How long a remembered end is trusted: far less than any item is kept.
const TRUSTED: Duration = Duration::from_secs(3600);
/// How many lanes' ends a process remembers.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// The ends of lanes, by tenant and lane.
#[derive(Debug)]
pub(super) struct Heads(Mutex<LruCache<(Tenant, u8), (u64, Timestamp)>>);

impl Default for Heads {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Heads {
    /// The remembered or stored end of a lane.
    pub(super) async fn find(
        &self,
        table: &dyn Table,
        tenant: &Tenant,
        lane: u8,
        now: Timestamp,
    ) -> Result<Head, Fault> {
        let known = self.lock().get(&(tenant.clone(), lane)).copied();
        match known {
            Some((position, seen)) if (seen..seen + TRUSTED).contains(&now) => Ok(Head::At(position)),
            _ => journal::head(table, tenant, lane, now).await,
        }
    }

    /// Remembers a position that certainly exists.
    pub(super) fn remember(&self, tenant: &Tenant, at: Journaled, now: Timestamp) {
        let mut heads = self.lock();
        match heads.get_mut(&(tenant.clone(), at.lane)) {
            Some(known) if known.0 >= at.position => known.1 = now,
            _ => drop(heads.put((tenant.clone(), at.lane), (at.position, now))),
        }
    }

    /// Forgets a lane, because another writer was faster.
    pub(super) fn forget(&self, tenant: &Tenant, lane: u8) {
        self.lock().pop(&(tenant.clone(), lane));
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(Tenant, u8), (u64, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_head_never_goes_back_and_is_not_trusted_for_long() {
        let heads = Heads::default();
        let (tenant, now) = (Tenant::system(), Timestamp::UNIX_EPOCH);
        heads.remember(&tenant, Journaled { lane: 0, position: 9 }, now);
        heads.remember(&tenant, Journaled { lane: 0, position: 4 }, now);
        assert_eq!(heads.lock().peek(&(tenant, 0)).copied(), Some((9, now)));
    }
}
