//! Deferred messages: messages that wait longer than a queue can hold them back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Record, Stored, Upkeep};
use crate::key::{Area, DUE_SHARDS, Due, Key, Partition, due_partition};
use crate::ports::{Table, Write};
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// A message and the queue it returns to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deferred {
    /// The tenant that it belongs to.
    pub tenant: Tenant,
    /// `notices` or `priority`.
    pub queue: String,
    /// The message.
    pub message: String,
    /// Its place in a fair queue.
    pub group: String,
}

impl Record for Deferred {
    const NAME: &'static str = "deferred message";
}

impl Deferred {
    /// The write that keeps it until it is due.
    pub fn put(&self, due_at: Timestamp) -> Result<Write, Fault> {
        let digest = signing::sha256(&[self.message.as_bytes()]);
        let due = Some((due_partition(Due::Deferred, digest[0]), due_at));
        super::put(&self.key(), self, Upkeep { expires_at: None, due })
    }

    /// The key of a deferred message.
    pub fn key(&self) -> Key {
        let hash = signing::sha256_hex(self.message.as_bytes());
        Partition::of(&self.tenant, Area::Deferred).key(hash)
    }
}

/// The deferred messages that are due, up to `limit` of each shard.
pub async fn due(table: &dyn Table, now: Timestamp, limit: usize) -> Result<Vec<Stored<Deferred>>, Fault> {
    let mut due = Vec::new();
    for shard in 0..DUE_SHARDS {
        let items = table.due(&due_partition(Due::Deferred, shard), now.as_millisecond(), limit).await?;
        for item in items {
            match super::decode(item) {
                Ok(stored) => due.push(stored),
                Err(fault) => warn!(%fault, "a deferred message does not read, and waits for code that reads it"),
            }
        }
    }
    Ok(due)
}
