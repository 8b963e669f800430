//! Whatnot's bodies: what is around `data`, which nobody here reads.

use crate::lenient::{Lenient, Object, fields};
use crate::verified::Verified;
use hooktide_model::fault::Fault;

/// A body. Its `timestamp`, `data` and `version` decide nothing, so that a new version of them is no reason to lose it.
pub(super) struct Event {
    /// The topic.
    pub(super) topic: String,
    /// The seller.
    pub(super) seller: Option<String>,
}

impl Event {
    pub(super) fn read(verified: &Verified) -> Result<Self, Fault> {
        fields! {
            struct Body {
                topic: Lenient<String> = "type",
                seller_id: Lenient<String>,
            }
        }
        let Object(Body { topic, seller_id }) = verified.json()?;
        let seller = seller_id.needed_if_there("seller_id")?.filter(|seller| !seller.is_empty());
        Ok(Self { topic: topic.needed("type")?, seller })
    }
}
