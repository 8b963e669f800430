//! Plans everything that a batch says about one entity.

use std::time::Duration;

use jiff::Timestamp;

use super::Planner;
use crate::commit::fact::{EntityFact, Fact};
use crate::commit::fold::{self, Folded, Judged, Told, Verdict};
use crate::commit::known::followers;
use crate::commit::listed::Listed;
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, Operation, Outcome, Via};
use hooktide_model::notice::ContentHash;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::Stored;
use hooktide_store::records::entity::{Entity, EntityId};
use hooktide_store::records::journal::{Change, Entry};

/// The plan for an entity.
pub(in crate::commit) struct EntityPlan<'a> {
    pub(in crate::commit) id: &'a EntityId,
    pub(in crate::commit) known: Option<&'a Stored<Entity>>,
    /// The fact whose state is the entity's from now on, if it is a different one.
    pub(in crate::commit) winner: Option<Winner<'a>>,
    /// What lists have of the state that won.
    pub(in crate::commit) listed: Option<&'a Listed>,
    /// How the state that won became known.
    via: Option<Via>,
    told: Vec<Told>,
    folded: Folded,
    /// How long its deliveries are remembered.
    window: Duration,
}

/// The fact whose state is its entity's from now on.
pub(in crate::commit) struct Winner<'a> {
    pub(in crate::commit) fact: &'a EntityFact,
    /// The place of its entry in the plan.
    pub(in crate::commit) entry: usize,
    /// Its document, compressed.
    compressed: Option<Vec<u8>>,
    /// Whether the document has room in the entity.
    inline: bool,
}

impl Winner<'_> {
    /// The key of its document.
    pub(in crate::commit) fn hash(&self) -> ContentHash {
        self.fact.told.hash
    }

    /// The compressed document that must be stored separately.
    pub(in crate::commit) fn document(&self) -> Option<&[u8]> {
        self.compressed.as_deref().filter(|_| !self.inline)
    }
}

impl EntityPlan<'_> {
    /// The entity after the commit, if it is written.
    pub(in crate::commit) fn after(&self, at: JournalPlace, now: Timestamp) -> Option<Entity> {
        let mut entity = self.folded_entity(at, now)?;
        if let Some(Winner { compressed: Some(text), inline: true, .. }) = &self.winner {
            entity.document = Some(text.clone().into());
        }
        Some(entity)
    }

    fn folded_entity(&self, at: JournalPlace, now: Timestamp) -> Option<Entity> {
        let known = self.known.map(|known| &known.record);
        let mut entity = fold::entity_after(known, &self.told, &self.folded, at, self.window, now)?;
        (entity.listing, entity.via) = match self.folded.operation {
            Some(_) => (self.listed.and_then(Listed::listing).cloned(), self.via),
            None => known.map(|known| (known.listing.clone(), known.via)).unwrap_or_default(),
        };
        Some(entity)
    }

    /// Compresses the document of a state that won, and finds out whether it has room in the entity.
    fn compress(&self, tenant: &Tenant, fact: &EntityFact, now: Timestamp) -> Result<(Option<Vec<u8>>, bool), Fault> {
        let Some(text) = &fact.document else { return Ok((None, false)) };
        let text = envelope::compress(text)?;
        // The place in the journal does not affect the item's size.
        let inline = match self.folded_entity(JournalPlace { lane: 0, position: 0 }, now) {
            Some(after) => {
                let next_rev = self.known.map_or(1, |known| known.rev + 1);
                after.with_document(&self.id.key(tenant), next_rev, &text)?.is_some()
            }
            None => false,
        };
        Ok((Some(text), inline))
    }
}

