//! Entities: one item for each entity that a provider reported, which guards its state.
//!
//! An item has at most 1 KB, except in storms of changes, so that a commit costs two write units for it. A document that
//! fits into the rest of that kilobyte costs nothing; a larger one is a separate item.

mod id;
mod identity;
mod memory;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_with::skip_serializing_none;

pub use self::id::EntityId;
pub use self::identity::Identity;
pub use self::memory::{MOST, Part, RECENT, Seen};
use super::Record;
use super::payment::Listing;
use crate::key::Key;
use crate::metering::item_size;
use crate::ports::Item;
use hooktide_model::fault::Fault;
use hooktide_model::names::Via;
use hooktide_model::notice::{ContentHash, Version};
use hooktide_model::place::JournalPlace;

/// The size up to which an item with its document costs no more than without, in bytes.
const ONE_UNIT: u64 = 1024;

/// The place of a state in the order of its entity's states: the greatest is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The provider's order.
    pub version: Version,
    /// When it was reported, in milliseconds: when its delivery was accepted. Among states with one version, the one that
    /// was reported last is current.
    pub as_of: i64,
    /// The hash of its content, which decides between states that were reported within one millisecond.
    pub content: ContentHash,
}

/// The state of an entity, and the deliveries that led to it.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The place of the state in the order of the entity's states.
    pub version: Version,
    /// The key of the state's document.
    pub hash: ByteBuf,
    /// The hash of the state's content; absent for a deletion, and before version 3.
    pub content: Option<ByteBuf>,
    /// When the state was reported, in milliseconds; absent before version 3.
    pub as_of: Option<i64>,
    /// Whether the version is the time of a receipt, since the provider gives no time, or none that can be believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_receipt: bool,
    /// When the entity was restored, or read with a date, in milliseconds: states that are dated by an earlier receipt do not
    /// count.
    pub restored: Option<i64>,
    /// When the youngest forgotten delivery at this version was remembered, in Unix seconds.
    pub crowded: Option<u32>,
    /// Whether the entity was deleted (a tombstone).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// When the state was committed, in milliseconds.
    pub changed_at: i64,
    /// The most recent deliveries, newest last, packed. Version 1 kept them in another form under another name: those are
    /// forgotten, and their repeats meet the version guard.
    #[serde(default)]
    pub deliveries: ByteBuf,
    /// The place of the last change in the journal, packed; absent in records from before this was recorded.
    pub last: Option<ByteBuf>,
    /// How the state became known; absent in records from before this was recorded.
    pub via: Option<Via>,
    /// What lists and totals have of the state, if it is a transaction.
    pub listing: Option<Listing>,
    /// The document of the state, compressed, if it is small enough to be here.
    pub document: Option<ByteBuf>,
}

impl Record for Entity {
    const NAME: &'static str = "entity";
    // Version 1 kept deliveries under another name; version 2 did not record when a state was reported.
    const UPGRADES: &'static [fn(&mut Item)] = &[|_| {}, |_| {}];
}

impl Entity {
    /// A state that no delivery led to yet, with the key of its document.
    pub fn new(rank: Rank, hash: ContentHash, deleted: bool, now: Timestamp) -> Self {
        Self {
            version: rank.version,
            hash: ByteBuf::from(hash.0),
            content: (!deleted).then(|| ByteBuf::from(rank.content.0)),
            as_of: Some(rank.as_of),
            by_receipt: false,
            restored: None,
            crowded: None,
            deleted,
            changed_at: now.as_millisecond(),
            deliveries: ByteBuf::new(),
            last: None,
            via: None,
            listing: None,
            document: None,
        }
    }

    /// The key of the state's document.
    pub fn document_hash(&self) -> ContentHash {
        ContentHash(self.hash.as_slice().try_into().unwrap_or_default())
    }

