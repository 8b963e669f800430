//! The writes of a plan, and its changes once they are written.

use super::Batch;
use super::committed::CommittedChange;
use super::listed;
use super::plan::Plan;
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_store::ports::Write;
use hooktide_store::records::{self, tag};

impl Plan<'_> {
    /// All writes except the journal's own, each of a different item.
    pub(super) fn writes(&self, batch: Batch<'_>, at: JournalPlace) -> Result<Vec<Write>, Fault> {
        let mut writes = self.writes.clone();
        writes.extend(self.unclaimed.iter().map(|unclaimed| unclaimed.check()));
        let mut tags: Vec<String> = self.tags.iter().map(|name| (*name).to_owned()).collect();
        for plan in &self.entities {
            let Some(entity) = plan.after(at, batch.now) else { continue };
            let rev = plan.known.map(|known| known.rev);
            writes.push(records::replace(&plan.id.key(batch.tenant), rev, &entity, records::Upkeep::default())?);
            if plan.winner.is_some() {
                tags.extend(tag::collections(plan.id));
                tags.extend(listed::tags(plan));
            }
        }
        tags.sort();
        tags.dedup();
        writes.extend(tags.iter().map(|name| tag::raise(batch.tenant, name, at.lane)));
        writes.extend(listed::writes(self, batch, at.lane)?);
        Ok(writes)
    }

    /// Whether it changes an entity.
    pub(super) fn has_changes(&self) -> bool {
        self.entities.iter().any(|entity| entity.winner.is_some())
    }

    /// The changes of a plan that was committed at this place, with their documents.
    pub(super) fn changes(&self, at: JournalPlace) -> impl Iterator<Item = CommittedChange> {
        let winners = self.entities.iter().filter_map(|entity| entity.winner.as_ref());
        winners.map(move |winner| CommittedChange {
            entry: self.entries[winner.entry].clone(),
            text: winner.fact.document.clone(),
            at,
        })
    }
}
