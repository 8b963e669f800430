//! Publish: tells the bus of changes that are committed; at least once, always with the change's id.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use tracing::warn;

use super::Processor;
use super::commit::CommittedChange;
use crate::feed::ChangeView;
use hooktide_model::envelope::{Envelope, Place};
use hooktide_model::fault::Fault;
use hooktide_model::names::Channel;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::BusEntry;
use hooktide_store::records::entity::Journaled;
use hooktide_store::records::{document, journal};

/// The largest text of an entry's changes, in bytes: EventBridge bills by 64 KB.
const LARGEST_ENTRY: usize = 60 * 1024;

impl Processor {
    /// Publishes changes that were committed.
    pub(super) async fn publish(&self, tenant: &Tenant, changes: Vec<CommittedChange>) -> Result<(), Fault> {
        let mut channels: BTreeMap<Channel, Vec<Value>> = BTreeMap::new();
        for CommittedChange { entry, text, .. } in changes {
            let document = text.and_then(|text| serde_json::from_slice(&text).ok());
            let Some(view) = ChangeView::of(&entry, document) else { continue };
            for channel in view.kind.channels() {
                let told = if channel.is_invalidation() { view.invalidation() } else { change(&view) };
                channels.entry(*channel).or_default().push(told);
            }
        }
        let entries: Vec<BusEntry> = channels
            .into_iter()
            .flat_map(|(channel, changes)| cut(changes).into_iter().map(move |part| (channel, part)))
            .map(|(channel, changes)| BusEntry {
                tenant: tenant.clone(),
                channel,
                detail: json!({ "tenant": tenant, "changes": changes }),
            })
            .collect();
        if !entries.is_empty() {
            for result in self.ports.bus.publish(entries).await {
                result.inspect_err(|fault| warn!(%tenant, %fault, "changes were not published"))?;
            }
        }
        Ok(())
    }
}

impl Processor {
    /// Publishes what an envelope committed before it was put off, if it did; the ids of its entries that are done.
    pub(super) async fn take_up(&self, envelope: &Envelope) -> Result<HashSet<String>, Fault> {
        let (table, blobs) = (&*self.ports.table, &*self.ports.blobs);
        let mut done = HashSet::new();
        for Place { tenant, lane, position } in &envelope.committed {
            let at = Journaled { lane: *lane, position: *position };
            let mut changes = Vec::new();
            for entry in journal::at(table, tenant, at.lane, at.position).await? {
                if !entry.is_of(&envelope.id) {
                    continue;
                }
                done.insert(entry.id.clone());
                let document: Vec<_> = entry.document().into_iter().collect();
                let text = document::load(table, blobs, tenant, &document).await?.pop().flatten();
                if entry.change.is_some() {
                    changes.push(CommittedChange { entry, text: text.map(|text| text.to_string().into()), at });
                }
            }
            self.publish(tenant, changes).await?;
        }
        Ok(done)
    }
}

/// A change; without its document where that alone is too large.
fn change(view: &ChangeView) -> Value {
    let whole = json!(view);
    if whole.to_string().len() <= LARGEST_ENTRY { whole } else { json!(ChangeView { document: None, ..view.clone() }) }
}

/// Cuts changes into parts that are small enough for one entry each.
fn cut(changes: Vec<Value>) -> Vec<Vec<Value>> {
    let mut parts: Vec<Vec<Value>> = Vec::new();
    let mut size = usize::MAX;
    for change in changes {
        let length = change.to_string().len();
        if size.saturating_add(length) > LARGEST_ENTRY {
            parts.push(Vec::new());
            size = 0;
        }
        size += length;
        if let Some(part) = parts.last_mut() {
            part.push(change);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_cut_into_entries_and_none_is_lost() {
        let changes: Vec<Value> = (0..10).map(|n| json!({ "n": n, "text": "x".repeat(20_000) })).collect();
        let parts = cut(changes.clone());
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
        assert_eq!(parts.concat(), changes);
    }
}
