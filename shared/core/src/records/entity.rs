//! Entities: one item for each thing that a provider told us of; the guard of its state.
//!
//! At most 1 KB, but for storms of changes, so that a commit costs two write units for it. A document that fits into the
//! rest of that kilobyte costs nothing; a larger one is an item of its own.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Record;
use crate::fault::Fault;
use crate::key::{Area, ENTITY_SHARDS, Key, Partition};
use crate::metering::item_size;
use crate::names::Kind;
use crate::notice::{ContentHash, Version};
use crate::signing;
use crate::tenant::Tenant;

/// How many recent deliveries an entity remembers. Older repeats meet the version guard and are stale.
pub const RECENT: usize = 16;
/// For how long it remembers those whose state stood, as far as [`MOST`] goes: as long as the messages of a processor that
/// ended between commit and bus may wait to be handed out again.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// The longest time that any provider repeats a delivery for.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
/// The size up to which an item with its document costs no more than without, in bytes.
const ONE_UNIT: u64 = 1024;
/// How many it remembers at the most, in a storm of changes.
pub const MOST: usize = 160;
/// Bytes of an identity in `recent`.
const IDENTITY: usize = 16;
/// Bytes of an identity, an envelope's id, a lane, a position, and a time in Unix seconds.
const ENTRY: usize = IDENTITY + 16 + 1 + 8 + 4;
/// Set in an entry's lane if its state stood: there are far fewer lanes.
const STOOD: u8 = 0x80;

/// The state of a thing, and which deliveries led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Where the state stands in the order of the thing's states.
    pub version: Version,
    /// The hash of the state; decides ties.
    pub hash: ByteBuf,
    /// Whether the thing is gone (a tombstone).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// When the state was committed, in milliseconds.
    pub changed_at: i64,
    /// The most recent deliveries, newest last, packed. Version 1 kept them in another form under another name: what it
    /// remembered is forgotten, and its repeats meet the version guard.
    #[serde(default)]
    pub deliveries: ByteBuf,
    /// The document of the state, compressed, if it is small enough to be here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<ByteBuf>,
}

impl Record for Entity {
    const NAME: &'static str = "entity";
    const VERSION: u32 = 2;
}

/// Which thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId {
    /// What kind of thing.
    pub kind: Kind,
    /// Of which connection.
    pub connection: String,
    /// The provider's id of it.
    pub id: String,
}

impl EntityId {
    /// Where its state is stored.
    pub fn key(&self, tenant: &Tenant) -> Key {
        self.partition(tenant).key(format!("{}#{}", self.kind, self.id))
    }

    /// Where its documents are stored: beside it.
    pub fn document_key(&self, tenant: &Tenant, hash: ContentHash) -> Key {
        self.partition(tenant).key(format!("document#{}#{}#{}", self.kind, self.id, hash.to_hex()))
    }

    fn partition(&self, tenant: &Tenant) -> Partition {
        let digest = signing::sha256(&[self.kind.as_str().as_bytes(), b"#", self.id.as_bytes()]);
        Partition::of(tenant, Area::Entities(&self.connection, digest[0] % ENTITY_SHARDS))
    }
}

impl std::fmt::Display for EntityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.connection, self.id)
    }
}

/// The hash of a delivery's identity within a connection, by which repeats are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity([u8; IDENTITY]);

impl Identity {
    /// From provider, connection and the provider's delivery identity.
    pub fn new(provider: &str, connection: &str, delivery: &str) -> Self {
        let parts = [provider.as_bytes(), b"\0", connection.as_bytes(), b"\0", delivery.as_bytes()];
        let digest = signing::sha256(&parts);
        let mut identity = [0; IDENTITY];
        identity.copy_from_slice(&digest[..IDENTITY]);
        Self(identity)
    }

    /// In hexadecimal.
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}

/// Where a delivery was journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journaled {
    /// The lane.
    pub lane: u8,
    /// The position in it.
    pub position: u64,
}

