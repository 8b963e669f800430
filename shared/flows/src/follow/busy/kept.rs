//! The records of the blocks that lie in a connection's calendars.

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Key, Query, Range};
use hooktide_store::records;
use hooktide_store::records::block::{self, Block};

/// Whether blocks lie in the calendars of a connection.
pub(crate) async fn has_blocks(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<bool, Fault> {
    Ok(!keys(ports, tenant, connection, 1).await?.is_empty())
}

/// How many blocks lie in the calendars of a connection; at most so many records are counted.
pub(crate) async fn count(ports: &Ports, tenant: &Tenant, connection: &str, most: usize) -> Result<usize, Fault> {
    let (of, prefix) = (block::partition(tenant), block::prefix_in(connection));
    let found = records::list_all::<Block>(&*ports.table, of, &prefix, most).await?;
    Ok(found.iter().filter(|(_, stored)| stored.record.piece.is_none()).count())
}

/// The records of blocks that lie in the calendars of a connection, at most so many.
pub(crate) async fn keys(ports: &Ports, tenant: &Tenant, connection: &str, most: usize) -> Result<Vec<Key>, Fault> {
    let (partition, range) = (block::partition(tenant), Range::Prefix(block::prefix_in(connection)));
    let query = Query { partition: partition.clone(), range, descending: false, limit: most };
    let page = ports.table.query(&query).await?;
    Ok(page.items.iter().map(|item| partition.clone().key(records::sort_of(item))).collect())
}
