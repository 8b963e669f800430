//! Finding connections and endpoints that a tenant may see.

use hooktide_model::address;
use hooktide_model::fault::Fault;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::{self, Stored};

use super::{Context, Refusal};
use crate::Settings;

/// Finds a connection of the tenant.
pub async fn connection_of(context: Context<'_>, id: &str) -> Result<Stored<Connection>, Refusal> {
    let stored = records::get::<Connection>(context.table(), &connection::key(context.tenant, id)).await?;
    stored.filter(|stored| stored.record.deleted_at.is_none()).ok_or(Refusal::NotFound("connection"))
}

/// Finds an endpoint of the tenant, including a connection's own.
pub async fn endpoint_of(context: Context<'_>, id: &str) -> Result<Stored<Endpoint>, Refusal> {
    let found = any_endpoint(context, id).await?;
    found.filter(|stored| stored.record.tenant == *context.tenant).ok_or(Refusal::NotFound("endpoint"))
}

/// Finds an endpoint of the tenant that serves many accounts.
pub async fn shared_endpoint_of(context: Context<'_>, id: &str) -> Result<Stored<Endpoint>, Refusal> {
    let stored = endpoint_of(context, id).await?;
    if stored.record.connection.is_some() { Err(Refusal::NotFound("endpoint")) } else { Ok(stored) }
}

/// Finds an endpoint of whatever tenant, by the provider that its id is marked with.
pub(super) async fn any_endpoint(context: Context<'_>, id: &str) -> Result<Option<Stored<Endpoint>>, Fault> {
    let keys = context.ports.keys.root().await?;
    let Some(provider) = hooktide_providers::ALL.iter().find(|provider| address::is_ours(provider.id(), id, &keys))
    else {
        return Ok(None);
    };
    let stored = records::get::<Endpoint>(context.table(), &endpoint::key(provider.id(), id)).await?;
    Ok(stored.filter(|stored| stored.record.deleted_at.is_none()))
}

/// The address that a provider is told to call.
pub fn webhook_url(settings: &Settings, provider: &str, endpoint: &str) -> String {
    format!("{}{}", settings.public_url, address::webhook_path(provider, endpoint))
}
