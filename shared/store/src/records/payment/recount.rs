//! Recounts: how far the totals of a company were made from its transactions anew.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::CompanyId;
use crate::key::{Area, Key, Partition};
use crate::records::Record;
use hooktide_model::tenant::Tenant;

/// A recount of a company's totals.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recount {
    /// The company.
    #[serde(flatten)]
    pub id: CompanyId,
    /// When it began.
    pub started_at: Timestamp,
    /// Up to which time totals were counted anew, in seconds since 1970.
    pub counted_to: i64,
    /// How many transactions were counted.
    pub transactions: u64,
    /// How many totals were wrong, and are right now.
    pub corrected: u64,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Record for Recount {
    const NAME: &'static str = "recount";
}

impl Recount {
    /// The partition of the recounts of a tenant.
    pub fn all(tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Recounts)
    }

    /// The key of that of a company.
    pub fn key(tenant: &Tenant, id: &CompanyId) -> Key {
        Self::all(tenant).key(format!("{}#{}", id.connection, id.company))
    }
}
