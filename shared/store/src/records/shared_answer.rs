//! Shared answers: those that a process made and others may give, as long as the versions of their tags are the same.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::tenant::Tenant;

/// The largest body that is stored, compressed, in bytes: beyond it another process makes the answer itself.
pub const LARGEST: usize = 100 * 1024;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedAnswer {
    /// The versions of its tags, as a hash.
    pub versions: ByteBuf,
    /// Its strong entity tag.
    pub etag: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Its body, compressed.
    pub body: ByteBuf,
}

impl Record for SharedAnswer {
    const NAME: &'static str = "shared answer";
}

/// The partition of a tenant's shared answers.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Answers)
}

/// The key of the answer to a question, by the question's hash.
pub fn key(tenant: &Tenant, question: &str) -> Key {
    partition(tenant).key(question)
}
