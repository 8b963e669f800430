//! Plans facts that are not about an entity and are done once: hints, and requests about personal data.

use std::time::Duration;

use super::Planner;
use crate::commit::fact::{DeliveryPart, Fact, FactKind};
use crate::privacy;
use hooktide_model::fault::Fault;
use hooktide_model::names::Outcome;
use hooktide_store::ports::Key;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::delivery::{self, Attempt, Progress};
use hooktide_store::records::{self, job, tag};

/// How long a request about personal data is kept, done or not: beyond every provider's time for it.
const PRIVACY: Duration = Duration::from_secs(90 * 24 * 3600);

impl<'a> Planner<'a> {
    /// Plans a fact unless its delivery was settled before.
    pub(super) fn once(&mut self, index: usize, fact: &'a Fact, part: &DeliveryPart) -> Result<(), Fault> {
        let key = part.key(self.batch.tenant);
        let stored = self.known.deliveries.get(&key);
        match delivery::progress(stored, &fact.origin.id, self.batch.now) {
            Progress::Redelivered => {}
            Progress::Open | Progress::Claimed(_) if self.settled.contains(&key) => self.repeated(fact),
            Progress::Duplicate => self.repeated(fact),
            progress @ (Progress::Open | Progress::Claimed(_)) => {
                match &fact.what {
                    FactKind::Privacy { request, .. } => self.request(index, fact, request, &key, progress)?,
                    FactKind::Hint { resource, entity, reason, .. } => {
                        self.count_hint(resource, *reason, entity.as_deref());
                        self.hint(fact, resource, &key)?;
                    }
                    FactKind::Entity(_)
                    | FactKind::Handshake { .. }
                    | FactKind::Ignored { .. }
                    | FactKind::Noted { .. }
                    | FactKind::Held { .. } => {}
                }
                self.settled.insert(key);
            }
        }
        Ok(())
    }

    fn repeated(&mut self, fact: &Fact) {
        let reason = Some("the same delivery was processed before".to_owned());
        self.plan.entries.push(fact.entry(Outcome::Duplicate, reason, self.batch.now));
    }

    /// A hint is settled in this commit.
    fn hint(&mut self, fact: &Fact, resource: &str, key: &Key) -> Result<(), Fault> {
        let (origin, now) = (&fact.origin, self.batch.now);
        let stored = self.known.deliveries.get(key);
        let attempt = Attempt { stored, envelope: &origin.id, window: origin.window, now };
        self.plan.writes.push(attempt.settle(key)?);
        if is_of_payments(resource) {
            self.plan.tags.insert(tag::FIGURES);
        }
        let reason = format!("a sync of {resource} is due");
        self.plan.entries.push(fact.entry(Outcome::Waiting, Some(reason), now));
        Ok(())
    }

    /// A request about personal data reaches beyond the table, so its delivery is claimed before this commit finishes it.
    fn request(
        &mut self,
        index: usize,
        fact: &'a Fact,
        request: &DeadLetter,
        key: &Key,
        progress: Progress,
    ) -> Result<(), Fault> {
        let (tenant, now) = (self.batch.tenant, self.batch.now);
        let Some(claim) = self.claims.get(key) else {
            if let Progress::Claimed(until) = progress {
                let after = Duration::try_from(until.duration_since(now)).ok();
                let detail = "another processor works on the same delivery".to_owned();
                self.plan.waiting.push((index, Fault::Retryable { detail, after }));
            } else {
                self.plan.claims.push((key.clone(), fact));
            }
            return Ok(());
        };
        self.plan.writes.push(delivery::finish(key, claim)?);
        let (id, until) = (fact.origin.id.as_str(), records::kept_until(request.received_at, now, PRIVACY));
        if self.privacy.insert(id) {
            self.plan.writes.push(request.put(tenant, &Shelf::Privacy, id, until)?);
            let mark = privacy::mark(tenant, id, now);
            self.plan.writes.push(job::store(None, &mark)?);
            self.plan.raised.push(mark);
        }
        let reason = "a request about personal data; it is being done".to_owned();
        self.plan.entries.push(fact.entry(Outcome::Waiting, Some(reason), now));
        Ok(())
    }
}

/// Whether a resource, `<name>/<connection>`, is of payments.
fn is_of_payments(resource: &str) -> bool {
    ["transactions/", "payments/"].iter().any(|name| resource.starts_with(name))
}
