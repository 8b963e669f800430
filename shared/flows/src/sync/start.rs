//! Starting: marks for the resources of a connection, so that their syncs begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::seen;
use crate::Ports;
use crate::inclusion;
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

/// Begins to read and to watch those parts of a resource that a page listed and that are to be read; what is known of those that
/// are gone goes.
pub(super) async fn parts(
    ports: &Ports,
    task: &Task<'_>,
    source: &dyn Source,
    id: &ResourceId,
    parts: &[Part],
) -> Result<(), Fault> {
    let Some(of) = source.parts_of(&id.name) else { return Ok(()) };
    if parts.is_empty() {
        return Ok(());
    }
    let connection = &id.connection;
    let choices = inclusion::chosen(ports, task.tenant, connection).await?;
    let main = main_without_word(ports, task.tenant, (connection, of), parts).await?;
    let mut has_news = false;
    for part in parts.iter().take(MOST_PARTS) {
        let id = ResourceId::new(connection, of).part(&part.id);
        let key = id.key(task.tenant);
        let stored = records::get::<Resource>(&*ports.table, &key).await?;
        let known = stored.as_ref().map(|stored| &stored.record);
        let is_main = part.is_primary.or((main == Some(part.id.as_str())).then_some(true));
        let next = listed(known, &id, part, is_main);
        let is_read = |resource: &Resource| !resource.is_gone && inclusion::is_read(&choices, resource);
        let reads = [known, next.as_ref().or(known)].map(|resource| resource.is_some_and(is_read));
        if let Some(next) = &next {
            let write = records::replace(&key, stored.as_ref().map(|stored| stored.rev), next, Upkeep::default())?;
            ports.table.write(write).await.map_err(records::raced)?;
        }
        let is_due = is_due(known, part, reads);
        if is_due {
            raise(ports, task.tenant, &id, MarkReason::Asked, task.now).await?;
        }
        has_news |= is_due || reads[0] != reads[1];
    }
    if has_news { watch::look(ports, task.tenant, connection, task.now).await } else { Ok(()) }
}

/// The part that counts as the main one where the provider says of none whether it is: the first that was ever listed. One that
/// comes before it in a later list does not take its place.
async fn main_without_word<'a>(
    ports: &Ports,
    tenant: &Tenant,
    (connection, of): (&str, &str),
    parts: &'a [Part],
) -> Result<Option<&'a str>, Fault> {
    let first = parts.iter().find(|part| !part.is_gone);
    let Some(first) = first.filter(|_| parts.iter().all(|part| part.is_primary.is_none())) else { return Ok(None) };
    let known = known(ports, tenant, connection).await?;
    let has_main = known.iter().any(|Stored { record, .. }| record.name == of && record.is_primary && !record.is_gone);
    Ok((!has_main).then_some(first.id.as_str()))
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

/// Whether a part that a page names is to be read now, or what is known of it to go; `reads` is whether it was read, and is. A
/// run that was cut off may have written its record and not raised its mark.
fn is_due(known: Option<&Resource>, part: &Part, [was_read, is_read]: [bool; 2]) -> bool {
    match known {
        Some(_) if part.is_gone => true,
        Some(known) => is_read && (!was_read || known.last_sync.is_none()),
        None => is_read,
    }
}

/// The record of a part after a page named it, which may say whether it is the main one; `None` if nothing of it changes.
fn listed(known: Option<&Resource>, id: &ResourceId, part: &Part, is_main: Option<bool>) -> Option<Resource> {
    if part.is_gone {
        let known = known.filter(|known| !known.is_gone)?;
        return Some(Resource { is_gone: true, ..known.clone() });
    }
    let named = known.cloned().unwrap_or_else(|| Resource::new(id, ResourceMode::Polling));
    let is_primary = is_main.unwrap_or(named.is_primary);
    let named = Resource { title: Some(part.name.clone()), is_primary, is_gone: false, ..named };
    (known != Some(&named)).then_some(named)
}
