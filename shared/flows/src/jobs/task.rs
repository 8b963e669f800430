//! A task: one step of a job, by a run that holds its mark.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::announce;
use crate::commit::Committer;
use crate::commit::journal::Journal;
use crate::{Ports, Settings};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
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
    /// The write that ends the job. It fails where somebody else runs it by now.
    pub(crate) fn finished(&self) -> Result<Write, Fault> {
        job::finish(&self.held, self.debounce, self.now)
    }

    /// Ends the job, where nothing is left of what it was to work on.
    pub(crate) async fn finish(&self, ports: &Ports) -> Result<(), Fault> {
        ports.table.write(self.finished()?).await.map(drop).map_err(records::raced)
    }

    /// The write that lets the mark go until the next step is due, in this long.
    pub(crate) fn rested(&self, pause: Duration) -> Result<Write, Fault> {
        job::store(Some(self.held.rev), &job::resting(&self.held.record, self.now + pause))
    }

    /// Sends the message of the next step, when the mark that rests is stored.
    pub(crate) async fn go_on(&self, ports: &Ports, pause: Duration) -> Result<(), Fault> {
        let next = Envelope { attempt: 0, deferred: 0, not_before: None, ..self.envelope.clone() };
        announce::send(ports, &next, pause).await
    }
}
