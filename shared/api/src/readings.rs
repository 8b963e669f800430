//! Readings of the feed that requests ask for: how many run at once.
//!
//! Each costs memory and the table's time, and clients may leave without waiting for what they asked. So a process has a
//! few at a time, and a tenant only some of these: the requests of one tenant queue among themselves, and take no places
//! from the others while they wait. Streams need no turn once they are open: of a tenant's, one reads for those that follow, and
//! one for those that are behind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::answer::{Answer, Refused};

/// How many readings a process has at once.
const AT_ONCE: usize = 32;
/// How many of them are one tenant's.
const OF_TENANT: usize = 16;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// After how many seconds a reader who was turned away may come again.
const LATER: u64 = 10;

/// The readings of a process.
pub(crate) struct Readings {
    all: Semaphore,
    tenants: Mutex<HashMap<Tenant, Arc<Semaphore>>>,
}

impl Default for Readings {
    fn default() -> Self {
        Self { all: Semaphore::new(AT_ONCE), tenants: Mutex::default() }
    }
}

/// A turn to read, until it is dropped. What is dropped first comes first.
pub(crate) struct Turn<'a> {
    _all: SemaphorePermit<'a>,
    _own: OwnedSemaphorePermit,
    _queue: Queue<'a>,
}

/// A place in the queue of a tenant, which lasts as long as anybody has one.
struct Queue<'a> {
    readings: &'a Readings,
    tenant: Tenant,
    places: Arc<Semaphore>,
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        let mut tenants = self.readings.tenants();
        // The map's and this one.
        if Arc::strong_count(&self.places) <= 2 {
            tenants.remove(&self.tenant);
        }
    }
}

impl Readings {
    /// Waits for a turn as long as a request can wait.
    pub(crate) async fn turn(&self, tenant: &Tenant) -> Answer<Turn<'_>> {
        let queue = self.queue(tenant);
        let places = async {
            let own = Arc::clone(&queue.places).acquire_owned().await.map_err(closed)?;
            Answer::Ok((own, self.all.acquire().await.map_err(closed)?))
        };
        let (own, all) = timeout(PATIENCE, places).await.unwrap_or_else(|_elapsed| Err(busy()))?;
        Ok(Turn { _all: all, _own: own, _queue: queue })
    }

    fn queue(&self, tenant: &Tenant) -> Queue<'_> {
        let mut tenants = self.tenants();
        let places = tenants.entry(tenant.clone()).or_insert_with(|| Arc::new(Semaphore::new(OF_TENANT)));
        Queue { readings: self, tenant: tenant.clone(), places: Arc::clone(places) }
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<Tenant, Arc<Semaphore>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn busy() -> Refused {
    let detail = "As many readings of the feed are under way as there may be: come again later, with the same cursor.";
    Refused::new(ProblemType::Unavailable, detail).retry_after(LATER)
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
        assert!(refused.is(ProblemType::Unavailable));
        for _ in OF_TENANT..AT_ONCE {
            turns.push(readings.turn(&other).await.unwrap());
        }
        assert!(readings.turn(&tenant("third")).await.is_err(), "all places are taken");
        turns.pop();
        assert!(readings.turn(&tenant("third")).await.is_ok(), "one that ends makes room");
        turns.clear();
        assert!(readings.tenants().is_empty(), "nothing is kept of who does not read");
    }
}