    /// The state's place in the order of states. Before version 3 the time of the report was not recorded, so the time of
    /// the commit replaces it, the content equals no other, and a date years ahead was still believed.
    pub fn rank(&self) -> Rank {
        let as_of = self.as_of.unwrap_or(self.changed_at);
        let content = match &self.content {
            _ if self.deleted => ContentHash::DELETED,
            Some(content) => ContentHash(content.as_slice().try_into().unwrap_or_default()),
            None => ContentHash::default(),
        };
        let unbelievable = self.as_of.is_none() && self.version.is_ahead(as_of);
        let version = if unbelievable { Version(as_of) } else { self.version };
        Rank { version, as_of, content }
    }

    /// Whether its version is the time of a receipt. Before version 3 this was not recorded: every deletion that is not
    /// final was dated by receipt, or may have been.
    pub fn counts_by_receipt(&self) -> bool {
        self.by_receipt || self.deleted && self.as_of.is_none() && self.version != Version::FINAL
    }

    /// Learns the hash of its content from a state whose document has this canonical text, if the document is its own:
    /// before version 3 the hash was not recorded, and the key of the document covered version and text.
    pub fn recognise(&mut self, text: &[u8], content: ContentHash) {
        let is_former = self.content.is_none() && !self.deleted;
        if is_former && self.document_hash() == ContentHash::of_former_document(self.version, text) {
            self.content = Some(ByteBuf::from(content.0));
        }
    }

    /// The place of its last change in the journal.
    pub fn last_change(&self) -> Option<JournalPlace> {
        let (lane, position) = self.last.as_deref()?.split_first()?;
        Some(JournalPlace { lane: *lane, position: u64::from_be_bytes(position.try_into().ok()?) })
    }

    /// The entity with this as the place of its last change.
    pub fn changed_at_place(self, at: JournalPlace) -> Self {
        let packed = [&[at.lane], &at.position.to_be_bytes()[..]].concat();
        Self { last: Some(ByteBuf::from(packed)), ..self }
    }

    /// The entity with this compressed document, if the item then still fits into one write unit.
    pub fn with_document(&self, key: &Key, rev: u64, compressed: &[u8]) -> Result<Option<Self>, Fault> {
        let with = Self { document: Some(ByteBuf::from(compressed)), ..self.clone() };
        let size = item_size(&super::encode(key, rev, &with, super::Upkeep::default())?);
        Ok((size <= ONE_UNIT).then_some(with))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(version: i64) -> Entity {
        let rank = Rank { version: Version(version), as_of: 1_800_000_000_123, content: ContentHash([2; 16]) };
        Entity::new(rank, ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_record_without_a_hash_of_its_content_recognises_its_own_document_only() {
        let (text, content) = (br#"{"title":"Tea"}"#, ContentHash([9; 16]));
        let former = |version| {
            let hash = ByteBuf::from(ContentHash::of_former_document(Version(version), text).0);
            Entity { as_of: None, content: None, hash, ..state(5) }
        };
        for (name, mut entity, text, expected) in [
            ("its own", former(5), &text[..], content),
            ("another text", former(5), br#"{"title":"Mug"}"#, ContentHash::default()),
            ("of another version", former(4), text, ContentHash::default()),
            ("gone", Entity { deleted: true, ..former(5) }, text, ContentHash::DELETED),
            ("of this version", state(5), text, ContentHash([2; 16])),
        ] {
            entity.recognise(text, content);
            assert_eq!(entity.rank().content, expected, "{name}");
        }
    }

    #[test]
    fn a_record_without_a_time_of_telling_was_told_when_it_was_committed() {
        let former = Entity { as_of: None, content: None, changed_at: 77, ..state(5) };
        assert_eq!(former.rank(), Rank { version: Version(5), as_of: 77, content: ContentHash::default() });
        let ahead = Entity { version: Version(4_000_000_000_000), ..former.clone() };
        assert_eq!(ahead.rank().version, Version(77), "a date years ahead freezes nothing");
        let gone = Entity { deleted: true, ..former.clone() };
        assert_eq!(gone.rank().content, ContentHash::DELETED);
        assert!(gone.counts_by_receipt() && !former.counts_by_receipt());
        assert!(!Entity { version: Version::FINAL, ..gone.clone() }.counts_by_receipt(), "a final one never ends");
        assert!(!Entity { as_of: Some(5), ..gone }.counts_by_receipt(), "since version 3 it is written down");
    }
}
