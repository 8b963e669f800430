//! Blocks: times that are taken in a calendar because they are in another one of the same person. Each is written down before
//! its provider is called, so that none is ever forgotten.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Record, Upkeep, after};
use crate::key::{Area, Key, Partition};
use crate::ports::Range;
use hooktide_model::calendar::BLOCK_PREFIX;
use hooktide_model::names::BlockState;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// How long a block is remembered after its end, in days.
const KEPT_DAYS: i64 = 60;

/// A calendar of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CalendarId {
    /// The connection.
    pub connection: String,
    /// The provider's id.
    pub calendar: String,
}

/// The event that a block stems from: one occurrence, where it recurs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stem {
    /// The calendar of the event.
    pub from: CalendarId,
    /// The provider's id of the event; empty where the block is a merged one, which stems from the calendar that it lies in.
    pub event: String,
    /// The start that its rules give the occurrence; empty where it does not recur.
    #[serde(default)]
    pub occurrence: String,
}

/// The start and the end of a block, as it has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The start.
    pub start: String,
    /// The end.
    pub end: String,
}

/// A block.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The calendar that it lies in.
    pub lies_in: CalendarId,
    /// The event that it stems from.
    pub stem: Stem,
    /// The person.
    #[serde(default)]
    pub user: String,
    /// The start: RFC 3339 in UTC, or a plain date where it lasts whole days.
    pub start: String,
    /// The end, which is not part of it, in the form of `start`.
    pub end: String,
    /// The title that others see.
    pub title: String,
    /// How far it is.
    pub state: BlockState,
    /// Grows each time that it is made anew under another key, since the one before is used up.
    #[serde(default)]
    pub generation: u32,
    /// The provider's id, once there is one.
    pub provider_id: Option<String>,
    /// The state at the provider that our last write left.
    pub etag: Option<String>,
    /// When our last write was sent, in milliseconds: what was read before that says nothing of it.
    #[serde(default)]
    pub written_at: i64,
    /// The times that our last write gave it.
    pub written: Option<Times>,
    /// The times that the write before gave it: what is read late may still have them.
    pub former: Option<Times>,
    /// The times that a write was to give it whose answer is not known: they may be those that it has.
    pub sent: Option<Times>,
    /// How many writes failed in a row.
    #[serde(default)]
    pub failures: u32,
    /// The reason for the state, where it is not obvious.
    pub reason: Option<String>,
    /// How far it is merged, where it goes into a merged block and is none by itself.
    pub piece: Option<Piece>,
}

/// A time that is blocked together with others that it overlaps or touches, by a merged block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// The times that it has in merged blocks, once they are written; it is found by its slots there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Times>,
    /// The times that they may have because of runs that were cut off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Times>,
}

impl Record for Block {
    const NAME: &'static str = "block";
}

impl Block {
    /// The sort key of the block of a calendar that stems from an event's occurrence.
    pub fn sort(lies_in: &CalendarId, stem: &Stem) -> String {
        format!("{}{}", prefix_of(lies_in, &stem.from, &stem.event), stem.occurrence)
    }

    /// Its key in the table.
    pub fn record_key(&self, tenant: &Tenant) -> Key {
        partition(tenant).key(Self::sort(&self.lies_in, &self.stem))
    }

    /// The name by which it is created once, and known wherever a copy turns up.
    pub fn key(&self, tenant: &Tenant) -> String {
        let sort = Self::sort(&self.lies_in, &self.stem);
        let generation = self.generation.to_string();
        let hash =
            signing::sha256(&[tenant.to_string().as_bytes(), b"\n", sort.as_bytes(), b"\n", generation.as_bytes()]);
        format!("{BLOCK_PREFIX}{}", data_encoding::BASE32HEX_NOPAD.encode(&hash[..20]).to_ascii_lowercase())
    }

    /// Whether it is what pieces were merged into.
    pub fn is_merged(&self) -> bool {
        self.stem.event.is_empty()
    }

    /// Whether nothing of it was ever sent to its provider, so that nothing is there.
    pub fn is_unsent(&self) -> bool {
        self.state == BlockState::Wanted && self.provider_id.is_none() && self.written_at == 0
    }

    /// The block as if nothing of it had ever been written.
    #[must_use]
    pub fn unwritten(self) -> Self {
        Self { provider_id: None, etag: None, written_at: 0, written: None, former: None, sent: None, ..self }
    }

    /// Its start and its end.
    pub fn times(&self) -> Times {
        Times { start: self.start.clone(), end: self.end.clone() }
    }

    /// Until when it is kept: some weeks after it is over.
    pub fn upkeep(&self) -> Upkeep {
        let day = self.end.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
        let end = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|day| day.timestamp());
        let kept = jiff::SignedDuration::from_hours(24 * KEPT_DAYS);
        end.and_then(|end| end.checked_add(kept).ok()).map(Upkeep::until).unwrap_or_default()
    }
}

/// The partition of a tenant's blocks, sorted by the calendar that they lie in.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Blocks)
}

