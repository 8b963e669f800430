//! Records of requests about personal data: the data that was found and erased, and when. Nothing in them is personal.

use std::ops::AddAssign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::names::PrivacyAct;
use hooktide_model::tenant::Tenant;

/// The progress and the result of a request.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The provider that sent it.
    pub provider: String,
    /// The endpoint that it came to.
    pub endpoint: String,
    /// The connection that it was about; absent if it was about a person, whichever connections know them.
    pub connection: Option<String>,
    /// The provider's topic.
    pub topic: Option<String>,
    /// The action that was asked for.
    pub act: PrivacyAct,
    /// When it was received.
    pub received_at: Timestamp,
    /// When all of it was done; absent while it goes on.
    pub done_at: Option<Timestamp>,
    /// When to look again for entities that commits under way may have left; absent before the first search is complete.
    pub settles_at: Option<Timestamp>,
    /// The place that is being searched, while it goes on.
    pub place: Option<String>,
    /// The last sort key that was looked at in that place, while it goes on.
    pub last: Option<String>,
    /// The data that was found so far.
    #[serde(flatten)]
    pub found: Found,
    /// The ids of the found deliveries, up to a limit; erased ones are not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<String>,
}

/// The data that was found about somebody.
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

/// The key of a request's record, by the id of its envelope.
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
