//! Subscriptions that no list shows, known by their messages: each says which subscription sent it, and by which id that is
//! ended. Some messages are about the subscription itself.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::health::{Observation, observe};
use super::listing::stray;
use super::look;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Listed, Subscriptions};
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Upkeep};

/// How many subscriptions of a connection are looked through.
const MOST: usize = 2_000;
/// Why the message of a subscription that is none of ours is ignored.
pub(crate) const UNKNOWN: &str = "its subscription was replaced, has ended, or is not known";

/// What a message says of the subscription that sent it.
pub(crate) struct Sender<'a> {
    /// Our reference, which the provider proved.
    pub(crate) reference: &'a str,
    /// The provider's id of it, if the message says it.
    pub(crate) id: Option<&'a str>,
    /// When the message was received.
    pub(crate) at: Timestamp,
    /// Why its resource has to be asked.
    pub(crate) reason: MarkReason,
}

/// What a message says of the subscription itself, by the reason that it gives. What was missed is read because of that reason,
/// as it is after everything else.
fn observation(reason: MarkReason) -> Option<Observation> {
    match reason {
        MarkReason::Reauthorize => Some(Observation::ReauthorizationRequired),
        MarkReason::Removed => Some(Observation::Gone),
        MarkReason::Hint
        | MarkReason::Unsettled
        | MarkReason::Asked
        | MarkReason::Full
        | MarkReason::Poll
        | MarkReason::Probe
        | MarkReason::Nightly
        | MarkReason::Missed => None,
    }
}

/// The subscription of a connection that sent a message, if it is one of ours. One that is not is a stray, and the message says
/// how it is ended.
pub(crate) async fn sent_by(
    ports: &Ports,
    (tenant, connection): (&Tenant, &str),
    facet: &dyn Subscriptions,
    sender: &Sender<'_>,
) -> Result<Option<Subscription>, Fault> {
    let key = subscription::key(tenant, connection, sender.reference);
    let stored = records::get::<Subscription>(&*ports.table, &key).await?;
    let is_stray = stored.as_ref().is_some_and(|stored| stored.record.is_stray());
    // A message about the one that had this reference before says nothing of the one that has it now.
    let is_it = |one: &Subscription| sender.id.is_some() && one.provider_id.as_deref() == sender.id;
    let observed = observation(sender.reason).zip(stored.as_ref().filter(|stored| !is_stray && is_it(&stored.record)));
    let ids = match &stored {
        Some(_) => BTreeSet::new(),
        None => ids(ports, tenant, connection).await?,
    };
    let news = match (&stored, sender.id.filter(|id| facet.is_whole(id))) {
        (_, _) if observed.is_some() => {
            observed.map(|(observation, stored)| (Some(stored.rev), observe(&stored.record, observation, sender.at).0))
        }
        (_, None) => None,
        (Some(stored), Some(id)) => {
            let known = stored.record.provider_id.as_deref();
            let next = Subscription { provider_id: Some(id.to_owned()), ..stored.record.clone() };
            known.is_some_and(|known| !facet.is_whole(known)).then_some((Some(stored.rev), next))
        }
        // A message with an old reference ends nothing that is wanted.
        (None, Some(id)) if ids.contains(id) => None,
        (None, Some(id)) => Some((None, unknown(ports, connection, facet, (sender, id)))),
    };
    if let Some((rev, next)) = news {
        let write = records::replace(&key, rev, &next, Upkeep::default())?;
        let written = ports.table.write(write).await;
        match observed {
            // Nobody says so again, so the message is processed again.
            Some(_) => written.map(drop).map_err(records::raced)?,
            // Where somebody did something with it at the same time, its next message says the same.
            None => records::unless_raced(written)?,
        }
        look(ports, tenant, connection, sender.at).await?;
    }
    Ok(stored.map(|stored| stored.record).filter(|_| !is_stray))
}

/// The provider's ids of the connection's subscriptions.
async fn ids(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<BTreeSet<String>, Fault> {
    let (partition, prefix) = (subscription::partition(tenant), subscription::prefix(connection));
    let all = records::list_all::<Subscription>(&*ports.table, partition, &prefix, MOST).await?;
    Ok(all.into_iter().filter_map(|(_, stored)| stored.record.provider_id).collect())
}

/// The row of one that nothing here knows.
fn unknown(
    ports: &Ports,
    connection: &str,
    facet: &dyn Subscriptions,
    (sender, id): (&Sender<'_>, &str),
) -> Subscription {
    let listed = Listed { id: id.to_owned(), topic: String::new(), url: String::new(), enabled: true, reference: None };
    Subscription {
        id: sender.reference.to_owned(),
        expires_at: facet.plan().life.map(|life| sender.at + life),
        ..stray(connection, &listed, &ports.entropy, sender.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_the_subscription_itself_renews_it_or_makes_it_anew() {
        for (reason, expected) in [
            (MarkReason::Reauthorize, Some(Observation::ReauthorizationRequired)),
            (MarkReason::Removed, Some(Observation::Gone)),
            (MarkReason::Missed, None),
            (MarkReason::Hint, None),
        ] {
            assert_eq!(observation(reason), expected, "{reason}");
        }
    }
}
