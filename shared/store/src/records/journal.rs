//! The journal: what became of every notice, in gapless lanes; feed and activity are read from it.
//!
//! An append puts position n+1 on the condition that it is absent, inside the commit. So n+1 exists only if n does,
//! and a reader that has seen n misses no late commit. A tenant has several lanes, so that processors seldom meet;
//! order holds within a lane; a change of an entity names the place of the former one, so that readers of the feed keep their
//! order too (`feed/merge.rs`).
//!
//! Items expire. When a lane has expired whole, its next position starts beyond any that it can have had, and a
//! `genesis` record that is replaced on the condition that nobody else did makes sure that only one writer starts it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::document::Wanted;
use super::entity::{EntityId, Journaled};
use super::{Record, Stored, Upkeep};
use crate::key::{Area, Key, Partition};
use crate::ports::{Query, Range, Table, Write};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::names::{Kind, Operation, Outcome, Via};
use hooktide_model::notice::{ContentHash, Version};
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The sort key of a lane's genesis, after all positions.
const GENESIS: &str = "genesis";
/// How far beyond its former start an expired lane starts anew.
const LEAP: u64 = 1 << 32;
/// What the entries of one item may grow to, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// What became of one notice, and the change it caused, if it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The same for every delivery of this entry: readers drop repeats by it.
    pub id: String,
    /// The connection, where the notice's account has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The provider.
    pub provider: String,
    /// The provider's topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The provider's own id of the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, where that is not plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the request was received.
    pub received_at: Timestamp,
    /// When this became of it.
    pub processed_at: Timestamp,
    /// The secret that verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_with: Option<String>,
    /// The trace id, from receipt to the last effect.
    pub trace: String,
    /// What changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// A change of a thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of thing.
    pub kind: Kind,
    /// The provider's id of it.
    pub entity: String,
    /// What happened to it.
    pub op: Operation,
    /// The version of its new state.
    pub version: Version,
    /// The content hash of its document, in hexadecimal; none for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Whether the document is in the entity itself, as long as that state stands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
    /// Where the former change of the same entity is: readers take that first. None of a first change, and of changes that
    /// were journaled before places were remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Journaled>,
    /// When it happened, by the provider's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// How we came to know.
    pub via: Via,
    /// The fields that were not of a type that can be read: absent from the document, and unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

impl Entry {
    /// Whether it tells of a notice of this envelope.
    pub fn is_of(&self, envelope: &str) -> bool {
        self.id.strip_prefix(envelope).is_some_and(|rest| rest.starts_with('-'))
    }

    /// The document of its change.
    pub fn document(&self) -> Option<Wanted> {
        let change = self.change.as_ref()?;
        let hash = data_encoding::HEXLOWER.decode(change.document.as_ref()?.as_bytes()).ok()?;
        Some(Wanted { entity: self.entity()?, hash: ContentHash(hash.try_into().ok()?), inline: change.inline })
    }

    /// Which thing changed.
    pub fn entity(&self) -> Option<EntityId> {
        let change = self.change.as_ref()?;
        Some(EntityId { kind: change.kind, connection: self.connection.clone()?, id: change.entity.clone() })
    }
}

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

/// Where a lane starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Genesis {
    start: u64,
}

impl Record for Genesis {
    const NAME: &'static str = "journal genesis";
}

/// The end of a lane.
#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// Its last position.
    At(u64),
    /// It is empty; where it started before, and the revision of that record.
    Empty(Option<(u64, u64)>),
}

impl Head {
    /// The position that the next append takes.
    pub fn next(&self, now: Timestamp) -> u64 {
        let clock = u64::try_from(now.as_millisecond()).unwrap_or(1).max(1);
        match self {
            Self::At(position) => position + 1,
            Self::Empty(None) => clock,
            Self::Empty(Some((start, _))) => clock.max(start + LEAP),
        }
    }
}

/// The lane that a batch takes: that of the hash of its first envelope's id.
pub fn lane_of(envelope: &str, lanes: u8) -> u8 {
    signing::sha256(&[envelope.as_bytes()])[0] % lanes.max(1)
}

/// Finds the end of a lane.
///
/// A last position that has expired does not count: the store deletes in any order, so positions after it may be gone
/// already, and a reader may have seen them.
pub async fn head(table: &dyn Table, tenant: &Tenant, lane: u8, now: Timestamp) -> Result<Head, Fault> {
    let query = Query { partition: partition(tenant, lane), range: positions(0), descending: true, limit: 1 };
    if let Some(last) = table.query(&query).await?.items.first()
        && !super::has_expired(last, now)
    {
        return Ok(Head::At(parse_position(super::sort_of(last))?));
    }
    let genesis: Option<Stored<Genesis>> = super::get(table, &partition(tenant, lane).key(GENESIS)).await?;
    Ok(Head::Empty(genesis.map(|genesis| (genesis.record.start, genesis.rev))))
}

