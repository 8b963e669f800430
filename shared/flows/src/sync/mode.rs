//! How the changes of a resource are found: by webhooks as long as a subscription is well, else by polling.

use jiff::Timestamp;

use crate::Ports;
use crate::course::Course;
use hooktide_model::fault::Fault;
use hooktide_model::names::ResourceMode;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::resource::ResourceId;
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Stored};

/// How many subscriptions of a connection are looked at.
const MOST: usize = 2_000;

/// How the changes of a resource are found now.
pub(super) async fn of(
    ports: &Ports,
    tenant: &Tenant,
    course: Course,
    id: &ResourceId,
    now: Timestamp,
) -> Result<ResourceMode, Fault> {
    if let Some(mode) = course.fixed() {
        return Ok(mode);
    }
    let all = subscriptions(ports, tenant, &id.connection).await?;
    let all: Vec<Subscription> = all.into_iter().map(|stored| stored.record).collect();
    Ok(decide(&all, id, now))
}

/// The subscriptions of a connection.
pub(crate) async fn subscriptions(
    ports: &Ports,
    tenant: &Tenant,
    connection: &str,
) -> Result<Vec<Stored<Subscription>>, Fault> {
    let (partition, prefix) = (subscription::partition(tenant), subscription::prefix(connection));
    let found = records::list_all::<Subscription>(&*ports.table, partition, &prefix, MOST).await?;
    Ok(found.into_iter().map(|(_, stored)| stored).collect())
}

/// By webhooks, if each topic about the resource has a live subscription.
pub(super) fn decide(subscriptions: &[Subscription], id: &ResourceId, now: Timestamp) -> ResourceMode {
    let about: Vec<&Subscription> =
        subscriptions.iter().filter(|one| one.covers(&id.name, id.part.as_deref())).collect();
    let is_live = |topic: &str| about.iter().any(|one| one.topic == topic && one.is_live(now));
    match !about.is_empty() && about.iter().all(|one| is_live(&one.topic)) {
        true => ResourceMode::Webhook,
        false => ResourceMode::Polling,
    }
}
