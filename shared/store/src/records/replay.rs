//! Replays: the dead letters to process again, the rate, and the progress.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Record;
use super::dead_letter::{DeadLetter, Shelf};
use crate::key::{Area, Key, Partition};
use crate::ports::Item;
use hooktide_model::fault::ErrorClass;
use hooktide_model::tenant::Tenant;

/// A replay in progress.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The shelf.
    pub shelf: Shelf,
    /// The filter over its messages.
    pub filter: Filter,
    /// The rate, in messages a second.
    pub rate_per_second: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// The last sort key that was handled.
    pub after: Option<String>,
    /// How many were sent.
    pub sent: u64,
    /// When it was complete.
    pub finished_at: Option<Timestamp>,
}

impl Record for Replay {
    const NAME: &'static str = "replay";
    // Version 1 had no shelf for a connection's own endpoint.
    const UPGRADES: &'static [fn(&mut Item)] = &[|_| {}];
}

/// A filter over messages; a field that is absent matches any.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The connection.
    pub connection: Option<String>,
    /// The provider's topic.
    pub topic: Option<String>,
    /// The class of error.
    pub class: Option<ErrorClass>,
    /// The earliest receipt, included.
    pub received_from: Option<Timestamp>,
    /// The latest receipt, excluded.
    pub received_until: Option<Timestamp>,
    /// The id of the one message.
    pub id: Option<String>,
}

impl Filter {
    /// Whether it matches a message with this `id`.
    pub fn matches(&self, id: &str, letter: &DeadLetter) -> bool {
        self.id.as_deref().is_none_or(|wanted| wanted == id)
            && (self.connection.is_none() || self.connection == letter.connection)
            && (self.topic.is_none() || self.topic == letter.topic)
            && self.class.is_none_or(|class| class == letter.class)
            && self.received_from.is_none_or(|from| letter.received_at >= from)
            && self.received_until.is_none_or(|until| letter.received_at < until)
    }
}

/// The key of a replay.
pub fn key(tenant: &Tenant, id: &str) -> Key {
    Partition::of(tenant, Area::Replays).key(id)
}
