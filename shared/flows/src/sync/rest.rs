//! The mark after a run: it waits for the next one, whatever was raised meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use super::outcome::End;
use crate::Ports;
use crate::jobs::hold::Next;
use crate::jobs::task::Task;
use hooktide_model::fault::Fault;

/// How long a hint waits that nobody can settle, before it is looked at again.
const PARKED: Duration = Duration::from_secs(24 * 3600);

/// Lets the mark of a resource that nobody can read wait.
pub(super) async fn park(ports: &Ports, task: &Task<'_>) -> Result<(), Fault> {
    task.end(ports, Next::Parked(task.now + PARKED)).await.map(drop)
}

/// Lets the mark wait until the next run is due, and sends its message.
pub(super) async fn until(ports: &Ports, task: &Task<'_>, end: End) -> Result<(), Fault> {
    match end {
        End::GoesOn => task.rest(ports, Duration::ZERO).await,
        End::Again(at) => task.rest(ports, until_then(at, task.now)).await,
        End::Parked => park(ports, task).await,
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
