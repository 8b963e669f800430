//! Erase: what is known of a connection's things, with their documents. The journal, which names things and nobody, stays.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::Ports;
use crate::envelope::blob_fault;
use crate::fault::Fault;
use crate::key::{Area, ENTITY_SHARDS, Partition};
use crate::names::Kind;
use crate::ports::{Key, Query, Range, Write, WriteFault};
use crate::records;
use crate::records::connection::Connection;
use crate::records::endpoint::belonging_key;
use crate::tenant::Tenant;

/// How many items are erased at once at the most; what remains is erased by calling again.
pub const MOST: usize = 5_000;
/// How many items are read at once.
const PAGE: usize = 100;

/// How many things and documents were erased.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Things whose state was known.
    pub entities: usize,
    /// Documents.
    pub documents: usize,
}

/// Erases what is known through a connection; whether all of it.
pub async fn things(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    erased: &mut Erased,
) -> Result<bool, Fault> {
    for shard in 0..ENTITY_SHARDS {
        if !erase_shard(ports, tenant, connection, shard, erased).await? {
            return Ok(false);
        }
    }
    let directory = Path::from(format!("documents/{tenant}/{}", connection.id));
    let found = ports.blobs.list(Some(&directory)).take(MOST).map_ok(|found| found.location).boxed();
    let deleted: Vec<_> = ports.blobs.delete_stream(found).try_collect().await.map_err(|error| blob_fault(&error))?;
    erased.documents += deleted.len();
    Ok(deleted.len() < MOST)
}

/// Erases one partition of entities and documents; whether all of it.
async fn erase_shard(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    shard: u8,
    erased: &mut Erased,
) -> Result<bool, Fault> {
    loop {
        if erased.entities + erased.documents >= MOST {
            return Ok(false);
        }
        let partition = Partition::of(tenant, Area::Entities(&connection.id, shard));
        let query = Query { partition: partition.clone(), range: Range::All, descending: false, limit: PAGE };
        let page = ports.table.query(&query).await?;
        let keys: Vec<Key> = page.items.iter().map(|item| partition.clone().key(records::sort_of(item))).collect();
        let apart = keys.iter().filter(|key| key.sort().starts_with("document#")).count();
        // The small ones are in their entities.
        let within = page.items.iter().filter(|item| item.inner().contains_key("document")).count();
        erased.documents += apart + within;
        erased.entities += keys.len() - apart;
        let belongings = keys.iter().filter_map(|key| belonging_of(connection, key.sort()));
        let deletes: Vec<Write> = belongings.chain(keys.iter().cloned()).map(delete).collect();
        for result in ports.table.write_many(deletes).await {
            match result {
                Ok(()) | Err(WriteFault::Condition(_)) => {}
                Err(fault) => return Err(records::raced(fault)),
            }
        }
        if !page.more {
            return Ok(true);
        }
    }
}

fn delete(key: Key) -> Write {
    Write::Delete { key, condition: None }
}

/// Where it is written that a thing belongs to the account of a connection, from the sort key of its entity.
fn belonging_of(connection: &Connection, sort: &str) -> Option<Key> {
    let (kind, id) = sort.split_once('#')?;
    let kind = Kind::from_name(kind)?;
    let shared = !connection.owns_endpoint();
    shared.then(|| belonging_key(&connection.provider, &connection.endpoint, kind, id))
}
