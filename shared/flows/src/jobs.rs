//! Jobs: messages that a tenant's work is done by, step by step, under a mark that one processor at a time holds.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::Ports;
use hooktide_model::envelope::{self, Envelope, EnvelopeKind, Job};
use hooktide_model::fault::Fault;
use hooktide_model::names::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Outgoing, QueueName, Write, WriteFault, send_one};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, Stored};

/// For how long nobody looks at a job that stands still: longer than its dead letter is kept.
const PARKED: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Sends the first step of a job whose mark is stored. Where that fails, [a sweep](super::sweep::jobs) does it later.
pub(super) async fn announce(ports: &Ports, kind: JobKind, tenant: &Tenant, id: &str, now: Timestamp) {
    if let Err(fault) = send(ports, &envelope(kind, tenant, id, now), Duration::ZERO).await {
        warn!(%tenant, %kind, id, %fault, "a job begins later");
    }
}

/// The message of a job.
pub(super) fn envelope(kind: JobKind, tenant: &Tenant, id: &str, now: Timestamp) -> Envelope {
    let job = Job { tenant: tenant.clone(), job: kind, resource: id.to_owned() };
    let traceparent = envelope::traceparent_from(id.as_bytes());
    Envelope { traceparent, ..Envelope::new(format!("{kind}-{tenant}-{id}"), EnvelopeKind::Job(job), now) }
}

/// Sends the message of a job.
pub(super) async fn send(ports: &Ports, envelope: &Envelope, delay: Duration) -> Result<(), Fault> {
    let group = envelope.group().to_owned();
    let message = Outgoing { queue: QueueName::Notices, body: envelope.encode()?, delay, group };
    send_one(&*ports.queue, message).await
}

/// Holds the job's mark; `None` if the job is done. A step that comes too early, after another one, waits its time.
pub(super) async fn claim(
    ports: &Ports,
    kind: JobKind,
    tenant: &Tenant,
    id: &str,
    now: Timestamp,
) -> Result<Option<Stored<Mark>>, Fault> {
    let key = job::key(tenant, kind, id);
    let Some(stored) = records::get::<Mark>(&*ports.table, &key).await? else { return Ok(None) };
    let early = stored.record.due_at.saturating_sub(now.as_millisecond());
    let longest = i64::try_from(hooktide_store::ports::MAX_DELAY.as_millis()).unwrap_or(i64::MAX);
    if !stored.record.running && (1..=longest).contains(&early) {
        let detail = "the next step of the job is not due".to_owned();
        return Err(Fault::Retryable { detail, after: Some(Duration::from_millis(early.unsigned_abs())) });
    }
    let Some(mark) = job::claimed(&stored.record, now) else {
        let detail = "another processor does this step".to_owned();
        return Err(Fault::Retryable { detail, after: Some(job::LEASE) });
    };
    match ports.table.write(job::store(Some(stored.rev), &mark)?).await {
        Ok(_) => Ok(Some(Stored { rev: stored.rev + 1, record: mark })),
        Err(WriteFault::Condition(_) | WriteFault::Conflict) => {
            Err(Fault::retryable("another processor took this step"))
        }
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}

/// The write that lets a job stand still whose message goes to the dead letters; none if it is done. Only a replay of the
/// letter, or a new hint, takes it up.
pub(super) async fn park(ports: &Ports, job: &Job, now: Timestamp) -> Result<Option<Write>, Fault> {
    let stored = records::get::<Mark>(&*ports.table, &job::key(&job.tenant, job.job, &job.resource)).await?;
    let park = |Stored { rev, record }| job::store(Some(rev), &job::resting(&record, now + PARKED));
    stored.map(park).transpose()
}
