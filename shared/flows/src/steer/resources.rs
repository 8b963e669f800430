//! Resources as people see them: how each is read, how far, and what that costs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Slice, Sliced};
use crate::connect::Context;
use crate::course::{Course, Switches};
use hooktide_model::fault::Fault;
use hooktide_model::names::{ReadOutcome, ResourceMode, Via};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::resource::{self, LastSync, Resource, ResourceId};

/// How often a resource without webhooks has to be polled to be as fresh as people expect: every quarter of an hour.
const POLLED: Duration = Duration::from_secs(900);

/// How a resource of a connection is read.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ResourceView {
    /// The resource: `products`, or `calendar/<calendar>` where it has parts.
    pub resource: String,
    /// Its name among people, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The connection.
    pub connection: String,
    /// The provider.
    pub provider: String,
    /// How its changes are found.
    pub mode: ResourceMode,
    /// How long ago everything up to its cursor was read, in seconds; null before the first complete reading.
    pub cursor_age_seconds: Option<u64>,
    /// The last sync that ended.
    pub last_sync: Option<LastSyncView>,
    /// When the next scheduled sync is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_due: Option<Timestamp>,
    /// How many calls were made today (UTC).
    pub calls_today: u64,
    /// How many calls a poll each quarter of an hour would have made today instead.
    pub polling_would_have_cost: u64,
    /// How many changes were found that a webhook should have reported.
    pub missed: u64,
    /// Since when its syncs fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
}

/// A sync that ended.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LastSyncView {
    /// What began it.
    pub kind: Via,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// How many calls it made.
    pub calls: u32,
    /// How many changes it found.
    pub changes: u32,
    /// How it ended.
    pub outcome: ReadOutcome,
    /// The reason, where it did not end well.
    pub reason: Option<String>,
}

impl From<LastSync> for LastSyncView {
    fn from(sync: LastSync) -> Self {
        let LastSync { kind, at, calls, changes, outcome, reason } = sync;
        Self { kind, at, calls, changes, outcome, reason }
    }
}

impl ResourceView {
    /// The view of a resource. One that is switched to another course counts as such before its next run.
    pub(super) fn of(resource: Resource, connection: &Connection, course: Course, now: Timestamp) -> Self {
        let mode = course.fixed().unwrap_or(resource.mode);
        let age = resource.cursor_at.map(|at| now.duration_since(at).as_secs());
        Self {
            resource: local_name(&resource.id()),
            connection: connection.id.clone(),
            provider: connection.provider.clone(),
            mode,
            cursor_age_seconds: age.map(|age| u64::try_from(age).unwrap_or(0)),
            next_due: resource.next_due.filter(|_| mode != ResourceMode::Off),
            calls_today: resource.calls_today(now),
            polling_would_have_cost: polls(connection.created_at, now) * calls_of_a_poll(&resource),
            missed: resource.missed,
            failing_since: resource.failing_since,
            title: resource.title,
            last_sync: resource.last_sync.map(LastSyncView::from),
        }
    }
}

/// The name of a resource within its connection.
pub(super) fn local_name(id: &ResourceId) -> String {
    match &id.part {
        Some(part) => format!("{}/{part}", id.name),
        None => id.name.clone(),
    }
}

/// How many polls would have been due today, of a connection that was made then.
fn polls(created_at: Timestamp, now: Timestamp) -> u64 {
    let seconds = now.as_second() - created_at.as_second().max(now.as_second() - now.as_second().rem_euclid(86_400));
    u64::try_from(seconds).unwrap_or(0).div_ceil(POLLED.as_secs())
}

/// How many calls a poll makes: as many as the last sync that was none of everything.
fn calls_of_a_poll(resource: &Resource) -> u64 {
    let last = resource.last_sync.as_ref().filter(|sync| sync.kind != Via::Full);
    last.map_or(1, |sync| u64::from(sync.calls.max(1)))
}

/// The resources of a tenant's connections.
pub async fn resources(context: Context<'_>, slice: Slice) -> Result<Sliced<ResourceView>, Fault> {
    let Context { ports, tenant, now, .. } = context;
    let prefix = slice.connection.as_deref().map(resource::prefix).unwrap_or_default();
    let range = match slice.after {
        Some(last) => records::after(&prefix, &last),
        None if prefix.is_empty() => Range::All,
        None => Range::Prefix(prefix),
    };
    let query = Query { partition: resource::partition(tenant), range, descending: false, limit: slice.limit };
    let (found, more) = records::list::<Resource>(&*ports.table, &query).await?;
    let next = found.last().filter(|_| more).map(|(sort, _)| sort.clone());
    let switches = Switches::read(ports, tenant).await?;
    let mut connections: BTreeMap<String, Option<Connection>> = BTreeMap::new();
    let mut items = Vec::with_capacity(found.len());
    for (_, stored) in found {
        let resource = stored.record;
        if !connections.contains_key(&resource.connection) {
            let key = connection::key(tenant, &resource.connection);
            let read = records::get::<Connection>(&*ports.table, &key).await?.map(|stored| stored.record);
            let read = read.filter(|connection| connection.deleted_at.is_none());
            connections.insert(resource.connection.clone(), read);
        }
        if let Some(Some(connection)) = connections.get(&resource.connection) {
            items.push(ResourceView::of(resource, connection, switches.course(connection), now));
        }
    }
    Ok(Sliced { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_alone_would_have_polled_every_quarter_of_an_hour_since_midnight_or_since_the_connection_was_made() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        for (made, now, expected) in [
            ("2026-11-01T00:00:00Z", "2026-11-29T12:00:00Z", 48),
            ("2026-11-29T11:59:00Z", "2026-11-29T12:00:00Z", 1),
            ("2026-11-29T11:00:00Z", "2026-11-29T12:00:00Z", 4),
            ("2026-11-01T00:00:00Z", "2026-11-29T00:00:00Z", 0),
        ] {
            assert_eq!(polls(at(made), at(now)), expected, "{made} {now}");
        }
    }
}
