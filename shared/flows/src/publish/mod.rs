//! Publish: tells the bus of changes that are committed; at least once, always with the change's id.

mod entries;

use std::collections::HashSet;

use tracing::warn;

use crate::Ports;
use crate::commit::CommittedChange;
use crate::feed::ChangeView;
use hooktide_model::envelope::{Envelope, Place};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Bus;
use hooktide_store::records::entity::Journaled;
use hooktide_store::records::{document, journal};

/// Publishes changes that were committed.
pub(crate) async fn publish(bus: &dyn Bus, tenant: &Tenant, changes: Vec<CommittedChange>) -> Result<(), Fault> {
    let view = |CommittedChange { entry, text, .. }| {
        ChangeView::of(&entry, text.and_then(|text: Vec<u8>| serde_json::from_slice(&text).ok()))
    };
    let views: Vec<ChangeView> = changes.into_iter().filter_map(view).collect();
    let entries = entries::entries(tenant, &views);
    if entries.is_empty() {
        return Ok(());
    }
    for result in bus.publish(entries).await {
        result.inspect_err(|fault| warn!(%tenant, %fault, "changes were not published"))?;
    }
    Ok(())
}

/// Publishes what an envelope committed before it was put off, if it did; the ids of its entries that are in the journal.
pub(crate) async fn publish_again(ports: &Ports, envelope: &Envelope) -> Result<HashSet<String>, Fault> {
    let mut done = HashSet::new();
    for Place { tenant, lane, position } in &envelope.committed {
        let at = Journaled { lane: *lane, position: *position };
        let mut changes = Vec::new();
        for entry in journal::at(&*ports.table, tenant, at.lane, at.position).await? {
            if !entry.is_of(&envelope.id) {
                continue;
            }
            done.insert(entry.id.clone());
            let document: Vec<_> = entry.document().into_iter().collect();
            let text = document::load(&*ports.table, &*ports.blobs, tenant, &document).await?.pop().flatten();
            if entry.change.is_some() {
                changes.push(CommittedChange { entry, text: text.map(|text| text.to_string().into()), at });
            }
        }
        publish(&*ports.bus, tenant, changes).await?;
    }
    Ok(done)
}
