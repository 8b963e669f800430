//! Reading the journal.

use super::{Entry, Position, key, parse_position, partition, positions};
use crate::ports::{Query, Table};
use crate::records::{self, Stored};
use hooktide_model::envelope;
use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_model::tenant::Tenant;

/// The size that the entries of one item may grow to, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// The entries at a position; none if it is gone.
pub async fn at(table: &dyn Table, tenant: &Tenant, at: JournalPlace) -> Result<Vec<Entry>, Fault> {
    let item: Option<Stored<Position>> = records::get(table, &key(tenant, at.lane, at.position)).await?;
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
    let (items, more) = records::list::<Position>(table, &query).await?;
    let read = items.into_iter().map(|(sort, item)| {
        let position = parse_position(&sort)?;
        Ok(Read { position, first: item.record.first, entries: entries(&item.record)? })
    });
    Ok((read.collect::<Result<_, Fault>>()?, more))
}

fn entries(position: &Position) -> Result<Vec<Entry>, Fault> {
    let text = envelope::decompress(&position.entries, LARGEST)?;
    serde_json::from_slice(&text).map_err(|error| Fault::failed(format!("a journal item does not read: {error}")))
}
