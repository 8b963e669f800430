//! Documents: normalised content, put before the commit and outside it, keyed by content hash beside their entity.
//!
//! A document that a newer one replaced may be deleted once the journal no longer refers to it. Since the hash covers
//! the version, which only grows, a replaced document never becomes current again.

use bytes::Bytes;
use jiff::Timestamp;
use object_store::{ObjectStoreExt, path::Path};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::entity::EntityId;
use super::{Record, Upkeep};
use crate::envelope::{self, blob_fault};
use crate::fault::Fault;
use crate::notice::ContentHash;
use crate::ports::{Blobs, EXPIRES_AT, Table, Write};
use crate::tenant::Tenant;

/// The largest compressed document that is kept in the table, in bytes.
pub const LARGEST_INLINE: usize = 100 * 1024;
/// What a compressed document may grow to, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// Where a document's text is: in one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredDocument {
    /// Here, compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<ByteBuf>,
    /// In the blob store, compressed, at this path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

impl Record for StoredDocument {
    const NAME: &'static str = "document";
}

/// The write that stores a document; large ones are put into the blob store first.
pub async fn store(
    blobs: &dyn Blobs,
    tenant: &Tenant,
    entity: &EntityId,
    hash: ContentHash,
    text: &[u8],
) -> Result<Write, Fault> {
    let compressed = envelope::compress(text)?;
    let stored = if compressed.len() <= LARGEST_INLINE {
        StoredDocument { body: Some(ByteBuf::from(compressed)), blob: None }
    } else {
        let path = Path::from(format!("documents/{tenant}/{}/{}", entity.connection, hash.to_hex()));
        blobs.put(&path, Bytes::from(compressed).into()).await.map_err(|error| blob_fault(&error))?;
        StoredDocument { body: None, blob: Some(path.to_string()) }
    };
    super::put(&entity.document_key(tenant, hash), &stored, Upkeep::default())
}

/// The write that lets a replaced document go at `at`.
pub fn let_go(tenant: &Tenant, entity: &EntityId, hash: ContentHash, at: Timestamp) -> Write {
    Write::Update {
        key: entity.document_key(tenant, hash),
        set: vec![(EXPIRES_AT, super::seconds(at))],
        add: vec![],
        remove: vec![],
        condition: Some(crate::ports::Condition::Present),
    }
}

/// Reads documents, in order; `None` where one is gone.
pub async fn load(
    table: &dyn Table,
    blobs: &dyn Blobs,
    tenant: &Tenant,
    wanted: &[(EntityId, ContentHash)],
) -> Result<Vec<Option<serde_json::Value>>, Fault> {
    let keys: Vec<_> = wanted.iter().map(|(entity, hash)| entity.document_key(tenant, *hash)).collect();
    let mut unique = keys.clone();
    unique.sort();
    unique.dedup();
    let mut found = std::collections::HashMap::new();
    for (key, item) in unique.iter().zip(table.get_many(&unique).await?) {
        let Some(item) = item else { continue };
        let Some(compressed) = compressed(super::decode::<StoredDocument>(item)?.record, blobs).await? else {
            continue;
        };
        let text = envelope::decompress(&compressed, LARGEST)?;
        let value = serde_json::from_slice(&text)
            .map_err(|error| Fault::failed(format!("a stored document does not read: {error}")))?;
        found.insert(key, value);
    }
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

async fn compressed(stored: StoredDocument, blobs: &dyn Blobs) -> Result<Option<Bytes>, Fault> {
    let Some(path) = stored.blob else { return Ok(stored.body.map(|body| Bytes::from(body.into_vec()))) };
    match blobs.get(&Path::from(path)).await {
        Ok(got) => got.bytes().await.map(Some).map_err(|error| blob_fault(&error)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(blob_fault(&error)),
    }
}
