//! Entities: one item for each entity that a provider reported; the guard of its state.
//!
//! At most 1 KB, but for storms of changes, so that a commit costs two write units for it. A document that fits into the
//! rest of that kilobyte costs nothing; a larger one is an item of its own.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::Record;
use crate::key::{Area, ENTITY_SHARDS, Key, Partition};
use crate::metering::item_size;
use crate::ports::Item;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{ContentHash, Version};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

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
/// The place of an entry's lane.
const LANE: usize = IDENTITY + 16;
/// The place of an entry's position, whose first byte no position reaches.
const POSITION: usize = LANE + 1;

/// The parts that a remembered delivery plays for its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part(u8);

impl Part {
    /// None: it is remembered as long as there is room.
    pub const NONE: Self = Self(0);
    /// Its state stood. Kept in the lane's byte: there are far fewer lanes.
    pub const STOOD: Self = Self(0x80);
    /// The delivery told the standing version: an unrecognised repeat of it would win the tie.
    pub const LEVEL: Self = Self(0x01);
    /// The delivery told the standing state, and fixes when that was told.
    pub const CURRENT: Self = Self(0x02);
    /// The delivery counts by its receipt, so an unrecognised repeat of it would count as later.
    pub const ALWAYS: Self = Self(0x04);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This one if so, and none otherwise.
    #[must_use]
    pub const fn when(self, so: bool) -> Self {
        if so { self } else { Self::NONE }
    }

    /// Whether it plays any of these parts.
    pub const fn is_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    fn of(entry: &[u8]) -> Self {
        Self(entry[LANE] & Self::STOOD.0 | entry[POSITION])
    }
}

/// The place of a state in the order of its entity's states: the greatest stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The provider's order.
    pub version: Version,
    /// When it was told, in milliseconds: when its delivery was accepted. Of states with one version the last told stands.
    pub as_of: i64,
    /// The hash of its content, which decides what was told within one millisecond.
    pub content: ContentHash,
}

/// The state of an entity, and which deliveries led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Where the state stands in the order of the entity's states.
    pub version: Version,
    /// The key of the state's document.
    pub hash: ByteBuf,
    /// The hash of the state's content; none for a deletion, and before version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ByteBuf>,
    /// When the state was told, in milliseconds; none before version 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<i64>,
    /// Whether the version is the time of a receipt, since the provider says no time of its own, or none to be believed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_receipt: bool,
    /// Up to when deletions that are dated by receipt do not count, in milliseconds: the entity was restored then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<i64>,
    /// When the youngest of the deliveries at this version was remembered that is forgotten already, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowded: Option<u32>,
    /// Whether the entity is gone (a tombstone).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// When the state was committed, in milliseconds.
    pub changed_at: i64,
    /// The most recent deliveries, newest last, packed. Version 1 kept them in another form under another name: what it
    /// remembered is forgotten, and its repeats meet the version guard.
    #[serde(default)]
    pub deliveries: ByteBuf,
    /// Where the last change was journaled, packed. Those of before this was written down have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ByteBuf>,
    /// The document of the state, compressed, if it is small enough to be here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<ByteBuf>,
}

impl Record for Entity {
    const NAME: &'static str = "entity";
    // Version 1 kept deliveries under another name; version 2 did not write down when a state was told.
    const UPGRADES: &'static [fn(&mut Item)] = &[|_| {}, |_| {}];
}

/// The id of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityId {
    /// What kind of entity.
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

