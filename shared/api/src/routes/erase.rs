//! Erase: what goes with a connection. Its deliveries stop and its secrets go at once, in one transaction with a job that
//! looks again later; the record of the connection goes last. The journal is kept.

use hooktide_flows::erase;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{Endpoint, key};
use hooktide_store::records::{self, Stored, Upkeep};
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::transact;
use super::endpoints::tombstone;
use super::routing;
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// What was erased.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Connections.
    connections: usize,
    /// Secrets and credentials.
    secrets: usize,
    /// Things whose state was known.
    entities: usize,
    /// Documents.
    documents: usize,
}

/// Deletes a connection and erases what is known through it; whether something remains for the job that looks again.
pub(crate) async fn connection(api: &Api, tenant: &Tenant, id: &str) -> Answer<(Erased, bool)> {
    let find = async || records::get::<Connection>(api.table(), &connection::key(tenant, id)).await;
    let stored = find().await?.ok_or_else(|| Refused::not_found("connection"))?;
    let mut erased = Erased::default();
    if stored.record.deleted_at.is_none() {
        match end(api, tenant, &stored).await {
            Ok(secrets) => (erased.connections, erased.secrets) = (1, secrets),
            // Somebody else may have deleted it at the same time, which is as good.
            Err(refused) if refused.is(ProblemType::Conflict) => {
                if find().await?.is_some_and(|stored| stored.record.deleted_at.is_none()) {
                    return Err(refused);
                }
            }
            Err(refused) => return Err(refused),
        }
    }
    let mut things = erase::Erased::default();
    let all = erase::whole(api.ports(), tenant, &stored.record, erase::MARKS, &mut things).await?;
    (erased.entities, erased.documents) = (things.entities, things.documents);
    Ok((erased, !all))
}

/// Ends a connection: from here on nothing more comes for it, and nobody sees it; how many secrets went.
async fn end(api: &Api, tenant: &Tenant, stored: &Stored<Connection>) -> Answer<usize> {
    let (connection, now) = (&stored.record, api.now());
    let gone = Connection { credentials: Vec::new(), deleted_at: Some(now), ..connection.clone() };
    let mut writes = vec![
        records::replace(&connection::key(tenant, &connection.id), Some(stored.rev), &gone, Upkeep::default())?,
        erase::begin(api.ports(), tenant, &connection.id, now).await?,
    ];
    let mut secrets = connection.credentials.len();
    if connection.owns_endpoint() {
        let endpoint = records::get::<Endpoint>(api.table(), &key(&connection.provider, &connection.endpoint)).await?;
        let stands = |stored: &Stored<Endpoint>| stored.record.deleted_at.is_none() && stored.record.tenant == *tenant;
        if let Some(endpoint) = endpoint.filter(stands) {
            writes.push(tombstone(api, &endpoint)?);
            secrets += endpoint.record.secrets.len();
        }
    } else {
        writes.extend(routing::disconnect(api, tenant, connection).await?);
    }
    transact(api, writes).await?;
    erase::announce(api.ports(), tenant, &connection.id, now).await;
    Ok(secrets)
}
