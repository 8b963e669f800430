//! Keep: what could not be processed is put off, or kept in the dead letters; never dropped.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tracing::warn;

use super::owner::Owner;
use super::resolve::keep_body;
use super::work::{Origin, cut};
use super::{Opened, Processor, id_of_foreign};
use crate::jobs;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::Outcome;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::{MAX_DELAY, Outgoing, QueueName, send_one};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::deferred::Deferred;

/// How often a message may fail by itself.
const TRIES: u32 = 3;
/// The largest foreign message that a record holds as it is, in bytes: a queue's may have a megabyte, a record 400 KB.
const LARGEST_FOREIGN: usize = 300 * 1024;

/// After how many times of waiting the body is kept anew: about half a day.
const REKEEP: u32 = 50;

impl Processor {
    /// What comes after a fault, by its sort. `Err` where that failed too: the queue delivers the message again.
    pub(super) async fn after_fault(&self, one: Opened, fault: Fault, now: Timestamp) -> Result<(), Fault> {
        let Opened { mut envelope, queue, owner } = one;
        match fault {
            Fault::Permanent { class, detail } => self.bury(envelope, &owner, class, &detail, now).await,
            Fault::Auth(fault) => self.bury(envelope, &owner, ErrorClass::Unreadable, &fault.to_string(), now).await,
            Fault::Retryable { detail, after } => {
                envelope.deferred += 1;
                if envelope.deferred % REKEEP == 0 {
                    // It may wait longer than a claim check is kept.
                    keep_body(&mut envelope, &owner.tenant(), &*self.ports.blobs).await?;
                }
                let delay = self.backoff(envelope.deferred).max(after.unwrap_or_default());
                warn!(envelope = envelope.id, %detail, seconds = delay.as_secs(), "a message waits");
                self.put_off(envelope, queue, &owner.tenant(), delay, now).await
            }
            Fault::Failed { detail } => {
                envelope.attempt += 1;
                if envelope.attempt >= TRIES {
                    return self.bury(envelope, &owner, ErrorClass::TriesExhausted, &detail, now).await;
                }
                let delay = self.backoff(envelope.attempt);
                let reason =
                    format!("try {} of {TRIES} failed: {detail}; the next in {} s", envelope.attempt, delay.as_secs());
                warn!(envelope = envelope.id, reason, "a message failed");
                let id = format!("{}-try-{}", envelope.kept_as(), envelope.attempt);
                self.tell(&envelope, &owner, id, Outcome::Failed, reason, now).await;
                self.put_off(envelope, queue, &owner.tenant(), delay, now).await
            }
        }
    }

    /// Keeps an envelope in the dead letters, whole, and says so in the journal.
    pub(super) async fn bury(
        &self,
        mut envelope: Envelope,
        owner: &Owner,
        class: ErrorClass,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let tenant = &owner.tenant();
        match keep_body(&mut envelope, tenant, &*self.ports.blobs).await {
            // A body that is lost cannot be kept; that it is lost still is.
            Ok(()) | Err(Fault::Permanent { .. }) => {}
            Err(fault) => return Err(fault),
        }
        warn!(envelope = envelope.id, %tenant, %class, reason, "a message goes to the dead letters");
        let letter = DeadLetter::of(&envelope, class, &cut(reason), now)?;
        let letter = DeadLetter { connection: owner.connection().map(str::to_owned), ..letter };
        let until = records::kept_until(envelope.received_at, now, self.settings.keep_dead_letters);
        let kept_as = envelope.kept_as();
        let mut writes = vec![letter.put(tenant, &Shelf::Dead, &kept_as, until)?];
        if let EnvelopeKind::Job(job) = &envelope.kind {
            writes.extend(jobs::park(&self.ports, job, now).await?);
        }
        let became = (Outcome::Dead, Some(format!("{class}: {reason}")));
        let id = format!("{kept_as}-dead");
        let entry = Origin::of(&envelope).entry(id, letter.connection.clone(), became, None, now);
        self.journal.append(tenant, &envelope.id, &[entry], writes, now).await
    }

    /// Keeps a message that is no envelope; the operator finds it with the tenant `system`.
    pub(super) async fn bury_foreign(&self, message: &str, reason: &str, now: Timestamp) -> Result<(), Fault> {
        let id = id_of_foreign(message);
        let kept = if message.len() <= LARGEST_FOREIGN {
            message.to_owned()
        } else {
            self.wrap_foreign(message, &id, now).await?
        };
        let letter = DeadLetter {
            message: kept,
            connection: None,
            account: None,
            endpoint: None,
            provider: None,
            topic: None,
            class: ErrorClass::Unreadable,
            reason: cut(reason),
            received_at: now,
            dead_at: now,
            tries: 0,
            replayed: None,
        };
        let until = now + self.settings.keep_dead_letters;
        let write = letter.put(&Tenant::system(), &Shelf::Dead, &id, until)?;
        self.ports.table.write(write).await.map_err(records::raced)?;
        self.ports.meter.count("unknown", Outcome::Dead, "");
        Ok(())
    }

    /// An envelope of ours around a foreign message that is too large for a record; it reads as a body of nobody.
    async fn wrap_foreign(&self, message: &str, id: &str, now: Timestamp) -> Result<String, Fault> {
        let body = Bytes::copy_from_slice(message.as_bytes());
        let payload = bodies::pack(&body, "foreign", id, &*self.ports.blobs).await?;
        let delivery = Delivery {
            provider: String::new(),
            endpoint: String::new(),
            tenant: None,
            key_id: None,
            topic: None,
            delivery: None,
            headers: BTreeMap::new(),
            dropped: Vec::new(),
            oversized: None,
            payload,
            sha256: signing::sha256_hex(&body),
        };
        let mut envelope = Envelope::new(id.to_owned(), EnvelopeKind::Unreadable(delivery), now);
        keep_body(&mut envelope, &Tenant::system(), &*self.ports.blobs).await?;
        envelope.encode()
    }

    /// Sends an envelope again, not to be processed before `delay` has passed.
    async fn put_off(
        &self,
        mut envelope: Envelope,
        queue: QueueName,
        tenant: &Tenant,
        delay: Duration,
        now: Timestamp,
    ) -> Result<(), Fault> {
        envelope.not_before = Some(now + delay);
        let (body, group) = (envelope.encode()?, envelope.group().to_owned());
        if delay <= MAX_DELAY {
            return send_one(&*self.ports.queue, Outgoing { queue, body, delay, group }).await;
        }
        let deferred = Deferred { tenant: tenant.clone(), queue: queue.as_str().to_owned(), message: body, group };
        self.ports.table.write(deferred.put(now + delay)?).await.map(drop).map_err(records::raced)
    }

    /// Tells the activity what happened; best effort, since what is told of is safe on its queue.
    async fn tell(
        &self,
        envelope: &Envelope,
        owner: &Owner,
        id: String,
        outcome: Outcome,
        reason: String,
        now: Timestamp,
    ) {
        let connection = owner.connection().map(str::to_owned);
        let entry = Origin::of(envelope).entry(id, connection, (outcome, Some(reason)), None, now);
        if let Err(fault) = self.journal.append(&owner.tenant(), &envelope.id, &[entry], Vec::new(), now).await {
            warn!(envelope = envelope.id, %fault, "the activity was not told");
        }
    }

    /// Doubles with every time, up to a queue's longest delay, with jitter so that what failed together spreads out.
    fn backoff(&self, times: u32) -> Duration {
        let longest = MAX_DELAY.min(Duration::from_secs(1 << times.min(10)));
        longest.mul_f64(0.5 + 0.5 * self.ports.entropy.fraction())
    }
}
