//! Lanes: where one ends, and how it grows.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Entry, Position, key, parse_position, partition, positions};
use crate::ports::{Query, Table, Write};
use crate::records::{self, Record, Stored, Upkeep};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The sort key of a lane's genesis, after all positions.
const GENESIS: &str = "genesis";
/// How far beyond its former start an expired lane starts anew.
const LEAP: u64 = 1 << 32;

/// The record of a lane's start.
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
    /// The lane is empty; carries its previous start and the revision of that record, if there is one.
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

/// The lane that a batch takes, by the hash of its first envelope's id.
pub fn lane_of(envelope: &str, lanes: u8) -> u8 {
    signing::sha256(&[envelope.as_bytes()])[0] % lanes.max(1)
}

/// Finds the end of a lane.
///
/// An expired last position does not count: the store deletes in any order, so positions after it may already be gone,
/// and a reader may have seen them.
///
/// Where a lane is empty, it is looked at again once its genesis is read: another writer may have started it between the two reads,
/// and its genesis would be taken for that of a lane that expired. The lane would then start twice, one half of it behind its
/// readers. Who starts it later changes the genesis, so that nobody appends by the one that was read.
pub async fn head(table: &dyn Table, tenant: &Tenant, lane: u8, now: Timestamp) -> Result<Head, Fault> {
    if let Some(position) = last(table, tenant, lane, now).await? {
        return Ok(Head::At(position));
    }
    let genesis: Option<Stored<Genesis>> = records::get(table, &partition(tenant, lane).key(GENESIS)).await?;
    let genesis = genesis.map(|genesis| (genesis.record.start, genesis.rev));
    Ok(last(table, tenant, lane, now).await?.map_or(Head::Empty(genesis), Head::At))
}

/// The last position of a lane that has not expired.
async fn last(table: &dyn Table, tenant: &Tenant, lane: u8, now: Timestamp) -> Result<Option<u64>, Fault> {
    let query = Query { partition: partition(tenant, lane), range: positions(0), descending: true, limit: 1 };
    let page = table.query(&query).await?;
    let last = page.items.first().filter(|last| !records::has_expired(last, now));
    last.map(|last| parse_position(records::sort_of(last))).transpose()
}

/// The writes that append entries after `head`: one, or two if the lane starts.
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
    let upkeep = Upkeep::until(records::kept_until(received_at, now, keep));
    let mut writes = vec![records::insert(&key(tenant, lane, position), &item, upkeep)?];
    if let Head::Empty(former) = head {
        let key = partition(tenant, lane).key(GENESIS);
        writes.push(records::replace(
            &key,
            former.map(|(_, rev)| rev),
            &Genesis { start: position },
            Upkeep::default(),
        )?);
    }
    Ok(writes)
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
}
