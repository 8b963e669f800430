//! Companies that have payments.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::{Area, Key, Partition};
use crate::records::Record;
use hooktide_model::tenant::Tenant;

/// A company of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompanyId {
    /// The connection.
    pub connection: String,
    /// The provider's id of the account; the connection's own where payments name none.
    pub company: String,
}

/// A company that has, or had, payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    /// The company.
    #[serde(flatten)]
    pub id: CompanyId,
    /// When its first payment was committed.
    pub since: Timestamp,
}

impl Record for Company {
    const NAME: &'static str = "company";
}

impl CompanyId {
    /// The key of its record.
    pub fn key(&self, tenant: &Tenant) -> Key {
        Self::all(tenant).key(format!("{}#{}", self.connection, self.company))
    }

    /// The partition of all companies of a tenant.
    pub fn all(tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Companies)
    }

    /// What the companies of a connection sort under.
    pub fn of(connection: &str) -> String {
        format!("{connection}#")
    }

    /// The partition of its transactions.
    pub fn transactions(&self, tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Transactions(&self.connection, &self.company))
    }

    /// The partition of its figures.
    pub fn totals(&self, tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Totals(&self.connection, &self.company))
    }
}