/// What an entity remembers of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing.
    Never,
    /// It came in the same envelope: the queue delivered that again.
    SameEnvelope(Journaled),
    /// It came in another envelope: the provider sent it again.
    OtherEnvelope,
}

impl Entity {
    /// The state's hash.
    pub fn content_hash(&self) -> ContentHash {
        ContentHash(self.hash.as_slice().try_into().unwrap_or_default())
    }

    /// Whether the entity remembers a delivery.
    pub fn seen(&self, identity: Identity, envelope: &str) -> Seen {
        let envelope = envelope_bytes(envelope);
        let mut seen = Seen::Never;
        for entry in self.deliveries.chunks_exact(ENTRY) {
            let (known, rest) = entry.split_at(IDENTITY);
            let (of, at) = rest.split_at(16);
            if known != identity.0 {
                continue;
            }
            if of == envelope {
                let position = u64::from_be_bytes(at[1..9].try_into().unwrap_or_default());
                return Seen::SameEnvelope(Journaled { lane: at[0] & !STOOD, position });
            }
            seen = Seen::OtherEnvelope;
        }
        seen
    }

    /// The entity with this compressed document, if the item stays within one write unit with it.
    pub fn with_document(&self, key: &Key, rev: u64, compressed: &[u8]) -> Result<Option<Self>, Fault> {
        let with = Self { document: Some(ByteBuf::from(compressed)), ..self.clone() };
        let size = item_size(&super::encode(key, rev, &with, super::Upkeep::default())?);
        Ok((size <= ONE_UNIT).then_some(with))
    }

    /// Forgets the deliveries that no provider repeats any more: those from before `window`.
    pub fn forget(&mut self, window: Duration, now: Timestamp) {
        let young = second(now - window.clamp(REMEMBERED, LONGEST_WINDOW));
        let kept = self.deliveries.chunks_exact(ENTRY).filter(|entry| since(entry) >= young);
        self.deliveries = ByteBuf::from(kept.collect::<Vec<_>>().concat());
    }

    /// Remembers a delivery. Beyond [`RECENT`] it forgets the oldest, but for those whose state stood: they are remembered
    /// for a day.
    pub fn remember(&mut self, identity: Identity, envelope: &str, stood: bool, at: Journaled, now: Timestamp) {
        self.deliveries.extend_from_slice(&identity.0);
        self.deliveries.extend_from_slice(&envelope_bytes(envelope));
        self.deliveries.push(at.lane | if stood { STOOD } else { 0 });
        self.deliveries.extend_from_slice(&at.position.to_be_bytes());
        self.deliveries.extend_from_slice(&second(now).to_be_bytes());
        let young = second(now - REMEMBERED);
        while self.deliveries.len() > RECENT * ENTRY {
            let stood = |entry: &[u8]| entry[IDENTITY + 16] & STOOD != 0;
            let goes = |entry: &[u8]| !stood(entry) || since(entry) < young;
            let first = self.deliveries.chunks_exact(ENTRY).position(goes);
            let Some(first) = first.or((self.deliveries.len() > MOST * ENTRY).then_some(0)) else { return };
            self.deliveries.drain(first * ENTRY..(first + 1) * ENTRY);
        }
    }

    /// A state that nothing led to yet.
    pub fn new(version: Version, hash: ContentHash, deleted: bool, now: Timestamp) -> Self {
        Self {
            version,
            hash: ByteBuf::from(hash.0),
            deleted,
            changed_at: now.as_millisecond(),
            deliveries: ByteBuf::new(),
            document: None,
        }
    }
}

/// A time as the memory of deliveries has it.
fn second(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or(0)
}

/// When a delivery was remembered.
fn since(entry: &[u8]) -> u32 {
    u32::from_be_bytes(entry[ENTRY - 4..].try_into().unwrap_or_default())
}

