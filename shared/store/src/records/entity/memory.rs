//! The memory of an entity: the deliveries that led to its state, so that repeats of them are recognised. Packed, since it
//! is most of the item.

use std::time::Duration;

use jiff::Timestamp;
use serde_bytes::ByteBuf;

use super::Entity;
use super::identity::{IDENTITY, Identity};
use hooktide_model::place::JournalPlace;
use hooktide_model::signing;

/// How many recent deliveries an entity remembers. Older repeats meet the version guard and are stale.
pub const RECENT: usize = 16;
/// The most deliveries that an entity remembers, in a storm of changes.
pub const MOST: usize = 160;
/// How long it remembers deliveries whose state became current, up to [`MOST`] of them: as long as the messages of a
/// processor that ended between commit and bus may wait to be handed out again.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// The longest time that any provider repeats a delivery for.
const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
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
    /// No part: the delivery is remembered as long as there is room.
    pub const NONE: Self = Self(0);
    /// The delivery's state became current. Kept in the lane's byte, since there are far fewer lanes.
    pub const STOOD: Self = Self(0x80);
    /// The delivery reported the current version: an unrecognised repeat of it would win the tie.
    pub const LEVEL: Self = Self(0x01);
    /// The delivery reported the current state, and fixes the time of that report.
    pub const CURRENT: Self = Self(0x02);
    /// The delivery counts by its receipt, so an unrecognised repeat of it would count as later.
    pub const ALWAYS: Self = Self(0x04);

    /// Both parts.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This part if `so`, and none otherwise.
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

/// An entity's memory of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The delivery is not remembered.
    Never,
    /// The delivery was in the same envelope: the queue delivered that again.
    SameEnvelope(JournalPlace),
    /// The delivery was in another envelope: the provider sent it again.
    OtherEnvelope,
}

impl Entity {
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
                return Seen::SameEnvelope(JournalPlace { lane, position: u64::from_be_bytes(position) });
            }
            seen = Seen::OtherEnvelope;
        }
        seen
    }

    /// Whether a delivery is the one that reported the current state.
    pub fn is_current(&self, identity: Identity) -> bool {
        let mut entries = self.deliveries.chunks_exact(ENTRY);
        entries.any(|entry| entry[..IDENTITY] == identity.0 && Part::of(entry).is_any(Part::CURRENT))
    }

    /// Whether a delivery other than the one that reported the current state also reported its version, or may have.
    pub fn had_rivals(&self) -> bool {
        let mut parts = self.deliveries.chunks_exact(ENTRY).map(Part::of);
        self.crowded.is_some() || parts.any(|part| part.is_any(Part::LEVEL) && !part.is_any(Part::CURRENT))
    }

    /// Whether deliveries at the current version were forgotten that may still be repeated.
    pub fn is_crowded(&self, window: Duration, now: Timestamp) -> bool {
        self.crowded.is_some_and(|since| since >= oldest(window, now))
    }

    /// Forgets the deliveries that no provider repeats any more: those from before `window`.
    pub fn forget(&mut self, window: Duration, now: Timestamp) {
        let young = oldest(window, now);
        let kept = self.deliveries.chunks_exact(ENTRY).filter(|entry| since(entry) >= young);
        self.deliveries = ByteBuf::from(kept.collect::<Vec<_>>().concat());
    }

    /// Takes a part from all remembered deliveries, since the version grew or another state was reported.
    pub fn relieve(&mut self, part: Part) {
        for entry in self.deliveries.chunks_exact_mut(ENTRY) {
            entry[POSITION] &= !part.0;
        }
    }

    /// Remembers a delivery. Beyond [`RECENT`] it forgets the oldest, except those whose state became current within the
    /// last day, and those whose repeats must be recognised. Beyond [`MOST`] it forgets any.
    pub fn remember(&mut self, identity: Identity, envelope: &str, part: Part, at: JournalPlace, now: Timestamp) {
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

/// A time in the form of the deliveries' memory.
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
    use crate::metering::item_size;
    use crate::records;
    use crate::records::entity::{EntityId, Rank};
    use hooktide_model::names::Kind;
    use hooktide_model::notice::{ContentHash, Version};
    use hooktide_model::tenant::Tenant;

    /// A time so many days after the first, each longer than anything is remembered for.
    fn day(n: u64) -> Timestamp {
        Timestamp::from_second(i64::try_from(n).unwrap() * (24 * 3600 + 1)).unwrap()
    }

    fn state(version: i64) -> Entity {
        let rank = Rank { version: Version(version), as_of: 1_800_000_000_123, content: ContentHash([2; 16]) };
        Entity::new(rank, ContentHash([1; 16]), false, Timestamp::UNIX_EPOCH)
    }

    fn at(position: u64) -> JournalPlace {
        JournalPlace { lane: 3, position }
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

    fn remember(entity: &mut Entity, n: u64, part: Part, received_at: Timestamp) {
        let identity = Identity::new("shopify", "c", &n.to_string());
        entity.remember(identity, &format!("envelope {n}"), part, at(n), received_at);
    }

    #[test]
    fn an_entity_with_full_memory_stays_under_one_kilobyte() {
        let mut entity = state(i64::MAX - 1).changed_at_place(at(u64::MAX));
        assert_eq!(entity.last_change(), Some(at(u64::MAX)));
        for n in 0..100 {
            remember(&mut entity, n, Part::STOOD, day(n));
        }
        assert_eq!(entity.deliveries.len(), RECENT * ENTRY);
        let mut entity = Entity { deliveries: ByteBuf::new(), ..entity };
        for n in 84..100 {
            remember(&mut entity, n, Part::STOOD, day(99));
        }
        let mut busy = entity.clone();
        for n in 200..230 {
            remember(&mut busy, n, Part::NONE, day(99));
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
        let item = records::encode(&id.key(&tenant), 9_999_999, &entity, Default::default()).unwrap();
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
}