/// Where something was journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A state that nothing led to yet, with the key of its document.
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
            document: None,
        }
    }

    /// The key of the state's document.
    pub fn document_hash(&self) -> ContentHash {
        ContentHash(self.hash.as_slice().try_into().unwrap_or_default())
    }

    /// The state's place in the order of states. Before version 3 nobody knew when it was told, so when it was committed has
    /// to do, its content is like no other, and a date years ahead was still believed.
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

    /// Whether its version is the time of a receipt. Before version 3 nobody wrote that down: of deletions all were but the
    /// final ones, or may have been.
    pub fn counts_by_receipt(&self) -> bool {
        self.by_receipt || self.deleted && self.as_of.is_none() && self.version != Version::FINAL
    }

    /// Learns the hash of its content from a state whose document has this canonical text, if that is its own: before version
    /// 3 nobody wrote it down, and the key of the document covered version and text.
    pub fn recognise(&mut self, text: &[u8], content: ContentHash) {
        let is_former = self.content.is_none() && !self.deleted;
        if is_former && self.document_hash() == ContentHash::of_former_document(self.version, text) {
            self.content = Some(ByteBuf::from(content.0));
        }
    }

    /// Where its last change was journaled.
    pub fn last_change(&self) -> Option<Journaled> {
        let (lane, position) = self.last.as_deref()?.split_first()?;
        Some(Journaled { lane: *lane, position: u64::from_be_bytes(position.try_into().ok()?) })
    }

    /// The entity, last changed there.
    pub fn changed_at_place(self, at: Journaled) -> Self {
        let packed = [&[at.lane], &at.position.to_be_bytes()[..]].concat();
        Self { last: Some(ByteBuf::from(packed)), ..self }
    }

    /// Whether the entity remembers a delivery.
    pub fn seen(&self, identity: Identity, envelope: &str) -> Seen {
        let envelope = envelope_bytes(envelope);
        let mut seen = Seen::Never;
        for entry in self.deliveries.chunks_exact(ENTRY) {
            if entry[..IDENTITY] != identity.0 {
                continue;
            }
            if entry[IDENTITY..LANE] == envelope {
                let mut position: [u8; 8] = entry[POSITION..POSITION + 8].try_into().unwrap_or_default();
                position[0] = 0;
                let lane = entry[LANE] & !Part::STOOD.0;
                return Seen::SameEnvelope(Journaled { lane, position: u64::from_be_bytes(position) });
            }
            seen = Seen::OtherEnvelope;
        }
        seen
    }

    /// Whether a delivery is the one that told what stands.
    pub fn is_current(&self, identity: Identity) -> bool {
        let mut entries = self.deliveries.chunks_exact(ENTRY);
        entries.any(|entry| entry[..IDENTITY] == identity.0 && Part::of(entry).is_any(Part::CURRENT))
    }

    /// Whether another delivery than the one that told what stands told its version too, or may have.
    pub fn had_rivals(&self) -> bool {
        let mut parts = self.deliveries.chunks_exact(ENTRY).map(Part::of);
        self.crowded.is_some() || parts.any(|part| part.is_any(Part::LEVEL) && !part.is_any(Part::CURRENT))
    }

    /// Whether deliveries at the version that stands were forgotten which may still be repeated.
    pub fn is_crowded(&self, window: Duration, now: Timestamp) -> bool {
        self.crowded.is_some_and(|since| since >= oldest(window, now))
    }

    /// The entity with this compressed document, if the item stays within one write unit with it.
    pub fn with_document(&self, key: &Key, rev: u64, compressed: &[u8]) -> Result<Option<Self>, Fault> {
        let with = Self { document: Some(ByteBuf::from(compressed)), ..self.clone() };
        let size = item_size(&super::encode(key, rev, &with, super::Upkeep::default())?);
        Ok((size <= ONE_UNIT).then_some(with))
    }

    /// Forgets the deliveries that no provider repeats any more: those from before `window`.
    pub fn forget(&mut self, window: Duration, now: Timestamp) {
        let young = oldest(window, now);
        let kept = self.deliveries.chunks_exact(ENTRY).filter(|entry| since(entry) >= young);
        self.deliveries = ByteBuf::from(kept.collect::<Vec<_>>().concat());
    }

    /// Takes a part from all remembered deliveries: the version grew, or something else was told since.
    pub fn relieve(&mut self, part: Part) {
        for entry in self.deliveries.chunks_exact_mut(ENTRY) {
            entry[POSITION] &= !part.0;
        }
    }

    /// Remembers a delivery. Beyond [`RECENT`] it forgets the oldest, but for those whose state stood, for a day, and those
    /// that must not be taken for others when they are repeated. Beyond [`MOST`] it forgets any.
    pub fn remember(&mut self, identity: Identity, envelope: &str, part: Part, at: Journaled, now: Timestamp) {
        let mut position = at.position.to_be_bytes();
        position[0] = part.0 & !Part::STOOD.0;
        self.deliveries.extend_from_slice(&identity.0);
        self.deliveries.extend_from_slice(&envelope_bytes(envelope));
        self.deliveries.push(at.lane | part.0 & Part::STOOD.0);
        self.deliveries.extend_from_slice(&position);
        self.deliveries.extend_from_slice(&second(now).to_be_bytes());
        let young = second(now - REMEMBERED);
        let needed = |entry: &[u8]| {
            let part = Part::of(entry);
            part.is_any(Part::LEVEL.and(Part::ALWAYS).and(Part::CURRENT))
                || part.is_any(Part::STOOD) && since(entry) >= young
        };
        while self.deliveries.len() > RECENT * ENTRY {
            let place = |goes: &dyn Fn(&[u8]) -> bool| self.deliveries.chunks_exact(ENTRY).position(goes);
            let free = place(&|entry| !needed(entry));
            let spare = || place(&|entry| !Part::of(entry).is_any(Part::ALWAYS.and(Part::CURRENT))).or(Some(0));
            let first = free.or_else(|| (self.deliveries.len() > MOST * ENTRY).then(spare).flatten());
            let Some(first) = first else { return };
            let entry: Vec<u8> = self.deliveries.drain(first * ENTRY..(first + 1) * ENTRY).collect();
            if Part::of(&entry).is_any(Part::LEVEL) {
                self.crowded = self.crowded.max(Some(since(&entry)));
            }
        }
    }
}

