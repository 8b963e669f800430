//! The changes of facts that were committed before, which are published again.

use std::collections::{HashMap, hash_map};

use super::committed::CommittedChange;
use super::fact::Fact;
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Table;
use hooktide_store::records::journal::{self, Entry};

/// The changes that were journaled when these facts were committed; none for a fact if another state of the same origin
/// won.
pub(super) async fn changes(
    table: &dyn Table,
    tenant: &Tenant,
    facts: &[(&Fact, JournalPlace)],
) -> Result<Vec<CommittedChange>, Fault> {
    // A redelivered batch was journaled at one place, or a few.
    let mut places: HashMap<JournalPlace, Vec<Entry>> = HashMap::new();
    let mut changes = Vec::new();
    for (fact, at) in facts {
        let entries = match places.entry(*at) {
            hash_map::Entry::Occupied(read) => read.into_mut(),
            hash_map::Entry::Vacant(place) => place.insert(journal::at(table, tenant, *at).await?),
        };
        let text = fact.entity().and_then(|entity| entity.document.clone());
        let change = |entry: &Entry| CommittedChange { entry: entry.clone(), text, at: *at };
        changes.extend(journal::find(entries, &fact.id).map(change));
    }
    Ok(changes)
}
