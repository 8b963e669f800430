//! Enabling a subscription that was given up.

use super::subscriptions::{SubscriptionView, parse_id};
use crate::connect::{Context, Refusal, connection_of};
use crate::watch::health::{Observation, observe};
use crate::watch::look;
use hooktide_model::names::SubscriptionState;
use hooktide_store::records::budget::{self, Breaker, Budget};
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Upkeep};

/// Enables a subscription: it is repaired at once, whatever failed before. One that is well stays as it is.
pub async fn enable(context: Context<'_>, id: &str) -> Result<SubscriptionView, Refusal> {
    let Context { ports, tenant, now, .. } = context;
    let (connection, id) = parse_id(id);
    let missing = || Refusal::NotFound("subscription");
    let connection = connection_of(context, connection).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => missing(),
        other => other,
    })?;
    let Some(id) = id else {
        let manual = SubscriptionView::manual(context, &connection.record).ok_or_else(missing)?;
        return Err(Refusal::conflict(manual.advice.unwrap_or_default()));
    };
    let key = subscription::key(tenant, &connection.record.id, id);
    let stored = records::get::<Subscription>(&*ports.table, &key).await?.ok_or_else(missing)?;
    if stored.record.state == SubscriptionState::Active {
        return Ok(SubscriptionView::of(stored.record));
    }
    let (enabled, _) = observe(&stored.record, Observation::Enabled, now);
    let enabled = Subscription { reason: None, ..enabled };
    let write = records::replace(&key, Some(stored.rev), &enabled, Upkeep::default())?;
    ports.table.write(write).await.map_err(records::raced)?;
    try_again(context, &connection.record.id).await?;
    look(ports, tenant, &connection.record.id, now).await?;
    Ok(SubscriptionView::of(enabled))
}

/// A provider that is left alone, since it did not answer, is asked at once: somebody knows better.
async fn try_again(context: Context<'_>, connection: &str) -> Result<(), Refusal> {
    let key = budget::key(context.tenant, connection);
    let Some(stored) = records::get::<Budget>(&*context.ports.table, &key).await? else { return Ok(()) };
    if stored.record.breaker.open_until.is_none() {
        return Ok(());
    }
    let closed = Budget { breaker: Breaker::default(), ..stored.record };
    let write = records::replace(&key, Some(stored.rev), &closed, Upkeep::default())?;
    Ok(context.ports.table.write(write).await.map(drop).map_err(records::raced)?)
}