/// The time of the oldest delivery that may still be repeated.
fn oldest(window: Duration, now: Timestamp) -> u32 {
    second(now - window.clamp(REMEMBERED, LONGEST_WINDOW))
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

    fn state(version: i64) -> Entity {
        let rank = Rank { version: Version(version), as_of: 1_800_000_000_123, content: ContentHash([2; 16]) };
        Entity::new(rank, ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH)
    }

    fn at(position: u64) -> Journaled {
        Journaled { lane: 3, position }
    }

    #[test]
    fn a_repeat_is_known_by_its_identity_and_a_redelivery_by_its_envelope() {
        let mut entity = state(1);
        let identity = Identity::new("shopify", "c", "d");
        entity.remember(identity, "01jcf0000000000000000000a1", Part::STOOD, at(7), Timestamp::UNIX_EPOCH);
        assert_eq!(entity.seen(identity, "01jcf0000000000000000000a1"), Seen::SameEnvelope(at(7)));
        assert_eq!(entity.seen(identity, "01jcf0000000000000000000a2"), Seen::OtherEnvelope);
        assert_eq!(entity.seen(Identity::new("shopify", "d", "d"), "01jcf0000000000000000000a1"), Seen::Never);
    }

    #[test]
    fn an_entity_with_full_memory_stays_under_one_kilobyte() {
        let mut entity = state(i64::MAX - 1).changed_at_place(at(u64::MAX));
        assert_eq!(entity.last_change(), Some(at(u64::MAX)));
        for n in 0..100 {
            entity.remember(
                Identity::new("shopify", "c", &n.to_string()),
                &format!("envelope {n}"),
                Part::STOOD,
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
                Part::STOOD,
                at(n),
                day(99),
            );
        }
        let mut busy = entity.clone();
        for n in 200..230 {
            busy.remember(
                Identity::new("shopify", "c", &n.to_string()),
                &format!("envelope {n}"),
                Part::NONE,
                at(n),
                day(99),
            );
        }
        assert_eq!(busy.deliveries, entity.deliveries, "what did not stand takes no place of what did today");
        let mut stormy = entity.clone();
        for n in 100..400 {
            stormy.remember(Identity::new("shopify", "c", &n.to_string()), "envelope", Part::STOOD, at(n), day(100));
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
        let mut entity = state(1);
        let identity = Identity::new("shopify", "c", "d");
        entity.remember(identity, "envelope", Part::STOOD, at(7), day(1));
        entity.forget(Duration::from_secs(3 * 24 * 3600), day(3));
        assert_eq!(entity.seen(identity, "another"), Seen::OtherEnvelope);
        entity.forget(Duration::from_secs(3600), day(3));
        assert_eq!(entity.seen(identity, "another"), Seen::Never);
    }

    #[test]
    fn what_told_the_standing_version_is_forgotten_last_and_then_ties_are_too_many() {
        let mut entity = state(1);
        let identity = |n: usize| Identity::new("woocommerce", "c", &n.to_string());
        let place = |n: usize| at(1_800_000_000_000 + n as u64);
        for n in 0..MOST {
            entity.remember(identity(n), "envelope", Part::LEVEL, place(n), day(1));
            entity.remember(identity(1_000 + n), "envelope", Part::NONE, at(0), day(1));
        }
        assert_eq!(entity.seen(identity(0), "envelope"), Seen::SameEnvelope(place(0)));
        assert_eq!(entity.seen(identity(1_000), "envelope"), Seen::Never, "there was no room for it");
        let window = Duration::from_secs(3 * 24 * 3600);
        assert!(!entity.is_crowded(window, day(1)));
        entity.remember(identity(MOST), "envelope", Part::LEVEL.and(Part::CURRENT), at(7), day(1));
        assert_eq!((entity.deliveries.len(), entity.seen(identity(0), "envelope")), (MOST * ENTRY, Seen::Never));
        assert!(entity.is_current(identity(MOST)) && !entity.is_current(identity(1)));
        assert!(entity.is_crowded(window, day(3)), "what was forgotten may be repeated");
        assert!(!entity.is_crowded(window, day(5)), "its provider repeats it no more");
        entity.relieve(Part::LEVEL);
        entity.remember(identity(2_000), "envelope", Part::LEVEL, at(8), day(1));
        assert_eq!(entity.deliveries.len(), RECENT * ENTRY, "the version grew");
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
