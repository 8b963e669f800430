//! The mark after a run: it waits for the next one, whatever was raised meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use super::outcome::End;
use super::seen;
use crate::Ports;
use crate::jobs::hold::Next;
use crate::jobs::task::Task;
use hooktide_model::fault::Fault;
use hooktide_store::records::resource::{Resource, ResourceId};
use hooktide_store::records::{self, Upkeep};

/// How long a hint waits that nobody can settle, before it is looked at again.
const PARKED: Duration = Duration::from_secs(24 * 3600);

/// Lets the mark of a resource that nobody can read wait. A reading that is under way is given up: what is asked for meanwhile
/// wants one that begins later.
pub(super) async fn park(ports: &Ports, task: &Task<'_>, id: &ResourceId) -> Result<(), Fault> {
    let key = id.key(task.tenant);
    let stored = records::get::<Resource>(&*ports.table, &key).await?;
    if let Some(stored) = stored
        && let Some(under_way) = &stored.record.reading
    {
        let without = Resource { reading: None, ..stored.record.clone() };
        let write = records::replace(&key, Some(stored.rev), &without, Upkeep::default())?;
        ports.table.write(write).await.map_err(records::raced)?;
        seen::forget(ports, task.tenant, id, under_way).await;
    }
    wait(ports, task).await
}

async fn wait(ports: &Ports, task: &Task<'_>) -> Result<(), Fault> {
    task.end(ports, Next::Parked(task.now + PARKED)).await.map(drop)
}

/// Lets the mark wait until the next run is due, and sends its message.
pub(super) async fn until(ports: &Ports, task: &Task<'_>, end: End) -> Result<(), Fault> {
    match end {
        End::GoesOn => task.rest(ports, Duration::ZERO).await,
        End::Again(at) => task.rest(ports, until_then(at, task.now)).await,
        // Its reading is given up by now.
        End::Parked => wait(ports, task).await,
        End::Rests(None) => task.finish(ports).await,
        End::Rests(Some((at, reason))) => match task.end(ports, Next::Scheduled(at, reason)).await? {
            true => task.go_on(ports, until_then(at, task.now)).await,
            false => Ok(()),
        },
    }
}

fn until_then(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default()
}
