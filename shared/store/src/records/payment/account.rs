//! Merchant accounts as they are listed.

use serde::{Deserialize, Serialize};

use crate::key::{Area, Key, Partition};
use crate::records::Record;
use hooktide_model::payment::Account;
use hooktide_model::tenant::Tenant;

/// A merchant account, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAccount {
    /// The connection that reported it.
    pub connection: String,
    /// The provider.
    pub provider: String,
    /// Its document.
    #[serde(flatten)]
    pub account: Account,
}

impl Record for ListedAccount {
    const NAME: &'static str = "listed account";
}

impl ListedAccount {
    /// The partition of all accounts of a tenant.
    pub fn all(tenant: &Tenant) -> Partition {
        Partition::of(tenant, Area::Accounts)
    }

    /// The key of the account of that id which a connection reported.
    pub fn key(tenant: &Tenant, id: &str, connection: &str) -> Key {
        Self::all(tenant).key(format!("{}{connection}", Self::prefix(id)))
    }

    /// What all accounts of that id sort under, whichever connection reported them.
    pub fn prefix(id: &str) -> String {
        format!("{}#", id.replace('%', "%25").replace('#', "%23"))
    }
}
