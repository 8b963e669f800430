//! Burying: an envelope goes to the dead letters, whole, and the journal says so.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::{Settler, Unprocessed};
use crate::commit::origin::{Origin, cut};
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::Outcome;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::Blobs;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::{self, journal::Entry};

/// How long nobody looks at a job whose message is a dead letter: longer than that is kept.
const PARKED: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Settler {
    /// Keeps an envelope in the dead letters.
    pub(crate) async fn bury(
        &self,
        Unprocessed { mut envelope, tenant, connection, .. }: Unprocessed,
        class: ErrorClass,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), Fault> {
        match keep_body(&mut envelope, &tenant, &*self.ports.blobs).await {
            // A body that is lost cannot be kept; the letter says so.
            Ok(()) | Err(Fault::Permanent { .. }) => {}
            Err(fault) => return Err(fault),
        }
        warn!(envelope = envelope.id, %tenant, %class, reason, "a message goes to the dead letters");
        let letter = DeadLetter::of(&envelope, class, &cut(reason), now)?;
        let letter = DeadLetter { connection, ..letter };
        let until = records::kept_until(envelope.received_at, now, self.keep_dead_letters);
        let kept_as = envelope.kept_as();
        let mut writes = vec![letter.put(&tenant, &Shelf::Dead, &kept_as, until)?];
        if let EnvelopeKind::Job(job) = &envelope.kind {
            // Only a replay of the letter, or a hint that came since it began, takes the job up again.
            let key = job::key(&job.tenant, &job.job, &job.resource);
            if let Some(mark) = records::get::<Mark>(&*self.ports.table, &key).await? {
                writes.push(match mark.record.again {
                    true => job::store(Some(mark.rev), &job::anew(&mark.record, now, now))?,
                    false => job::park(&mark.record, now + PARKED),
                });
            }
        }
        let entry = Origin::of(&envelope, Duration::ZERO).entry(format!("{kept_as}-dead"), Outcome::Dead, now);
        let reason = Some(cut(&format!("{class}: {reason}")));
        let entry = Entry { connection: letter.connection, reason, ..entry };
        self.journal.append(&tenant, &envelope.id, &[entry], writes, now).await
    }
}

/// Moves an envelope's claim check to where it is kept as long as a dead letter.
pub(crate) async fn keep_body(envelope: &mut Envelope, tenant: &Tenant, blobs: &dyn Blobs) -> Result<(), Fault> {
    match envelope.delivery_mut() {
        Some(delivery) => bodies::keep(delivery, tenant, blobs).await,
        None => Ok(()),
    }
}
