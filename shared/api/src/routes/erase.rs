//! Erase: what goes with a connection. Its deliveries stop first, the record of the connection goes last, so that an
//! erasure that was cut off can be taken up again. The journal is kept.

use hooktide_core::flows::erase;
use hooktide_core::ports::{AttributeValue, Condition, Write, WriteFault};
use hooktide_core::records;
use hooktide_core::records::Stored;
use hooktide_core::records::connection::{self, Connection};
use hooktide_core::records::endpoint::{Endpoint, key, route_key};
use hooktide_core::tenant::Tenant;
use serde::Serialize;
use utoipa::ToSchema;

use super::connections::transact;
use super::endpoints::tombstone;
use crate::answer::Answer;
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

/// Erases a connection and what is known through it; whether something remains.
pub(crate) async fn connection(api: &Api, tenant: &Tenant, stored: Stored<Connection>) -> Answer<(Erased, bool)> {
    let mut erased = Erased { secrets: stored.record.credentials.len(), ..Erased::default() };
    erased.secrets += stop(api, tenant, &stored.record).await?;
    let mut things = erase::Erased::default();
    let all = erase::things(api.ports(), tenant, &stored.record, &mut things).await?;
    (erased.entities, erased.documents) = (things.entities, things.documents);
    if !all {
        return Ok((erased, true));
    }
    let condition = Some(records::unchanged(stored.rev));
    let delete = Write::Delete { key: connection::key(tenant, &stored.record.id), condition };
    transact(api, vec![delete]).await?;
    erased.connections = 1;
    Ok((erased, false))
}

/// Stops the deliveries of a connection; how many secrets went.
async fn stop(api: &Api, tenant: &Tenant, connection: &Connection) -> Answer<usize> {
    if !connection.owns_endpoint() {
        let Some(account) = &connection.account else { return Ok(0) };
        let key = route_key(&connection.provider, &connection.endpoint, account);
        // Somebody else may have connected the account since an erasure that was cut off.
        let own = Condition::All(vec![
            Condition::Equals("connection", AttributeValue::S(connection.id.clone())),
            Condition::Equals("tenant", AttributeValue::S(tenant.to_string())),
        ]);
        return match api.table().write(Write::Delete { key, condition: Some(own) }).await {
            Ok(_) | Err(WriteFault::Condition(_)) => Ok(0),
            Err(fault) => Err(records::raced(fault).into()),
        };
    }
    let stored = records::get::<Endpoint>(api.table(), &key(&connection.provider, &connection.endpoint)).await?;
    match stored.filter(|stored| stored.record.deleted_at.is_none() && stored.record.tenant == *tenant) {
        None => Ok(0),
        Some(stored) => {
            transact(api, vec![tombstone(api, &stored)?]).await?;
            Ok(stored.record.secrets.len())
        }
    }
}
