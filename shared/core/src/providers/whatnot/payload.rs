//! Whatnot's bodies: what is around `data`, which nobody here reads.

use serde::Deserialize;

use crate::fault::Fault;
use crate::verified::Verified;

/// A body. Its `timestamp`, `data` and `version` decide nothing, so that a new version of them is no reason to lose it.
#[derive(Deserialize)]
pub(super) struct Event {
    /// The topic.
    #[serde(rename = "type")]
    pub(super) topic: String,
    #[serde(default)]
    seller_id: Option<String>,
}

impl Event {
    pub(super) fn read(verified: &Verified) -> Result<Self, Fault> {
        verified.json()
    }

    /// Whose it is.
    pub(super) fn seller(self) -> Option<String> {
        self.seller_id.filter(|seller| !seller.is_empty())
    }
}
