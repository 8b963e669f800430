//! Readings of the feed, and makings of lists and figures, that requests ask for: how many run at once.
//!
//! Each costs memory and the table's time, and clients may leave without waiting for what they asked. So a process has a
//! few at a time, and a tenant only some of these: the requests of one tenant queue among themselves, and take no places
//! from the others while they wait. Streams need no turn once they are open: of a tenant's, one reads for those that follow, and
//! one for those that are behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::answer::{Answer, Refused};

/// How many readings a process has at once.
const AT_ONCE: usize = 32;
/// How many of them are one tenant's.
const OF_TENANT: usize = 16;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// After how many seconds a reader who was turned away may come again.
pub(crate) const LATER: u64 = 10;

/// The readings of a process.
pub(crate) struct Readings {
    all: Semaphore,
    /// The places of tenants that read, or wait to.
    tenants: Mutex<HashMap<Tenant, Weak<Semaphore>>>,
}

impl Default for Readings {
    fn default() -> Self {
        Self { all: Semaphore::new(AT_ONCE), tenants: Mutex::default() }
    }
}

/// A turn to read, until it is dropped.
pub(crate) struct Turn<'a> {
    _all: SemaphorePermit<'a>,
    _own: OwnedSemaphorePermit,
}

impl Readings {
    /// Waits for a turn as long as a request can wait: first among the tenant's, then among all.
    pub(crate) async fn turn(&self, tenant: &Tenant) -> Answer<Turn<'_>> {
        let until = Instant::now() + PATIENCE;
        let own = timeout_at(until, self.places(tenant).acquire_owned()).await;
        let own = own.map_err(|_elapsed| too_many(ProblemType::Limited, "a tenant may have"))?.map_err(closed)?;
        let all = timeout_at(until, self.all.acquire()).await;
        let all = all.map_err(|_elapsed| too_many(ProblemType::Unavailable, "there may be"))?.map_err(closed)?;
        Ok(Turn { _all: all, _own: own })
    }

    fn places(&self, tenant: &Tenant) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|_, places| places.strong_count() > 0);
        if let Some(places) = tenants.get(tenant).and_then(Weak::upgrade) {
            return places;
        }
        let places = Arc::new(Semaphore::new(OF_TENANT));
        tenants.insert(tenant.clone(), Arc::downgrade(&places));
        places
    }
}

fn too_many(problem: ProblemType, bound: &str) -> Refused {
    let detail =
        format!("As many readings of the feed are under way as {bound}: come again later, with the same cursor.");
    Refused::new(problem, detail).retry_after(LATER)
}

fn closed(_error: AcquireError) -> Refused {
    Fault::failed("the feed is read no more").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> Tenant {
        Tenant::parse(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_that_reads_too_much_waits_for_itself_and_holds_up_no_other() {
        let readings = Readings::default();
        let (greedy, other) = (tenant("greedy"), tenant("other"));
        let mut turns = Vec::new();
        for _ in 0..OF_TENANT {
            turns.push(readings.turn(&greedy).await.unwrap());
        }
        let refused = readings.turn(&greedy).await.err().unwrap();
        assert!(refused.is(ProblemType::Limited));
        for _ in OF_TENANT..AT_ONCE {
            turns.push(readings.turn(&other).await.unwrap());
        }
        let refused = readings.turn(&tenant("third")).await.err().unwrap();
        assert!(refused.is(ProblemType::Unavailable), "all places are taken");
        turns.pop();
        assert!(readings.turn(&tenant("third")).await.is_ok(), "one that ends makes room");
        turns.clear();
        drop(readings.turn(&other).await);
        assert_eq!(readings.tenants.lock().unwrap().len(), 1, "nothing is kept of who does not read");
    }
}
