//! Putting off: a message is sent again with the earliest time at which to process it.

use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, warn};

use super::{Settler, Unprocessed, keep_body};
use crate::commit::origin::{Origin, cut};
use hooktide_model::fault::Fault;
use hooktide_model::names::Outcome;
use hooktide_store::ports::{MAX_DELAY, Outgoing, QueueName, send_one};
use hooktide_store::records::deferred::Deferred;
use hooktide_store::records::{self, journal::Entry};

/// The number of waits after which the body is kept anew: about half a day.
const REKEEP: u32 = 50;

impl Settler {
    /// Lets a message wait for something that is unavailable. This uses up no try.
    pub(super) async fn wait(
        &self,
        mut message: Unprocessed,
        detail: &str,
        after: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let envelope = &mut message.envelope;
        envelope.deferred += 1;
        if envelope.deferred.is_multiple_of(REKEEP) {
            // The message may wait longer than a claim check is kept.
            keep_body(envelope, &message.tenant, &*self.ports.blobs).await?;
        }
        let delay = self.backoff(envelope.deferred).max(after.unwrap_or_default());
        // One whose time is known is expected to: a step that is due later, or that another run does.
        match after {
            Some(_) => debug!(envelope = envelope.id, %detail, seconds = delay.as_secs(), "a message waits"),
            None => warn!(envelope = envelope.id, %detail, seconds = delay.as_secs(), "a message waits"),
        }
        self.put_off(message, delay, now).await
    }

    /// Passes a message on unchanged to the queue that it belongs to.
    pub(crate) async fn pass_on(&self, body: String, group: &str, queue: QueueName) -> Result<(), Fault> {
        let group = group.to_owned();
        send_one(&*self.ports.queue, Outgoing { queue, body, delay: Duration::ZERO, group }).await
    }

    /// Sends a message again, not to be processed before `delay` has passed.
    pub(super) async fn put_off(
        &self,
        Unprocessed { mut envelope, queue, tenant, .. }: Unprocessed,
        delay: Duration,
        now: Timestamp,
    ) -> Result<(), Fault> {
        envelope.not_before = Some(now + delay);
        let (body, group) = (envelope.encode()?, envelope.group().to_owned());
        if delay <= MAX_DELAY {
            return send_one(&*self.ports.queue, Outgoing { queue, body, delay, group }).await;
        }
        let deferred = Deferred { tenant, queue: queue.as_str().to_owned(), message: body, group };
        self.ports.table.write(deferred.put(now + delay)?).await.map(drop).map_err(records::raced)
    }

    /// Reports a failed try to the activity. A failure to do so is only logged: the message itself is safe on its queue.
    pub(super) async fn report_failure(&self, message: &Unprocessed, reason: String, now: Timestamp) {
        let Unprocessed { envelope, tenant, connection, .. } = message;
        let id = format!("{}-try-{}", envelope.kept_as(), envelope.attempt);
        let entry = Origin::of(envelope, Duration::ZERO).entry(id, Outcome::Failed, now);
        let entry = Entry { connection: connection.clone(), reason: Some(cut(&reason)), ..entry };
        if let Err(fault) = self.journal.append(tenant, &envelope.id, &[entry], Vec::new(), now).await {
            warn!(envelope = envelope.id, %fault, "the activity does not show a failed try");
        }
    }

    /// The delay before the next try. It doubles each time, up to a queue's longest, with jitter so that messages that
    /// failed together spread out.
    pub(super) fn backoff(&self, times: u32) -> Duration {
        soonest(times).mul_f64(1.0 + self.ports.entropy.fraction())
    }
}

/// The shortest delay before the next try, after so many.
pub(crate) fn soonest(times: u32) -> Duration {
    MAX_DELAY.min(Duration::from_secs(1 << times.min(10))) / 2
}
