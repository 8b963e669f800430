//! A task: one step of a job, by a run that holds its mark.

use std::time::Duration;

use futures::TryFutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::announce;
use super::hold::{Hold, Next};
use crate::commit::Committer;
use crate::commit::journal::Journal;
use crate::{Ports, Settings};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{MAX_DELAY, Write};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// A kind of job, and the function that does a step of it.
pub struct Runner {
    /// The kind.
    pub kind: JobKind,
    /// Does a step. A fault is settled like that of any message, and the step is done again.
    pub(crate) step: for<'a> fn(&'a Ports, &'a Journal, Task<'a>) -> BoxFuture<'a, Result<(), Fault>>,
}

/// One step of a job.
pub(crate) struct Task<'a> {
    pub(crate) tenant: &'a Tenant,
    /// The object of the work: a resource, or the id of a replay or request.
    pub(crate) id: &'a str,
    pub(crate) envelope: &'a Envelope,
    /// The mark, as this run holds it.
    pub(crate) held: Stored<Mark>,
    /// How long a job waits for more hints.
    pub(crate) debounce: Duration,
    /// The operator's settings.
    pub(crate) settings: &'a Settings,
    /// Commits what the job finds.
    pub(crate) committer: &'a Committer,
    /// Whether the run has no more time.
    pub(crate) is_over: &'a (dyn Fn() -> bool + Sync),
    pub(crate) now: Timestamp,
}

impl Task<'_> {
    fn hold<'a>(&'a self, ports: &'a Ports) -> Hold<'a> {
        Hold { ports, held: &self.held, debounce: self.debounce, now: self.now }
    }

    /// Ends the job. Returns whether it ended as it was to, and not with one more run.
    pub(crate) async fn end(&self, ports: &Ports, next: Next) -> Result<bool, Fault> {
        let more = self.hold(ports).end(next).await?;
        Ok(self.once_more(ports, more).await)
    }

    /// Ends the job, where nothing is left of what it was to work on.
    pub(crate) async fn finish(&self, ports: &Ports) -> Result<(), Fault> {
        self.end(ports, Next::Over).await.map(drop)
    }

    /// Ends the job in one transaction with these writes.
    pub(crate) async fn finish_with(&self, ports: &Ports, writes: &[Write]) -> Result<(), Fault> {
        let all = |end| ports.table.transact([writes, &[end]].concat());
        self.finish_in(ports, |end| all(end).map_err(records::overtaken)).await
    }

    /// Ends the job by what `commit` does with the write of its end: all or nothing.
    pub(crate) async fn finish_in<F>(&self, ports: &Ports, commit: impl Fn(Write) -> F) -> Result<(), Fault>
    where
        F: Future<Output = Result<(), Fault>>,
    {
        let more = self.hold(ports).end_in(Next::Over, commit).await?;
        self.once_more(ports, more).await;
        Ok(())
    }

    /// Announces the one more run, if hints asked for it; whether none did.
    async fn once_more(&self, ports: &Ports, more: Option<Mark>) -> bool {
        if let Some(mark) = &more {
            announce::announce(ports, mark, self.now).await;
        }
        more.is_none()
    }

    /// The write that lets the mark rest until the next step is due, in this long.
    pub(crate) fn rested(&self, pause: Duration) -> Write {
        job::rest(&self.held.record, self.now + pause)
    }

    /// Lets the mark rest until the next step is due, in this long, and sends the message of that step.
    pub(crate) async fn rest(&self, ports: &Ports, pause: Duration) -> Result<(), Fault> {
        self.hold(ports).rest(self.now + pause).await?;
        self.go_on(ports, pause).await
    }

    /// Sends the message of the next step, once its mark is stored. What is due later than a queue can hold it back is sent by
    /// [the poller](super::due::jobs).
    pub(crate) async fn go_on(&self, ports: &Ports, pause: Duration) -> Result<(), Fault> {
        if pause > MAX_DELAY {
            return Ok(());
        }
        let next = Envelope { attempt: 0, deferred: 0, not_before: None, ..self.envelope.clone() };
        announce::send(ports, &next, pause).await
    }
}
