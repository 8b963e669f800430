//! Starting: marks for the resources of a connection, so that their syncs begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::seen;
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
use hooktide_store::records::connection::Connection;
use hooktide_store::records::job::{MOST_NAMED, Raise};
use hooktide_store::records::resource::{Reading, Resource, ResourceId};
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

/// Begins to read and to watch the parts of a resource that a page listed and that have no record yet; what is known of those
/// that are gone goes.
pub(super) async fn parts(
    ports: &Ports,
    task: &Task<'_>,
    source: &dyn Source,
    id: &ResourceId,
    parts: &[Part],
) -> Result<(), Fault> {
    let Some(of) = source.parts_of(&id.name) else { return Ok(()) };
    let connection = &id.connection;
    let mut has_news = false;
    for part in parts.iter().take(MOST_PARTS) {
        let id = ResourceId::new(connection, of).part(&part.id);
        let key = id.key(task.tenant);
        let stored = records::get::<Resource>(&*ports.table, &key).await?;
        let known = stored.as_ref().map(|stored| &stored.record);
        if let Some(next) = listed(known, &id, part) {
            let write = records::replace(&key, stored.as_ref().map(|stored| stored.rev), &next, Upkeep::default())?;
            ports.table.write(write).await.map_err(records::raced)?;
        }
        if is_due(known, part) {
            raise(ports, task.tenant, &id, MarkReason::Asked, task.now).await?;
            has_news = true;
        }
    }
    if has_news { watch::look(ports, task.tenant, connection, task.now).await } else { Ok(()) }
}

/// Asks by their ids for the parts that a listing lacks: the answer says whether one is gone.
pub(super) async fn unlisted_parts(
    ports: &Ports,
    task: &Task<'_>,
    source: &dyn Source,
    id: &ResourceId,
    reading: &Reading,
) -> Result<(), Fault> {
    let Some(of) = source.parts_of(&id.name) else { return Ok(()) };
    let Some(seen) = seen::all(ports, task.tenant, id, reading).await? else { return Ok(()) };
    let known = known(ports, task.tenant, &id.connection).await?;
    let parts = known.into_iter().map(|stored| stored.record).filter(|resource| resource.name == of);
    let parts = parts.filter_map(|resource| resource.part).filter(|part| !seen.contains(&seen::short(part)));
    let entities: BTreeSet<String> = parts.take(MOST_NAMED).collect();
    if entities.is_empty() {
        return Ok(());
    }
    let (resource, reasons) = (id.to_string(), BTreeMap::from([(MarkReason::Asked, 1)]));
    let raise =
        Raise { tenant: task.tenant, job: JobKind::SYNC, resource: &resource, reasons: &reasons, entities: &entities };
    raise::raise(ports, &raise, Duration::ZERO, task.now).await.map(drop)
}

/// Whether a part that a page names is to be read, or what is known of it to go. A run that was cut off may have written its
/// record and not raised its mark.
fn is_due(known: Option<&Resource>, part: &Part) -> bool {
    match known {
        Some(known) => part.is_gone || known.is_gone || known.last_sync.is_none(),
        None => !part.is_gone,
    }
}

/// The record of a part after a page named it; `None` if nothing of it changes.
fn listed(known: Option<&Resource>, id: &ResourceId, part: &Part) -> Option<Resource> {
    if part.is_gone {
        let known = known.filter(|known| !known.is_gone)?;
        return Some(Resource { is_gone: true, ..known.clone() });
    }
    let fresh = || Resource::new(id, ResourceMode::Polling);
    let named = known.cloned().unwrap_or_else(fresh);
    let named = Resource { title: Some(part.name.clone()), is_primary: part.is_primary, is_gone: false, ..named };
    (known != Some(&named)).then_some(named)
}