/// The prefix that the blocks of a connection sort under.
pub fn prefix_in(connection: &str) -> String {
    format!("{connection}#")
}

/// The prefix that the blocks of a calendar sort under.
pub fn prefix_of_calendar(lies_in: &CalendarId) -> String {
    format!("{}#{}#", lies_in.connection, short(&lies_in.calendar))
}

/// The prefix that the blocks of a calendar that stem from an event sort under.
pub fn prefix_of(lies_in: &CalendarId, from: &CalendarId, event: &str) -> String {
    let event = short(&format!("{}\n{event}", from.calendar));
    format!("{}{}#{event}#", prefix_of_calendar(lies_in), from.connection)
}

/// The part of the range of a prefix that comes after a place in a walk through prefixes in their order; `None` if all of it came
/// before.
pub fn beyond(prefix: &str, place: Option<&str>) -> Option<Range> {
    match place {
        Some(place) if place.starts_with(prefix) => Some(after(prefix, place)),
        Some(place) if place > prefix => None,
        Some(_) | None => Some(Range::Prefix(prefix.to_owned())),
    }
}

pub(super) fn short(text: &str) -> String {
    signing::sha256_hex(text.as_bytes())[..24].to_owned()
}

/// A name of a block at its provider: where it is found by the id of what was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockName {
    /// The sort key of the block.
    pub block: String,
}

impl Record for BlockName {
    const NAME: &'static str = "name of a block";
}

/// The key of the name that a block has in its calendar.
pub fn name_key(tenant: &Tenant, lies_in: &CalendarId, provider_id: &str) -> Key {
    let name = short(&format!("{}\n{}\n{provider_id}", lies_in.connection, lies_in.calendar));
    Partition::of(tenant, Area::BlockNames).key(format!("id#{name}"))
}

/// The key of the `UID` that copies of a block have, where its provider chose it.
pub fn uid_key(tenant: &Tenant, uid: &str) -> Key {
    Partition::of(tenant, Area::BlockNames).key(format!("uid#{}", short(uid)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(occurrence: &str, generation: u32) -> Block {
        let calendar = |connection: &str| CalendarId { connection: connection.to_owned(), calendar: "a@b".to_owned() };
        Block {
            lies_in: calendar("c2"),
            stem: Stem { from: calendar("c1"), event: "e1".to_owned(), occurrence: occurrence.to_owned() },
            user: String::new(),
            start: "2026-12-01T08:00:00Z".to_owned(),
            end: "2026-12-01T09:00:00Z".to_owned(),
            title: "Busy".to_owned(),
            state: BlockState::Wanted,
            generation,
            provider_id: None,
            etag: None,
            written_at: 0,
            written: None,
            former: None,
            sent: None,
            failures: 0,
            reason: None,
            piece: None,
        }
    }

    #[test]
    fn a_block_has_one_name_for_ever_and_another_one_when_it_is_made_anew() {
        let tenant = Tenant::parse("t").unwrap();
        let key = block("", 0).key(&tenant);
        assert!(hooktide_model::calendar::is_block(&key), "{key}");
        assert_eq!(key, Block { start: "2026-12-02".to_owned(), ..block("", 0) }.key(&tenant), "also when it moves");
        for other in [block("", 1), block("2026-12-01T08:00:00Z", 0)] {
            assert_ne!(key, other.key(&tenant));
        }
        assert_ne!(key, block("", 0).key(&Tenant::parse("u").unwrap()));
    }

    #[test]
    fn the_blocks_of_a_connection_a_calendar_and_an_event_sort_together() {
        let one = block("2026-12-01T08:00:00Z", 0);
        let sort = Block::sort(&one.lies_in, &one.stem);
        assert!(sort.starts_with(&prefix_in("c2")) && sort.starts_with(&prefix_of_calendar(&one.lies_in)));
        assert!(sort.starts_with(&prefix_of(&one.lies_in, &one.stem.from, "e1")));
        assert!(!sort.starts_with(&prefix_of(&one.lies_in, &one.stem.from, "e2")));
    }

    #[test]
    fn a_walk_through_prefixes_goes_on_after_its_place() {
        let whole = |prefix: &str| Some(Range::Prefix(prefix.to_owned()));
        for (place, first, second) in [
            (None, whole("a#"), whole("b#")),
            (Some("a#"), Some(after("a#", "a#")), whole("b#")),
            (Some("a#7"), Some(after("a#", "a#7")), whole("b#")),
            (Some("b#7"), None, Some(after("b#", "b#7"))),
            (Some("c#"), None, None),
        ] {
            assert_eq!((beyond("a#", place), beyond("b#", place)), (first, second), "{place:?}");
        }
    }

    #[test]
    fn a_block_is_kept_for_some_weeks_after_it_is_over() {
        let until = block("", 0).upkeep().expires_at.unwrap();
        assert_eq!(until.to_string(), "2027-01-30T00:00:00Z");
        assert_eq!(Block { end: "?".to_owned(), ..block("", 0) }.upkeep().expires_at, None);
    }
}
