//! The journal: the outcome of every notice, in gapless lanes; feed and activity are read from it.
//!
//! An append puts position n+1 on the condition that it is absent, inside the commit. So n+1 exists only if n does,
//! and a reader that has seen n misses no late commit. A tenant has several lanes, so that processors rarely meet;
//! order holds within a lane. A change of an entity also names the place of the previous one, so that readers of the feed
//! keep the order of an entity's changes across lanes (`feed/merge.rs`).
//!
//! Items expire. When a whole lane has expired, its next position starts beyond any that it can have had, and a `genesis`
//! record that is replaced on the condition that nobody else did ensures that only one writer starts it.

mod entry;
mod lane;
mod read;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

pub use self::entry::{Change, Entry, find};
pub use self::lane::{Head, append, head, lane_of};
pub use self::read::{Read, at, read};
use super::Record;
use crate::key::{Area, Key, Partition};
use crate::ports::Range;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;

/// One position of a lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Position {
    /// Whether the lane starts (anew) here: there is no position right before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    first: bool,
    /// The entries, as compressed JSON.
    entries: ByteBuf,
}

impl Record for Position {
    const NAME: &'static str = "journal item";
}

fn partition(tenant: &Tenant, lane: u8) -> Partition {
    Partition::of(tenant, Area::Journal(lane))
}

fn key(tenant: &Tenant, lane: u8, position: u64) -> Key {
    partition(tenant, lane).key(format!("{position:016}"))
}

fn positions(from: u64) -> Range {
    Range::Between(format!("{from:016}"), "9".repeat(16))
}

fn parse_position(sort: &str) -> Result<u64, Fault> {
    sort.parse().map_err(|_| Fault::failed(format!("{sort:?} is no position of a journal")))
}
