//! Erase: what goes with a connection. Its deliveries stop first, the record of the connection goes last, so that an
//! erasure that was cut off can be taken up again. The journal is kept.

use futures::{StreamExt, TryStreamExt};
use hooktide_core::envelope::blob_fault;
use hooktide_core::fault::Fault;
use hooktide_core::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_core::names::Kind;
use hooktide_core::ports::{AttributeValue, Condition, Key, Query, Range, Write, WriteFault};
use hooktide_core::records;
use hooktide_core::records::Stored;
use hooktide_core::records::connection::{self, Connection};
use hooktide_core::records::endpoint::{Endpoint, belonging_key, key, route_key};
use hooktide_core::tenant::Tenant;
use object_store::path::Path;
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::transact;
use super::endpoints::tombstone;
use crate::answer::Answer;
use crate::state::Api;

/// How many items one request erases at the most.
const MOST: usize = 5_000;
/// How many items are read at once.
const PAGE: usize = 100;

/// What was erased.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Connections.
    connections: usize,
    /// Secrets and credentials.
    secrets: usize,
    /// Things whose state was known.
    entities: usize,
    /// Documents.
    documents: usize,
}

/// Erases a connection and what is known through it; whether something remains.
pub(crate) async fn connection(api: &Api, tenant: &Tenant, stored: Stored<Connection>) -> Answer<(Erased, bool)> {
    let mut erased = Erased { secrets: stored.record.credentials.len(), ..Erased::default() };
    erased.secrets += stop(api, tenant, &stored.record).await?;
    for shard in 0..ENTITY_SHARDS {
        if !erase_shard(api, tenant, &stored.record, shard, &mut erased).await? {
            return Ok((erased, true));
        }
    }
    let directory = Path::from(format!("documents/{tenant}/{}", stored.record.id));
    let blobs = &api.ports().blobs;
    let found = blobs.list(Some(&directory)).take(MOST).map_ok(|found| found.location).boxed();
    let deleted: Vec<_> = blobs.delete_stream(found).try_collect().await.map_err(|error| blob_fault(&error))?;
    erased.documents += deleted.len();
    if deleted.len() == MOST {
        return Ok((erased, true));
    }
    let condition = Some(records::unchanged(stored.rev));
    let delete = Write::Delete { key: connection::key(tenant, &stored.record.id), condition };
    transact(api, vec![delete]).await?;
    erased.connections = 1;
    Ok((erased, false))
}

/// Stops the deliveries of a connection; how many secrets went.
async fn stop(api: &Api, tenant: &Tenant, connection: &Connection) -> Answer<usize> {
    if !connection.owns_endpoint() {
        let Some(account) = &connection.account else { return Ok(0) };
        let key = route_key(&connection.provider, &connection.endpoint, account);
        // Somebody else may have connected the account since an erasure that was cut off.
        let own = Condition::All(vec![
            Condition::Equals("connection", AttributeValue::S(connection.id.clone())),
            Condition::Equals("tenant", AttributeValue::S(tenant.to_string())),
        ]);
        return match api.table().write(Write::Delete { key, condition: Some(own) }).await {
            Ok(_) | Err(WriteFault::Condition(_)) => Ok(0),
            Err(fault) => Err(records::raced(fault).into()),
        };
    }
    let stored = records::get::<Endpoint>(api.table(), &key(&connection.provider, &connection.endpoint)).await?;
    match stored.filter(|stored| stored.record.deleted_at.is_none() && stored.record.tenant == *tenant) {
        None => Ok(0),
        Some(stored) => {
            transact(api, vec![tombstone(api, &stored)?]).await?;
            Ok(stored.record.secrets.len())
        }
    }
}

/// Erases one partition of entities and documents; whether all of it.
async fn erase_shard(
    api: &Api,
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
        let page = api.table().query(&query).await?;
        let keys: Vec<Key> = page.items.iter().map(|item| partition.clone().key(records::sort_of(item))).collect();
        let apart = keys.iter().filter(|key| key.sort().starts_with("document#")).count();
        // The small ones are in their entities.
        let within = page.items.iter().filter(|item| item.inner().contains_key("document")).count();
        erased.documents += apart + within;
        erased.entities += keys.len() - apart;
        let belongings = keys.iter().filter_map(|key| belonging_of(connection, key.sort()));
        let deletes: Vec<Write> = belongings.chain(keys.iter().cloned()).map(delete).collect();
        for result in api.table().write_many(deletes).await {
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
