//! What was found and erased for requests about personal data, and when. Nothing in it is personal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::key::{Area, Key, Partition};
use crate::names::PrivacyAct;
use crate::tenant::Tenant;

/// What was done of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The provider that sent it.
    pub provider: String,
    /// The endpoint that it came to.
    pub endpoint: String,
    /// The connection that it was about; none where it was about a person, whoever knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The provider's topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What was asked for.
    pub act: PrivacyAct,
    /// When it was received.
    pub received_at: Timestamp,
    /// When all of it was done; none while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// While it goes on: the place that is looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// While it goes on: the sort key that was looked at last in that place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Things of the account that were known.
    pub entities: u64,
    /// Documents of these things.
    pub documents: u64,
    /// Kept deliveries that were about the person or the account.
    pub deliveries: u64,
    /// The ids of these deliveries, as far as they are listed; those that were erased are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
}

impl Record for Done {
    const NAME: &'static str = "privacy record";
}

/// What their sort keys begin with.
pub const PREFIX: &str = "done#";

/// The partition of a tenant's requests, done or not.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Privacy)
}

/// Where the record of a request is, by the id of its envelope.
pub fn key(tenant: &Tenant, id: &str) -> Key {
    partition(tenant).key(format!("{PREFIX}{id}"))
}
