//! Waking: once a connection can call its provider, its resources are read and its subscriptions made, at once.

use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::known_tenant;

use super::Context;
use crate::sync::start;
use crate::watch;

/// Asks for a sync of everything and a look at the subscriptions, if the connection has what its API wants. Of one that is
/// switched off nothing is read: its subscriptions end.
pub(super) async fn wake(context: Context<'_>, connection: &Connection) -> Result<(), Fault> {
    let Context { ports, tenant, now, .. } = context;
    known_tenant::note(context.table(), tenant, now).await?;
    let provider = hooktide_providers::by_id(&connection.provider);
    let is_open = provider.is_some_and(|provider| provider.profile().is_open());
    if connection.credentials.is_empty() && !is_open {
        return Ok(());
    }
    if connection.rules.realtime_sync_enabled {
        start::all(ports, tenant, connection, MarkReason::Asked, now).await?;
    }
    watch::look(ports, tenant, &connection.id, now).await
}
