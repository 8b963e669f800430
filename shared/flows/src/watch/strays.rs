//! Subscriptions that no list shows, known by their messages: each says which subscription sent it, and by which id that is
//! ended.

use jiff::Timestamp;

use super::listing::stray;
use super::look;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Listed, Subscriptions};
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Upkeep};

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
    let news = match (&stored, sender.id.filter(|id| facet.is_whole(id))) {
        (_, None) => None,
        (Some(stored), Some(id)) => {
            let known = stored.record.provider_id.as_deref();
            let next = Subscription { provider_id: Some(id.to_owned()), ..stored.record.clone() };
            known.is_some_and(|known| !facet.is_whole(known)).then_some((Some(stored.rev), next))
        }
        (None, Some(id)) => Some((None, unknown(ports, connection, facet, (sender, id)))),
    };
    if let Some((rev, next)) = news {
        // Where somebody did something with it at the same time, its next message says the same.
        let write = records::replace(&key, rev, &next, Upkeep::default())?;
        records::unless_raced(ports.table.write(write).await)?;
        look(ports, tenant, connection, sender.at).await?;
    }
    Ok(stored.map(|stored| stored.record).filter(|_| !is_stray))
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
