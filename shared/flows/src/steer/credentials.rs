//! Whether a provider can be asked on behalf of a connection.

use crate::connect::{Context, standing};
use hooktide_model::fault::Fault;
use hooktide_model::names::CredentialsState;
use hooktide_store::records::connection::Connection;

/// The state of a connection's credentials; well, where none are needed.
pub(super) async fn state(context: Context<'_>, connection: &Connection) -> Result<CredentialsState, Fault> {
    let standing = standing(context.ports, context.tenant, connection, context.now).await?;
    Ok(standing.map_or(CredentialsState::Ok, |standing| standing.state))
}
