//! The syncer: does jobs, one step a message.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use tracing::{error, warn};

use super::claim::claim;
use super::run::runner;
use super::task::Task;
use crate::commit::Committer;
use crate::commit::journal::Journal;
use crate::message::Message;
use crate::settle::{Settler, Unprocessed, soonest};
use crate::{Ports, Settings};
use hooktide_model::envelope::{Envelope, EnvelopeFault, EnvelopeKind, Job};
use hooktide_model::fault::Fault;
use hooktide_store::ports::QueueName;
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark};

/// How long a job of a kind that this code does not know waits before it is looked at again.
const UNKNOWN_WAITS: Duration = Duration::from_secs(60);

/// Does jobs.
pub struct Syncer {
    ports: Ports,
    journal: Arc<Journal>,
    settler: Settler,
    committer: Committer,
    settings: Settings,
}

impl Syncer {
    /// A syncer that has done nothing yet.
    pub fn new(ports: Ports, settings: &Settings) -> Self {
        let journal = Arc::new(Journal::new(&ports, settings));
        let settler = Settler::new(ports.clone(), settings, Arc::clone(&journal));
        let committer = Committer::new(ports.clone(), settings, Arc::clone(&journal));
        Self { ports, journal, settler, committer, settings: settings.clone() }
    }

    /// Does the jobs of a batch; returns the handles of the messages that the queue must deliver again.
    pub async fn run(&self, messages: Vec<Message>, now: Timestamp) -> Vec<String> {
        self.run_until(messages, now, &|| false).await
    }

    /// Does the jobs of a batch as long as the run has time: the rest are delivered again.
    pub async fn run_until(
        &self,
        messages: Vec<Message>,
        now: Timestamp,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Vec<String> {
        let mut failed = Vec::new();
        for message in messages {
            if is_over() {
                failed.push(message.handle);
            } else if let Err(fault) = self.take(&message, now, is_over).await {
                error!(%fault, "a message stays on its queue");
                failed.push(message.handle);
            }
        }
        failed
    }

    /// Settles a message: done, put off, or kept. Messages that are not jobs belong to the processor.
    async fn take(&self, message: &Message, now: Timestamp, is_over: &(dyn Fn() -> bool + Sync)) -> Result<(), Fault> {
        let envelope = match Envelope::decode(&message.body) {
            Ok(envelope) => envelope,
            Err(fault @ EnvelopeFault::Newer(_)) => return self.settler.set_aside(message, fault, now).await,
            Err(EnvelopeFault::Foreign(_)) => {
                return self.settler.pass_on(message.body.clone(), "foreign", QueueName::Notices).await;
            }
        };
        let EnvelopeKind::Job(job) = &envelope.kind else {
            return self.settler.pass_on(message.body.clone(), envelope.group(), QueueName::Notices).await;
        };
        let Err(fault) = self.step(job, &envelope, now, is_over).await else { return Ok(()) };
        let tenant = job.tenant.clone();
        let message = Unprocessed { envelope, queue: QueueName::Jobs, tenant, connection: None };
        self.settler.after_fault(message, fault, now).await
    }

    /// Does one step of a job. A panic is a fault of the job, and of no other.
    async fn step(
        &self,
        job: &Job,
        envelope: &Envelope,
        now: Timestamp,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), Fault> {
        let Some(runner) = runner(&job.job) else {
            let detail = format!("no job is called {:?} here", job.job.as_str());
            warn!(envelope = envelope.id, %detail, "a job waits for newer code");
            return Err(Fault::Retryable { detail, after: Some(UNKNOWN_WAITS) });
        };
        let Some(held) = claim(&self.ports, job, now).await? else { return Ok(()) };
        let mark = held.record.clone();
        let task = Task {
            tenant: &job.tenant,
            id: &job.resource,
            envelope,
            held,
            debounce: self.settings.debounce,
            settings: &self.settings,
            committer: &self.committer,
            is_over,
            now,
        };
        let step = AssertUnwindSafe((runner.step)(&self.ports, &self.journal, task)).catch_unwind();
        let done = step.await.unwrap_or_else(|_| Err(Fault::failed("the job panicked")));
        // What is to be tried again soon is not held up by a lease that nobody needs. A job that fails by itself keeps it: so its tries
        // stay apart.
        if let Err(Fault::Retryable { after, .. }) = &done {
            // Not before its message can come: what is overdue is sent once more.
            let pause = after.unwrap_or_default().max(soonest(envelope.deferred + 1));
            self.let_go(&mark, now + pause).await;
        }
        done
    }

    /// Lets the mark of a run go that came to nothing, unless it has gone already. Where that fails, its lease ends by itself.
    async fn let_go(&self, mark: &Mark, due_at: Timestamp) {
        if let Err(fault) = records::unless_raced(self.ports.table.write(job::rest(mark, due_at)).await) {
            warn!(%fault, "a job waits until its lease ends");
        }
    }
}
