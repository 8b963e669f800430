//! Ids of entities.

use crate::key::{Area, ENTITY_SHARDS, Key, Partition};
use hooktide_model::names::Kind;
use hooktide_model::notice::ContentHash;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The id of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId {
    /// The kind of entity.
    pub kind: Kind,
    /// The connection that it belongs to.
    pub connection: String,
    /// The provider's id for it.
    pub id: String,
}

impl EntityId {
    /// The key of its state.
    pub fn key(&self, tenant: &Tenant) -> Key {
        self.partition(tenant).key(format!("{}#{}", self.kind, self.id))
    }

    /// The key of one of its documents, beside its state.
    pub fn document_key(&self, tenant: &Tenant, hash: ContentHash) -> Key {
        self.partition(tenant).key(format!("document#{}#{}#{}", self.kind, self.id, hash.to_hex()))
    }

    fn partition(&self, tenant: &Tenant) -> Partition {
        let digest = signing::sha256(&[self.kind.as_str().as_bytes(), b"#", self.id.as_bytes()]);
        Partition::of(tenant, Area::Entities(&self.connection, digest[0] % ENTITY_SHARDS))
    }
}

impl std::fmt::Display for EntityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.connection, self.id)
    }
}
