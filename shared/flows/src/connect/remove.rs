//! Removing a connection and what is known through it. Its deliveries stop and its secrets go at once, in one transaction
//! with a job that looks again later; the record of the connection goes last. The journal is kept. Where the provider has
//! subscriptions, the credentials stay until these are ended there.

use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{Endpoint, key};
use hooktide_store::records::{self, Stored, Upkeep, tag};

use super::endpoint::tombstone;
use super::{Context, Refusal, routing, transact};
use crate::erase;
use crate::follow::busy::parting;
use crate::watch::{self, part};

/// The counts of removed records.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Connections; zero if an earlier request removed it.
    pub connections: usize,
    /// Secrets and credentials.
    pub secrets: usize,
    /// Entities whose state was known.
    pub entities: usize,
    /// Documents.
    pub documents: usize,
    /// Subscriptions that are being ended at the provider.
    pub ending: usize,
    /// Whether the job that looks again has more to erase.
    pub remaining: bool,
}

/// Removes a connection and erases what is known through it, as far as one request can.
pub async fn remove(context: Context<'_>, id: &str) -> Result<Removed, Refusal> {
    let find = async || records::get::<Connection>(context.table(), &connection::key(context.tenant, id)).await;
    let stored = find().await?.ok_or(Refusal::NotFound("connection"))?;
    let mut removed = Removed::default();
    if stored.record.deleted_at.is_none() {
        let blocks = parting::begin(context, id, None).await?;
        match end(context, &stored, blocks).await {
            Ok((secrets, ending)) => {
                removed = Removed { connections: 1, secrets, ending, ..removed };
            }
            // Somebody else may have removed it at the same time, which is as good.
            Err(Refusal::Conflict(detail)) => {
                if find().await?.is_some_and(|stored| stored.record.deleted_at.is_none()) {
                    return Err(Refusal::Conflict(detail));
                }
            }
            Err(refusal) => return Err(refusal),
        }
    }
    let mut erased = erase::ErasedCounts::default();
    let all = erase::whole(context.ports, context.tenant, &stored.record, erase::MARKS, &mut erased).await?;
    Ok(Removed { entities: erased.entities, documents: erased.documents, remaining: !all, ..removed })
}

/// Ends a connection: it receives nothing more and is invisible. Its credentials stay while there are `blocks` in its calendars that
/// are to be removed. Returns the number of secrets that are removed, and of subscriptions that are to be ended first.
async fn end(context: Context<'_>, stored: &Stored<Connection>, blocks: bool) -> Result<(usize, usize), Refusal> {
    let Context { ports, tenant, now, .. } = context;
    let connection = &stored.record;
    let ending = match connection.credentials.is_empty() {
        true => 0,
        false => part::at_provider(ports, tenant, &connection.id).await?,
    };
    let mut gone = Connection { deleted_at: Some(now), ..connection.clone() };
    if ending == 0 && !blocks {
        gone.credentials.clear();
    }
    let mut writes = vec![
        records::replace(&connection::key(tenant, &connection.id), Some(stored.rev), &gone, Upkeep::default())?,
        erase::begin(ports, tenant, &connection.id, now).await?,
        tag::raise(tenant, tag::CONNECTIONS, 0),
    ];
    let mut secrets = connection.credentials.len();
    if connection.owns_endpoint() {
        let endpoint =
            records::get::<Endpoint>(context.table(), &key(&connection.provider, &connection.endpoint)).await?;
        let exists = |stored: &Stored<Endpoint>| stored.record.deleted_at.is_none() && stored.record.tenant == *tenant;
        if let Some(endpoint) = endpoint.filter(exists) {
            writes.push(tombstone(context, &endpoint)?);
            secrets += endpoint.record.secrets.len();
        }
    } else {
        writes.extend(routing::disconnect(context, connection).await?);
    }
    transact(context, writes).await?;
    erase::announce(ports, tenant, &connection.id, now).await;
    if ending > 0 {
        watch::look(ports, tenant, &connection.id, now).await?;
    }
    Ok((secrets, ending))
}
