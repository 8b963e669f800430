//! Letting a mark go: it rests, ends, or waits for the one more run that hints asked for while the job was under way.

use std::time::Duration;

use jiff::Timestamp;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_store::ports::{Write, WriteFault};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// How often the end of a run is tried when hints come at the same time.
const ATTEMPTS: usize = 5;

/// What becomes of a job that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: its mark goes.
    Over,
    /// The job is due again then, for this reason.
    Scheduled(Timestamp, MarkReason),
    /// The job cannot be done; its mark is looked at then, or once somebody raises it.
    Parked(Timestamp),
}

/// A mark that a run holds.
pub(crate) struct Hold<'a> {
    pub(crate) ports: &'a Ports,
    /// The mark, as it was claimed.
    pub(crate) held: &'a Stored<Mark>,
    /// How long the one more run waits for more hints.
    pub(crate) debounce: Duration,
    pub(crate) now: Timestamp,
}

impl Hold<'_> {
    /// Lets the mark rest until the next step is due.
    pub(crate) async fn rest(&self, due_at: Timestamp) -> Result<(), Fault> {
        self.write(job::rest(&self.held.record, due_at)).await
    }

    /// Ends the job.
    pub(crate) async fn end(&self, next: Next) -> Result<Option<Mark>, Fault> {
        self.end_in(next, |end| self.write(end)).await
    }

    /// Ends the job by what `commit` does with the write of its end: all or nothing. Where hints came, the mark waits for one
    /// more run instead, and is returned.
    pub(crate) async fn end_in<F>(&self, next: Next, commit: impl Fn(Write) -> F) -> Result<Option<Mark>, Fault>
    where
        F: Future<Output = Result<(), Fault>>,
    {
        let mut last = self.held.clone();
        for _ in 0..ATTEMPTS {
            let (end, more) = self.decide(&last, next)?;
            let Err(fault) = commit(end).await else { return Ok(more) };
            let key = job::key(&last.record.tenant, &last.record.job, &last.record.resource);
            let stored = records::get::<Mark>(&*self.ports.table, &key).await?;
            let is_held = |stored: &Stored<Mark>| job::is_run_of(&stored.record, &self.held.record);
            match (stored.filter(is_held), fault) {
                (Some(stored), Fault::Retryable { .. }) => last = stored,
                (_, fault) => return Err(fault),
            }
        }
        Err(Fault::retryable("others change the same records all the time"))
    }

    /// The write that ends the job, for the mark as it was last read, and the mark of the one more run.
    fn decide(&self, last: &Stored<Mark>, next: Next) -> Result<(Write, Option<Mark>), Fault> {
        let Stored { rev, record: mark } = last;
        if mark.again {
            let soon = self.now + self.debounce;
            let more = match next {
                Next::Over | Next::Scheduled(..) => job::again(mark, soon, self.now),
                Next::Parked(_) => job::anew(mark, soon, self.now),
            };
            return Ok((job::store(Some(*rev), &more)?, Some(more)));
        }
        let end = match next {
            Next::Over => job::over(&self.held.record),
            Next::Scheduled(at, reason) => job::scheduled(self.held, at, reason)?,
            Next::Parked(at) => job::park(&self.held.record, at),
        };
        Ok((end, None))
    }

    /// Writes, past transactions that are under way with hints.
    async fn write(&self, write: Write) -> Result<(), Fault> {
        for _ in 0..ATTEMPTS {
            match self.ports.table.write(write.clone()).await {
                Ok(_) => return Ok(()),
                Err(WriteFault::Conflict) => {}
                Err(fault @ (WriteFault::Condition(_) | WriteFault::Fault(_))) => return Err(records::raced(fault)),
            }
        }
        Err(records::raced(WriteFault::Conflict))
    }
}
