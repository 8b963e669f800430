//! Whether a provider can be asked on behalf of a connection.

use crate::connect::Context;
use hooktide_model::fault::Fault;
use hooktide_model::names::CredentialState;
use hooktide_providers::Provider;
use hooktide_store::records::authorization::{self, Authorization};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::{self, Stored};

/// The state of a connection's credentials.
pub(super) async fn state(context: Context<'_>, connection: &Connection) -> Result<CredentialState, Fault> {
    let provider = hooktide_providers::by_id(&connection.provider);
    if !provider.is_some_and(are_needed) {
        return Ok(CredentialState::Ok);
    }
    let Some(newest) = connection.credentials.iter().map(|secret| secret.created_at).max() else {
        return Ok(CredentialState::Missing);
    };
    let key = authorization::key(context.tenant, &connection.id);
    let stored = records::get::<Authorization>(&*context.ports.table, &key).await?;
    let is_refused = stored.is_some_and(|Stored { record, .. }| {
        // Newer ones were not tried yet.
        record.refused_since.is_some() && record.refused.is_none_or(|refused| refused >= newest)
    });
    Ok(if is_refused { CredentialState::NeedsReauthorization } else { CredentialState::Ok })
}

/// Whether connections to a provider have anything to ask it.
pub(super) fn are_needed(provider: &dyn Provider) -> bool {
    provider.source().is_some() || provider.subscriptions().is_some()
}
