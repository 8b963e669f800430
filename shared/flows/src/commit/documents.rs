//! Documents that do not fit into their entities: put before the commit, and set to expire after it if they are replaced.

use std::collections::HashSet;

use jiff::Timestamp;
use tracing::warn;

use super::plan::Plan;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::notice::ContentHash;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Write, WriteFault};
use hooktide_store::records::entity::EntityId;
use hooktide_store::records::{self, document};

/// The documents that one commit has put.
pub(super) struct Documents<'a> {
    ports: &'a Ports,
    tenant: &'a Tenant,
    /// The time at which the journal has forgotten the states that this commit replaces.
    expires_at: Timestamp,
    stored: HashSet<(EntityId, ContentHash)>,
}

impl<'a> Documents<'a> {
    /// No documents yet. Replaced ones are kept until `expires_at`.
    pub(super) fn new(ports: &'a Ports, tenant: &'a Tenant, expires_at: Timestamp) -> Self {
        Self { ports, tenant, expires_at, stored: HashSet::new() }
    }

    /// Puts the documents of a plan, each once.
    pub(super) async fn store(&mut self, plan: &Plan<'_>) -> Result<(), Fault> {
        let mut writes = Vec::new();
        for entity in &plan.entities {
            let Some((winner, compressed)) =
                entity.winner.as_ref().and_then(|winner| Some((winner, winner.document()?)))
            else {
                continue;
            };
            if self.stored.insert((entity.id.clone(), winner.hash())) {
                let blobs = &*self.ports.blobs;
                writes.push(document::store(blobs, self.tenant, entity.id, winner.hash(), compressed).await?);
            }
        }
        for result in self.ports.table.write_many(writes).await {
            result.map_err(records::raced)?;
        }
        Ok(())
    }

    /// Lets documents that newer ones replaced expire, once the journal has forgotten them.
    pub(super) async fn let_replaced_go(&self, plan: &Plan<'_>) {
        let replaced = plan.entities.iter().filter(|entity| entity.winner.is_some()).filter_map(|entity| {
            // An inline document was overwritten with the state.
            let known = entity.known.filter(|known| !known.record.deleted && known.record.document.is_none())?;
            Some(document::let_go(self.tenant, entity.id, known.record.document_hash(), self.expires_at))
        });
        self.expire(replaced.collect()).await;
    }

    /// Lets documents that were put for a commit which lost its race expire, unless they are now those of their entities. A
    /// key covers the time of the report, so only the same origin can win with it later. That commit first puts the
    /// document again, which keeps it, and succeeds only if the entity is unchanged since now.
    pub(super) async fn let_lost_go(&self, plan: &Plan<'_>) {
        let lost = self.stored.iter().filter_map(|(id, hash)| {
            let entity = plan.entities.iter().find(|entity| entity.id == id)?;
            let current = match &entity.winner {
                Some(winner) => Some(winner.hash()),
                None => entity.known.map(|known| known.record.document_hash()),
            };
            (current != Some(*hash)).then(|| document::let_go(self.tenant, id, *hash, self.expires_at))
        });
        self.expire(lost.collect()).await;
    }

    async fn expire(&self, writes: Vec<Write>) {
        for result in self.ports.table.write_many(writes).await {
            // At worst, an old document is never deleted.
            if let Err(WriteFault::Fault(fault)) = result {
                warn!(tenant = %self.tenant, %fault, "a replaced document was not let go");
            }
        }
    }
}
