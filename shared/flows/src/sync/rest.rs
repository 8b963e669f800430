//! The mark after a run: it waits for the next one, whatever was raised meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::outcome::End;
use crate::Ports;
use crate::jobs::task::Task;
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_store::ports::{MAX_DELAY, Write, WriteFault};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// How long a hint waits that nobody can settle, before it is looked at again.
const PARKED: Duration = Duration::from_secs(24 * 3600);
/// How often the end of a run is tried when hints come at the same time.
const ATTEMPTS: usize = 5;

/// Lets the mark of a resource that nobody can read wait.
pub(super) async fn park(ports: &Ports, task: &Task<'_>) -> Result<(), Fault> {
    let waits = |mark: &Mark| Some(job::resting(mark, task.now + PARKED));
    settle(ports, task, waits).await.map(drop)
}

/// Lets the mark wait until the next run is due, and sends its message.
pub(super) async fn until(ports: &Ports, task: &Task<'_>, end: End) -> Result<(), Fault> {
    let now = task.now;
    let after = move |mark: &Mark| match end {
        _ if mark.again => Some(job::resting(
            &Mark { first_hint_at: now.as_millisecond(), ..mark.clone() },
            now + task.settings.debounce,
        )),
        End::GoesOn => Some(job::resting(mark, now)),
        End::Again(at) => Some(job::resting(mark, at)),
        End::Parked => Some(job::resting(mark, now + PARKED)),
        End::Rests(Some((at, reason))) => Some(scheduled(mark, at, reason)),
        End::Rests(None) => None,
    };
    let Some(mark) = settle(ports, task, after).await? else { return Ok(()) };
    let pause = Duration::from_millis(u64::try_from(mark.due_at - now.as_millisecond()).unwrap_or(0));
    // What is due later is sent by the poller.
    if pause <= MAX_DELAY { task.go_on(ports, pause).await } else { Ok(()) }
}

/// The mark of a sync that is scheduled.
fn scheduled(mark: &Mark, at: Timestamp, reason: MarkReason) -> Mark {
    let resting = job::resting(mark, at);
    Mark { hints: 0, reasons: BTreeMap::from([(reason, 1)]), first_hint_at: at.as_millisecond(), ..resting }
}

/// Stores what becomes of the mark, as long as this run still holds it; `None` if the mark goes.
async fn settle(ports: &Ports, task: &Task<'_>, after: impl Fn(&Mark) -> Option<Mark>) -> Result<Option<Mark>, Fault> {
    let mut held = task.held.clone();
    for _ in 0..ATTEMPTS {
        let mark = after(&held.record);
        let key = job::key(task.tenant, &held.record.job, &held.record.resource);
        let write = match &mark {
            Some(mark) => job::store(Some(held.rev), mark)?,
            None => Write::Delete { key: key.clone(), condition: Some(records::unchanged(held.rev)) },
        };
        match ports.table.write(write).await {
            Ok(_) => return Ok(mark),
            Err(WriteFault::Fault(fault)) => return Err(fault),
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
        }
        // A hint may have been folded into it.
        let stored: Option<Stored<Mark>> = records::get(&*ports.table, &key).await?;
        let Some(stored) = stored.filter(|stored| stored.record.fence == held.record.fence) else {
            return Err(Fault::retryable("another run took the job over"));
        };
        held = stored;
    }
    Err(Fault::retryable("hints come all the time"))
}
