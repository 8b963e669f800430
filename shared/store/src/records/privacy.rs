//! Records of requests about personal data: what was found and erased, and when. Nothing in them is personal.

use std::ops::AddAssign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::names::PrivacyAct;
use hooktide_model::tenant::Tenant;

/// The progress and the result of a request.
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
    /// When entities that commits under way may have left are looked for again; none before all was looked through once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<Timestamp>,
    /// While it goes on: the place that is looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// While it goes on: the sort key that was looked at last in that place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// What was found so far.
    #[serde(flatten)]
    pub found: Found,
    /// The ids of these deliveries, as far as they are listed; those that were erased are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
}

/// What was found of somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Entities of the account that were known.
    pub entities: u64,
    /// Documents of these entities.
    pub documents: u64,
    /// Kept deliveries that were about the person or the account.
    pub deliveries: u64,
}

impl AddAssign for Found {
    fn add_assign(&mut self, more: Self) {
        self.entities += more.entities;
        self.documents += more.documents;
        self.deliveries += more.deliveries;
    }
}

impl Record for Done {
    const NAME: &'static str = "privacy record";
}

/// The prefix of their sort keys.
pub const PREFIX: &str = "done#";

/// The partition of a tenant's requests, done or not.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Privacy)
}

/// Where the record of a request is, by the id of its envelope.
pub fn key(tenant: &Tenant, id: &str) -> Key {
    partition(tenant).key(format!("{PREFIX}{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::AttributeValue;
    use crate::records::{self, Upkeep};

    #[test]
    fn what_was_found_stands_beside_the_rest() {
        let done = Done {
            provider: "some".into(),
            endpoint: "e".into(),
            connection: None,
            topic: None,
            act: PrivacyAct::Erase,
            received_at: Timestamp::UNIX_EPOCH,
            done_at: Some(Timestamp::UNIX_EPOCH),
            settles_at: None,
            place: None,
            last: None,
            found: Found { entities: u64::MAX, documents: 2, deliveries: 0 },
            listed: vec!["a".into()],
        };
        let item = records::encode(&key(&Tenant::default_local(), "1"), 1, &done, Upkeep::default()).unwrap();
        assert_eq!(item.inner().get("documents"), Some(&AttributeValue::N("2".into())));
        assert_eq!(records::decode::<Done>(item).unwrap().record, done);
    }
}
