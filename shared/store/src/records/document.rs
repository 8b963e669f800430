//! Documents: normalised content. A small one is stored inline in its entity, where it costs nothing and is overwritten
//! with its state. A larger one is put before the commit and outside it, keyed by its hash beside the entity.
//!
//! A document that a newer one replaced may be deleted once the journal no longer refers to it. Since the hash covers
//! version and time of the report, no two states share one, and a replaced document never becomes current again.

use std::collections::HashMap;

use bytes::Bytes;
use jiff::Timestamp;
use object_store::{ObjectStoreExt, path::Path};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::value::RawValue;
use serde_with::skip_serializing_none;

use super::entity::{Entity, EntityId};
use super::{Record, Upkeep};
use crate::ports::{Blobs, EXPIRES_AT, Key, Table, Write, blob_fault};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::notice::ContentHash;
use hooktide_model::tenant::Tenant;

/// The largest compressed document that is kept in the table, in bytes.
pub const LARGEST_INLINE: usize = 100 * 1024;
/// The largest document after decompression, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// A document's text, in exactly one of the two places.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredDocument {
    /// The compressed text itself.
    pub body: Option<ByteBuf>,
    /// The path in the blob store of the compressed text.
    pub blob: Option<String>,
}

impl Record for StoredDocument {
    const NAME: &'static str = "document";
}

/// A document to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The entity that it belongs to.
    pub entity: EntityId,
    /// The key of the entity's state that it belongs to.
    pub hash: ContentHash,
    /// Whether it was stored inline in the entity.
    pub inline: bool,
}

impl Wanted {
    fn key(&self, tenant: &Tenant) -> Key {
        if self.inline { self.entity.key(tenant) } else { self.entity.document_key(tenant, self.hash) }
    }
}

/// The write that stores a compressed document; large ones are put into the blob store first.
pub async fn store(
    blobs: &dyn Blobs,
    tenant: &Tenant,
    entity: &EntityId,
    hash: ContentHash,
    compressed: &[u8],
) -> Result<Write, Fault> {
    let stored = if compressed.len() <= LARGEST_INLINE {
        StoredDocument { body: Some(ByteBuf::from(compressed)), blob: None }
    } else {
        let path = Path::from(format!("documents/{tenant}/{}/{}", entity.connection, hash.to_hex()));
        blobs.put(&path, Bytes::copy_from_slice(compressed).into()).await.map_err(|error| blob_fault(&error))?;
        StoredDocument { body: None, blob: Some(path.to_string()) }
    };
    super::put(&entity.document_key(tenant, hash), &stored, Upkeep::default())
}

/// The write that lets a replaced document expire at `at`.
pub fn let_go(tenant: &Tenant, entity: &EntityId, hash: ContentHash, at: Timestamp) -> Write {
    Write::Update {
        key: entity.document_key(tenant, hash),
        set: vec![(EXPIRES_AT, super::seconds(at))],
        add: vec![],
        remove: vec![],
        condition: Some(crate::ports::Condition::Present),
    }
}

/// Reads documents, in order, as texts that nobody has taken apart; `None` where one is gone.
pub async fn load(
    table: &dyn Table,
    blobs: &dyn Blobs,
    tenant: &Tenant,
    wanted: &[Wanted],
) -> Result<Vec<Option<Box<RawValue>>>, Fault> {
    let keys: Vec<Key> = wanted.iter().map(|wanted| wanted.key(tenant)).collect();
    let mut unique: Vec<(&Key, &Wanted)> = keys.iter().zip(wanted).collect();
    // An inline document is overwritten with its entity, so only the current one exists, under the entity's key.
    unique.sort_by_key(|(key, _)| *key);
    unique.dedup_by_key(|(key, _)| *key);
    let read: Vec<Key> = unique.iter().map(|(key, _)| (*key).clone()).collect();
    let mut found = HashMap::new();
    for ((key, wanted), item) in unique.into_iter().zip(table.get_many(&read).await?) {
        let Some(item) = item else { continue };
        let (hash, compressed) = if wanted.inline {
            let entity = super::decode::<Entity>(item)?.record;
            (Some(entity.document_hash()), entity.document.map(|document| Bytes::from(document.into_vec())))
        } else {
            (None, compressed(super::decode::<StoredDocument>(item)?.record, blobs).await?)
        };
        let Some(compressed) = compressed else { continue };
        let text = envelope::decompress(&compressed, LARGEST)?;
        let text: Box<RawValue> = serde_json::from_slice(&text)
            .map_err(|error| Fault::failed(format!("a stored document does not read: {error}")))?;
        found.insert(key, (hash, text));
    }
    let document = |(key, wanted): (&Key, &Wanted)| {
        let (hash, text) = found.get(key)?;
        hash.is_none_or(|hash| hash == wanted.hash).then(|| text.clone())
    };
    Ok(keys.iter().zip(wanted).map(document).collect())
}

async fn compressed(stored: StoredDocument, blobs: &dyn Blobs) -> Result<Option<Bytes>, Fault> {
    let Some(path) = stored.blob else { return Ok(stored.body.map(|body| Bytes::from(body.into_vec()))) };
    match blobs.get(&Path::from(path)).await {
        Ok(got) => got.bytes().await.map(Some).map_err(|error| blob_fault(&error)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(blob_fault(&error)),
    }
}
