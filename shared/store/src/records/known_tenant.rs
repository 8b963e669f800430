//! Known tenants: those that have, or had, connections; for what an operator does for all of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Record, Upkeep};
use crate::key::{Area, Key, Partition};
use crate::ports::{Table, Write, WriteFault};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;

/// A tenant that has connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTenant {
    /// Since when it is known.
    pub since: Timestamp,
}

impl Record for KnownTenant {
    const NAME: &'static str = "known tenant";
}

/// The partition of known tenants, sorted by name.
pub fn partition() -> Partition {
    Partition::of(&Tenant::system(), Area::Tenants)
}

/// The key of a tenant.
pub fn key(tenant: &Tenant) -> Key {
    partition().key(tenant.as_str())
}

/// Notes a tenant, unless it is known.
pub async fn note(table: &dyn Table, tenant: &Tenant, now: Timestamp) -> Result<(), Fault> {
    if super::get::<KnownTenant>(table, &key(tenant)).await?.is_some() {
        return Ok(());
    }
    let write: Write = super::insert(&key(tenant), &KnownTenant { since: now }, Upkeep::default())?;
    match table.write(write).await {
        Ok(_) | Err(WriteFault::Condition(_) | WriteFault::Conflict) => Ok(()),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}