/// The writes that append entries after `head`: one, or two where the lane starts.
pub fn append(
    tenant: &Tenant,
    lane: u8,
    head: &Head,
    entries: &[Entry],
    keep: Duration,
    now: Timestamp,
) -> Result<Vec<Write>, Fault> {
    let position = head.next(now);
    let text = serde_json::to_vec(entries)
        .map_err(|error| Fault::failed(format!("journal entries do not serialise: {error}")))?;
    let item = Position { first: matches!(head, Head::Empty(_)), entries: ByteBuf::from(envelope::compress(&text)?) };
    let received_at = entries.iter().map(|entry| entry.received_at).max().unwrap_or(now);
    let upkeep = Upkeep::until(super::kept_until(received_at, now, keep));
    let mut writes = vec![super::insert(&key(tenant, lane, position), &item, upkeep)?];
    if let Head::Empty(former) = head {
        let key = partition(tenant, lane).key(GENESIS);
        writes.push(super::replace(&key, former.map(|(_, rev)| rev), &Genesis { start: position }, Upkeep::default())?);
    }
    Ok(writes)
}

/// The entries at a position; none if it is gone.
pub async fn at(table: &dyn Table, tenant: &Tenant, lane: u8, position: u64) -> Result<Vec<Entry>, Fault> {
    let item: Option<Stored<Position>> = super::get(table, &key(tenant, lane, position)).await?;
    item.map_or(Ok(Vec::new()), |item| entries(&item.record))
}

/// One position of a lane, as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The position.
    pub position: u64,
    /// Whether a position may be missing right before it.
    pub first: bool,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// Reads positions of a lane from `from` on, and whether there may be more.
pub async fn read(
    table: &dyn Table,
    tenant: &Tenant,
    lane: u8,
    from: u64,
    limit: usize,
) -> Result<(Vec<Read>, bool), Fault> {
    let query = Query { partition: partition(tenant, lane), range: positions(from), descending: false, limit };
    let (items, more) = super::list::<Position>(table, &query).await?;
    let read = items.into_iter().map(|(sort, item)| {
        let position = parse_position(&sort)?;
        Ok(Read { position, first: item.record.first, entries: entries(&item.record)? })
    });
    Ok((read.collect::<Result<_, Fault>>()?, more))
}

/// The entry of this id, if it tells of a change. An envelope may have told several states of one entity, of which one stood.
pub fn find<'a>(entries: &'a [Entry], id: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.id == id && entry.change.is_some())
}

fn entries(position: &Position) -> Result<Vec<Entry>, Fault> {
    let text = envelope::decompress(&position.entries, LARGEST)?;
    serde_json::from_slice(&text).map_err(|error| Fault::failed(format!("a journal item does not read: {error}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_lane_starts_beyond_any_position_it_can_have_had() {
        let now = Timestamp::from_second(2_000_000_000).unwrap();
        assert_eq!(Head::Empty(None).next(now), 2_000_000_000_000);
        assert_eq!(Head::At(7).next(now), 8);
        let ahead = Head::Empty(Some((3_000_000_000_000, 1)));
        assert_eq!(ahead.next(now), 3_000_000_000_000 + LEAP);
        assert_eq!(Head::Empty(None).next(Timestamp::MIN), 1);
    }

    #[test]
    fn of_several_states_that_one_message_told_the_one_that_stood_is_found() {
        let change =
            serde_json::json!({"kind": "product", "entity": "1", "op": "updated", "version": 1, "via": "webhook"});
        let entry = |id: &str, change: Option<&serde_json::Value>| -> Entry {
            let text = serde_json::json!({
                "id": id, "connection": "c", "provider": "any", "outcome": "processed", "received_at": Timestamp::UNIX_EPOCH,
                "processed_at": Timestamp::UNIX_EPOCH, "trace": "", "change": change,
            });
            serde_json::from_value(text).unwrap()
        };
        let entries = vec![entry("e-0", None), entry("e-1", Some(&change)), entry("e-10", Some(&change))];
        let found = |id| find(&entries, id).map(|entry| entry.id.clone());
        assert_eq!(found("e-0"), None, "it was stale: what stood has another document");
        assert_eq!(found("e-1").as_deref(), Some("e-1"));
        assert_eq!(found("e-2"), None);
    }
}
