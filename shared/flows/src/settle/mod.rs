//! Settle: a message that could not be processed is put off, tried again, or kept in the dead letters; never dropped.

mod bury;
mod foreign;
mod put_off;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

pub(crate) use self::bury::keep_body;
pub(crate) use self::put_off::soonest;
use crate::commit::journal::Journal;
use crate::{Ports, Settings};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::QueueName;

/// How often a message may fail by itself.
const TRIES: u32 = 3;

/// A message that was not processed, and where its outcome is filed.
#[derive(Debug, Clone)]
pub(crate) struct Unprocessed {
    /// Its content.
    pub(crate) envelope: Envelope,
    /// The queue that it came from.
    pub(crate) queue: QueueName,
    /// The tenant that it is reported to.
    pub(crate) tenant: Tenant,
    /// The connection, where there can be only one.
    pub(crate) connection: Option<String>,
}

/// Settles messages.
pub(crate) struct Settler {
    ports: Ports,
    journal: Arc<Journal>,
    keep_dead_letters: Duration,
}

impl Settler {
    /// A settler that tells the journal.
    pub(crate) fn new(ports: Ports, settings: &Settings, journal: Arc<Journal>) -> Self {
        Self { ports, journal, keep_dead_letters: settings.keep_dead_letters }
    }

    /// Handles a fault by its sort. `Err` if that failed too: the queue delivers the message again.
    pub(crate) async fn after_fault(
        &self,
        mut message: Unprocessed,
        fault: Fault,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match fault {
            Fault::Permanent { class, detail } => self.bury(message, class, &detail, now).await,
            Fault::Retryable { detail, after } => self.wait(message, &detail, after, now).await,
            Fault::Failed { detail } => {
                message.envelope.attempt += 1;
                if message.envelope.attempt >= TRIES {
                    return self.bury(message, ErrorClass::TriesExhausted, &detail, now).await;
                }
                let (attempt, delay) = (message.envelope.attempt, self.backoff(message.envelope.attempt));
                let seconds = delay.as_secs();
                let reason = format!("try {attempt} of {TRIES} failed: {detail}; the next in {seconds} s");
                warn!(envelope = message.envelope.id, reason, "a message failed");
                self.report_failure(&message, reason, now).await;
                self.put_off(message, delay, now).await
            }
        }
    }
}
