//! Claiming: one run at a time holds the mark of a job.

use std::time::Duration;

use jiff::Timestamp;

use crate::Ports;
use hooktide_model::envelope::Job;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{MAX_DELAY, WriteFault};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// How early the message of a scheduled job may come, in milliseconds, and still be the one for this mark.
const EARLY_MILLIS: i64 = 5_000;

/// Holds the mark of a job; `None` if the job is done. A step that comes too early, after another one, waits its time.
pub(super) async fn claim(ports: &Ports, job: &Job, now: Timestamp) -> Result<Option<Stored<Mark>>, Fault> {
    let key = job::key(&job.tenant, &job.job, &job.resource);
    let Some(stored) = records::get::<Mark>(&*ports.table, &key).await? else { return Ok(None) };
    let early = stored.record.due_at.saturating_sub(now.as_millisecond());
    let longest = i64::try_from(MAX_DELAY.as_millis()).unwrap_or(i64::MAX);
    // A job that is only scheduled has a message of its own: an early one that was put off would stay for ever.
    if stored.record.is_scheduled() && early > EARLY_MILLIS {
        return Ok(None);
    }
    if !stored.record.running && (1..=longest).contains(&early) {
        let detail = "the next step of the job is not due".to_owned();
        return Err(Fault::Retryable { detail, after: Some(Duration::from_millis(early.unsigned_abs())) });
    }
    let Some(mark) = job::claimed(&stored.record, now) else {
        let detail = "another run does this step".to_owned();
        return Err(Fault::Retryable { detail, after: Some(job::LEASE) });
    };
    match ports.table.write(job::store(Some(stored.rev), &mark)?).await {
        Ok(_) => Ok(Some(Stored { rev: stored.rev + 1, record: mark })),
        Err(WriteFault::Condition(_) | WriteFault::Conflict) => Err(Fault::retryable("another run took this step")),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}
