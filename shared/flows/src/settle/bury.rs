//! Burying: an envelope goes to the dead letters, whole, and the journal says so.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::{Settler, Unprocessed};
use crate::commit::origin::{Origin, cut};
use crate::jobs;
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::{ErrorClass, Fault};
use hooktide_model::names::Outcome;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::Blobs;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::{self, journal::Entry};

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
            writes.extend(jobs::park(&self.ports, job, now).await?);
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
