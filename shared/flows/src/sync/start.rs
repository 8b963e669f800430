//! Starting: marks for the resources of a connection, so that their syncs begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::Ports;
use crate::jobs::announce::announce;
use crate::jobs::raise;
use crate::jobs::task::Task;
use crate::watch;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, ResourceMode};
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Part, Source};
use hooktide_store::ports::WriteFault;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::job::Raise;
use hooktide_store::records::resource::{Resource, ResourceId};
use hooktide_store::records::{self, Stored, Upkeep};

/// Asks for a sync of all resources of a connection, for this reason, at once. Returns them.
pub async fn all(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    reason: MarkReason,
    now: Timestamp,
) -> Result<Vec<ResourceId>, Fault> {
    let known = known(ports, tenant, &connection.id).await?;
    let ids = ids(connection, &known);
    for id in &ids {
        raise(ports, tenant, id, reason, now).await?;
    }
    Ok(ids)
}

/// The resources of a connection: those that are read from the start, and the parts that are known.
pub(crate) fn ids(connection: &Connection, known: &[Stored<Resource>]) -> Vec<ResourceId> {
    let source = hooktide_providers::by_id(&connection.provider).and_then(|provider| provider.source());
    let Some(source) = source else { return Vec::new() };
    let first = source.resources().iter().map(|name| ResourceId::new(&connection.id, name));
    first.chain(known.iter().map(|stored| stored.record.id()).filter(|id| id.part.is_some())).collect()
}

/// The resources of a connection that have a record.
pub(crate) async fn known(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Vec<Stored<Resource>>, Fault> {
    use hooktide_store::records::resource::{partition, prefix};
    let found =
        records::list_all::<Resource>(&*ports.table, partition(tenant), &prefix(connection), MOST_PARTS).await?;
    Ok(found.into_iter().map(|(_, stored)| stored).collect())
}

/// How many resources a connection has at the most.
pub const MOST_PARTS: usize = 1_000;

/// Raises the mark of a resource, due at once, and announces its job.
pub async fn raise(
    ports: &Ports,
    tenant: &Tenant,
    id: &ResourceId,
    reason: MarkReason,
    now: Timestamp,
) -> Result<(), Fault> {
    let (resource, reasons) = (id.to_string(), BTreeMap::from([(reason, 1)]));
    let raise =
        Raise { tenant, job: JobKind::SYNC, resource: &resource, reasons: &reasons, entities: &BTreeSet::new() };
    if let Some(news) = raise::raise(ports, &raise, Duration::ZERO, now).await? {
        announce(ports, &news, now).await;
    }
    Ok(())
}

/// Begins to read the parts of a resource that a page listed and that have no record yet, and to watch them.
pub(super) async fn parts(
    ports: &Ports,
    task: &Task<'_>,
    source: &dyn Source,
    id: &ResourceId,
    parts: &[Part],
) -> Result<(), Fault> {
    let Some(of) = source.parts_of(&id.name) else { return Ok(()) };
    let connection = &id.connection;
    let mut has_new = false;
    for part in parts.iter().filter(|part| !part.is_gone).take(MOST_PARTS) {
        let id = ResourceId::new(connection, of).part(&part.id);
        let key = id.key(task.tenant);
        if records::get::<Resource>(&*ports.table, &key).await?.is_some() {
            continue;
        }
        let resource = Resource { title: Some(part.name.clone()), ..Resource::new(&id, ResourceMode::Polling) };
        match ports.table.write(records::insert(&key, &resource, Upkeep::default())?).await {
            Ok(_) | Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
        raise(ports, task.tenant, &id, MarkReason::Asked, task.now).await?;
        has_new = true;
    }
    if has_new { watch::look(ports, task.tenant, connection, task.now).await } else { Ok(()) }
}