impl<'a> Planner<'a> {
    /// Folds everything that the batch says about one entity.
    pub(super) fn entity(&mut self, id: &'a EntityId, indices: &[usize]) -> Result<(), Fault> {
        let (facts, now) = (self.batch.facts, self.batch.now);
        let entities = indices.iter().filter_map(|index| Some((*index, facts[*index], facts[*index].entity()?)));
        let entities: Vec<(usize, &Fact, &EntityFact)> = entities.collect();
        let told: Vec<Told> = entities.iter().map(|(_, _, entity)| entity.told(now)).collect();
        let window = entities.iter().map(|(_, fact, _)| fact.origin.window).max().unwrap_or_default();
        let known = self.known.entities.get(id);
        let crowded = known.is_some_and(|known| known.record.is_crowded(window, now));
        let folded = fold::fold(known.map(|known| &known.record), &told, crowded);
        let (mut winner, mut via) = (None, None);
        for ((index, fact, entity), judged) in entities.into_iter().zip(&folded.judged) {
            let (outcome, change) = match judged.verdict {
                Verdict::Stands => {
                    (winner, via) = (Some((entity, self.plan.entries.len())), Some(fact.via));
                    (Outcome::Processed, Some(change(fact, entity, &folded, known)))
                }
                Verdict::Guards => (Outcome::Ignored, None),
                Verdict::Same | Verdict::Repeat => (Outcome::Duplicate, None),
                Verdict::Stale => (Outcome::Stale, None),
                Verdict::Redelivered(at) => {
                    self.plan.redelivered.push((fact, at));
                    continue;
                }
            };
            let resource = leaves_open(entity, judged).then_some(entity.resource.as_ref()).flatten();
            if let Some(resource) = resource {
                self.ask(index, resource, &entity.entity.id);
            }
            let is_new = judged.verdict == Verdict::Stands && folded.operation == Some(Operation::Created);
            // Whoever reads everything reads what it brings as well.
            if let Some(brought) = entity.brings.as_ref().filter(|_| is_new && !fact.origin.is_read()) {
                self.bring(brought);
            }
            let entry = fact.entry(outcome, reason(entity, judged, resource, now), now);
            self.plan.entries.push(Entry { change, ..entry });
        }
        let listed = winner.and_then(|(fact, _): (&EntityFact, usize)| fact.listed.as_ref());
        let mut plan = EntityPlan { id, known, winner: None, listed, via, told, folded, window };
        if let Some((fact, entry)) = winner {
            let (compressed, inline) = plan.compress(self.batch.tenant, fact, now)?;
            if let Some(change) = &mut self.plan.entries[entry].change {
                change.inline = inline;
            }
            plan.winner = Some(Winner { fact, entry, compressed, inline });
            self.wake(fact);
        }
        self.plan.entities.push(plan);
        Ok(())
    }

    /// Marks the followers of an entity that changed.
    fn wake(&mut self, fact: &EntityFact) {
        for follower in followers(fact) {
            let job = (follower.kind.clone(), fact.entity.connection.clone());
            if self.known.followed.contains(&job) {
                self.count(job, MarkReason::Hint, Some(&fact.entity.id));
            }
        }
    }

    /// Marks a resource to be synced that a new entity brings, unless it waits to be synced anyway, or never is.
    fn bring(&mut self, resource: &str) {
        let mark = self.known.marks.get(&(JobKind::SYNC, resource.to_owned()));
        if mark.is_some_and(|mark| mark.record.running || mark.record.is_scheduled()) {
            self.count_hint(resource, MarkReason::Hint, None);
        }
    }

    /// Marks a resource to be synced, since the fact at `index` leaves a state open.
    fn ask(&mut self, index: usize, resource: &str, entity: &str) {
        self.count_hint(resource, MarkReason::Unsettled, Some(entity));
        if !self.known.marked.contains(&(JobKind::SYNC, resource.to_owned())) {
            self.plan.unmarked.entry(resource.to_owned()).or_default().push(index);
        }
    }
}

/// The change by the fact whose state won.
fn change(fact: &Fact, entity: &EntityFact, folded: &Folded, known: Option<&Stored<Entity>>) -> Change {
    Change {
        kind: entity.entity.kind,
        entity: entity.entity.id.clone(),
        op: folded.operation.unwrap_or(Operation::Updated),
        version: folded.version().unwrap_or(entity.told.rank.version),
        document: entity.document.is_some().then(|| entity.told.hash.to_hex()),
        inline: false,
        after: known.and_then(|known| known.record.last_change()),
        occurred_at: entity.occurred_at,
        via: fact.via,
        unread: entity.unread.clone(),
    }
}

/// Whether a fact leaves the state open.
fn leaves_open(entity: &EntityFact, judged: &Judged) -> bool {
    judged.asks || leaves_unread(entity, judged)
}

/// Whether fields of the newest state could not be read.
fn leaves_unread(entity: &EntityFact, judged: &Judged) -> bool {
    matches!(judged.verdict, Verdict::Stands | Verdict::Same) && !entity.unread.is_empty()
}

/// The reason that the activity gives for a fact, besides its outcome.
fn reason(entity: &EntityFact, judged: &Judged, resource: Option<&String>, now: Timestamp) -> Option<String> {
    let parts = [
        judged.why.map(str::to_owned),
        leaves_unread(entity, judged).then(|| format!("not read: {}", entity.unread.join(", "))),
        entity.is_ahead(now).then(|| "its time is more than a day ahead, so that of its receipt counts".to_owned()),
        resource.map(|resource| format!("a sync of {resource} is due")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