/// An envelope's id as 16 bytes; ids that are not ULIDs are hashed.
fn envelope_bytes(id: &str) -> [u8; 16] {
    ulid::Ulid::from_string(&id.to_uppercase()).map(|id| id.to_bytes()).unwrap_or_else(|_| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&signing::sha256(&[id.as_bytes()])[..16]);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many days after a first, each longer than anything is remembered for.
    fn day(n: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(n).unwrap() * (24 * 3600 + 1)).unwrap()
    }

    fn at(position: u64) -> Journaled {
        Journaled { lane: 3, position }
    }

    #[test]
    fn a_repeat_is_known_by_its_identity_and_a_redelivery_by_its_envelope() {
        let mut entity = Entity::new(Version(1), ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH);
        let identity = Identity::new("shopify", "c", "d");
        entity.remember(identity, "01jcf0000000000000000000a1", true, at(7), Timestamp::UNIX_EPOCH);
        assert_eq!(entity.seen(identity, "01jcf0000000000000000000a1"), Seen::SameEnvelope(at(7)));
        assert_eq!(entity.seen(identity, "01jcf0000000000000000000a2"), Seen::OtherEnvelope);
        assert_eq!(entity.seen(Identity::new("shopify", "d", "d"), "01jcf0000000000000000000a1"), Seen::Never);
    }

    #[test]
    fn an_entity_with_full_memory_stays_under_one_kilobyte() {
        let mut entity = Entity::new(Version(i64::MAX - 1), ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH);
        for n in 0..100 {
            entity.remember(
                Identity::new("shopify", "c", &n.to_string()),
                &format!("envelope {n}"),
                true,
                at(n),
                day(n),
            );
        }
        assert_eq!(entity.deliveries.len(), RECENT * ENTRY);
        let mut entity = Entity { deliveries: ByteBuf::new(), ..entity };
        for n in 84..100 {
            entity.remember(
                Identity::new("shopify", "c", &n.to_string()),
                &format!("envelope {n}"),
                true,
                at(n),
                day(99),
            );
        }
        let mut busy = entity.clone();
        for n in 200..230 {
            busy.remember(
                Identity::new("shopify", "c", &n.to_string()),
                &format!("envelope {n}"),
                false,
                at(n),
                day(99),
            );
        }
        assert_eq!(busy.deliveries, entity.deliveries, "what did not stand takes no place of what did today");
        let mut stormy = entity.clone();
        for n in 100..400 {
            stormy.remember(Identity::new("shopify", "c", &n.to_string()), "envelope", true, at(n), day(100));
        }
        assert_eq!(stormy.deliveries.len(), MOST * ENTRY, "what stood is remembered for a day, up to a bound");
        assert_eq!(entity.seen(Identity::new("shopify", "c", "83"), "envelope 83"), Seen::Never);
        assert_eq!(entity.seen(Identity::new("shopify", "c", "84"), "envelope 84"), Seen::SameEnvelope(at(84)));
        let id = EntityId { kind: Kind::CalendarEvent, connection: "c".repeat(22), id: "i".repeat(64) };
        let tenant = Tenant::parse(&"t".repeat(40)).unwrap();
        let item = super::super::encode(&id.key(&tenant), 9_999_999, &entity, Default::default()).unwrap();
        let size = item_size(&item);
        assert!(size <= 1024, "{size} bytes");
        let small = Entity { deliveries: ByteBuf::new(), ..entity.clone() };
        let key = id.key(&tenant);
        assert!(small.with_document(&key, 1, &[7; 500]).unwrap().is_some());
        assert!(small.with_document(&key, 1, &[7; 900]).unwrap().is_none());
        assert!(entity.with_document(&key, 1, &[7; 200]).unwrap().is_none());
    }

    #[test]
    fn a_delivery_is_forgotten_when_its_provider_repeats_it_no_more() {
        let mut entity = Entity::new(Version(1), ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH);
        let identity = Identity::new("shopify", "c", "d");
        entity.remember(identity, "envelope", true, at(7), day(1));
        entity.forget(Duration::from_secs(3 * 24 * 3600), day(3));
        assert_eq!(entity.seen(identity, "another"), Seen::OtherEnvelope);
        entity.forget(Duration::from_secs(3600), day(3));
        assert_eq!(entity.seen(identity, "another"), Seen::Never);
    }
}
