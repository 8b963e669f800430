//! Announcing: the message of a job is sent when its mark is stored, and comes when the mark is due.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use crate::Ports;
use hooktide_model::envelope::{self, Envelope, EnvelopeKind, Job};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{MAX_DELAY, Outgoing, QueueName, send_one};
use hooktide_store::records::job::Mark;

/// Announces the job of a mark that is stored. Where that fails, [the poller](super::due::jobs) sends it later.
pub(crate) async fn announce(ports: &Ports, mark: &Mark, now: Timestamp) {
    let due = Duration::from_millis(u64::try_from(mark.due_at - now.as_millisecond()).unwrap_or(0));
    if let Err(fault) = send(ports, &envelope(mark, now), due.min(MAX_DELAY)).await {
        let Mark { tenant, job, resource, .. } = mark;
        warn!(%tenant, %job, resource, %fault, "a job begins later");
    }
}

/// The message of a job.
pub(super) fn envelope(mark: &Mark, now: Timestamp) -> Envelope {
    let Mark { tenant, job, resource, .. } = mark;
    let id = format!("{job}-{tenant}-{resource}");
    let kind = EnvelopeKind::Job(Job { tenant: tenant.clone(), job: job.clone(), resource: resource.clone() });
    Envelope { traceparent: envelope::traceparent_from(resource.as_bytes()), ..Envelope::new(id, kind, now) }
}

/// Sends the message of a job.
pub(super) async fn send(ports: &Ports, envelope: &Envelope, delay: Duration) -> Result<(), Fault> {
    send_one(&*ports.queue, message(envelope, delay)?).await
}

/// The message of a job, as the queue takes it.
pub(super) fn message(envelope: &Envelope, delay: Duration) -> Result<Outgoing, Fault> {
    let group = envelope.group().to_owned();
    Ok(Outgoing { queue: QueueName::Jobs, body: envelope.encode()?, delay, group })
}
