//! Parting: the credentials of a connection that is deleted outlive it until its subscriptions are ended at the provider, an
//! hour at the most.

use std::time::Duration;

use jiff::Timestamp;

use super::ending::named;
use crate::Ports;
use crate::asking::Failure;
use crate::follow::busy::kept::has_blocks;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Write, WriteFault};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Stored, Upkeep, authorization};

/// How long a provider may keep us from ending subscriptions.
const LONGEST: Duration = Duration::from_secs(3600);
/// How many subscriptions are counted.
const COUNTED: usize = 1_000;

/// How many subscriptions of a connection its provider may have: also one of which nobody heard may be there.
pub(crate) async fn at_provider(ports: &Ports, tenant: &Tenant, id: &str) -> Result<usize, Fault> {
    let (partition, prefix) = (subscription::partition(tenant), subscription::prefix(id));
    Ok(records::list_all::<Subscription>(&*ports.table, partition, &prefix, COUNTED).await?.len())
}

/// Whether the connection is deleted and its time to end subscriptions is over.
pub(crate) fn is_over(connection: &Connection, now: Timestamp) -> bool {
    connection.deleted_at.is_some_and(|deleted_at| deleted_at + LONGEST <= now)
}

/// When to try again: not after that time is over.
pub(super) fn in_time(connection: &Connection, next_at: Timestamp) -> Timestamp {
    connection.deleted_at.map_or(next_at, |deleted_at| next_at.min(deleted_at + LONGEST))
}

/// What the activity says of a subscription that could not be ended.
pub(super) fn left(one: &Subscription, failure: &Failure) -> String {
    let rest = match (one.expires_at, &one.provider_id) {
        (Some(ends_at), _) => format!("it ends by itself at {ends_at}"),
        (None, Some(id)) => format!("remove {id} in the provider's dashboard"),
        (None, None) => format!("see whether one to {} is left in the provider's dashboard", one.url),
    };
    format!("{} could not be ended: {failure}; {rest}", named(one))
}

/// Erases the credentials of a connection that is deleted, once there is nothing to end with them.
pub(crate) async fn settle(ports: &Ports, tenant: &Tenant, id: &str, now: Timestamp) -> Result<(), Fault> {
    let key = connection::key(tenant, id);
    let Some(Stored { rev, record }) = records::get::<Connection>(&*ports.table, &key).await? else { return Ok(()) };
    if record.deleted_at.is_none() || record.credentials.is_empty() {
        return Ok(());
    }
    // Blocks are removed with the same credentials, in the same time.
    if !is_over(&record, now) && has_blocks(ports, tenant, id).await? {
        return Ok(());
    }
    let delete = Write::Delete { key: authorization::key(tenant, id), condition: None };
    match ports.table.write(delete).await {
        Ok(_) | Err(WriteFault::Condition(_)) => {}
        Err(fault) => return Err(records::raced(fault)),
    }
    let bare = Connection { credentials: Vec::new(), ..record };
    let write = records::replace(&key, Some(rev), &bare, Upkeep::default())?;
    ports.table.write(write).await.map(drop).map_err(records::raced)
}
