//! What a sync says about the subscriptions of its resource: a webhook rang, or should have.

use jiff::Timestamp;

use super::mode;
use crate::Ports;
use crate::watch;
use crate::watch::health::{Observation, observe};
use hooktide_model::fault::Fault;
use hooktide_model::names::{ResourceMode, Via};
use hooktide_model::tenant::Tenant;
use hooktide_store::records::resource::{Reading, ResourceId};
use hooktide_store::records::subscription::{self, MISSED, Subscription};
use hooktide_store::records::{self, Stored, Upkeep};

/// What a reading that is complete says about the subscriptions of its resource. Webhooks that carry the state ring no sync: a
/// reading shows that they come by what is known already.
fn observation(reading: &Reading) -> Option<Observation> {
    match reading.via {
        Via::Webhook => Some(Observation::Success),
        // Where some are reported and some are missed, webhooks do not come as they should.
        Via::Polling | Via::Full | Via::Probe if reading.missed > 0 => Some(Observation::Failure),
        Via::Polling | Via::Full | Via::Probe => reading.reported.then_some(Observation::Success),
        Via::Import | Via::Own => None,
    }
}

/// Notes it with the subscriptions; returns how the changes of the resource are found from now on, if that may have changed.
pub(super) async fn note(
    ports: &Ports,
    tenant: &Tenant,
    id: &ResourceId,
    reading: &Reading,
    now: Timestamp,
) -> Result<Option<ResourceMode>, Fault> {
    let Some(observation) = observation(reading) else { return Ok(None) };
    let mut all = mode::subscriptions(ports, tenant, &id.connection).await?;
    let about = |one: &Subscription| one.covers(&id.name, id.part.as_deref()) && one.provider_id.is_some();
    for stored in all.iter_mut().filter(|stored| about(&stored.record)) {
        if stored.record.failures == 0 && observation == Observation::Success {
            continue;
        }
        let (mut next, _) = observe(&stored.record, observation, now);
        if observation == Observation::Failure {
            next.reason = Some(MISSED.to_owned());
        }
        store(ports, tenant, stored, &next).await?;
        stored.record = next;
    }
    if observation == Observation::Failure {
        // They are repaired, and not only when they are due.
        watch::look(ports, tenant, &id.connection, now).await?;
    }
    let all: Vec<Subscription> = all.into_iter().map(|stored| stored.record).collect();
    Ok(Some(mode::decide(&all, id, now)))
}

/// Stores it, unless the renewer did something with it at the same time: that counts as well.
async fn store(
    ports: &Ports,
    tenant: &Tenant,
    stored: &Stored<Subscription>,
    next: &Subscription,
) -> Result<(), Fault> {
    let key = subscription::key(tenant, &next.connection, &next.id);
    let write = records::replace(&key, Some(stored.rev), next, Upkeep::default())?;
    records::unless_raced(ports.table.write(write).await)
}
