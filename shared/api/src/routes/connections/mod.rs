//! `/v1/connections`: one account at one provider, of one tenant.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;

use hooktide_flows::connect::webhook_url;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::endpoint::{self, Endpoint};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::handshakes::{HandshakeView, handshake_of};
use super::secrets::{self, SecretViews};
use crate::answer::Answer;
use crate::state::Api;

/// A connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    id: String,
    provider: String,
    name: String,
    account: Option<String>,
    /// The endpoint that its deliveries come to; its own has the same id.
    endpoint: String,
    /// What the provider is told to call.
    webhook_url: String,
    #[schema(value_type = Object)]
    secrets: SecretViews,
    settings: ConnectionSettings,
    /// The last verification code that came to its own address, to be entered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

async fn view(api: &Api, connection: Connection) -> Answer<ConnectionView> {
    let mut sealed: Vec<_> = connection.credentials.iter().collect();
    let key = endpoint::key(&connection.provider, &connection.endpoint);
    let endpoint = match connection.owns_endpoint() {
        true => records::get::<Endpoint>(api.table(), &key).await?,
        false => None,
    };
    sealed.extend(endpoint.iter().flat_map(|endpoint| &endpoint.record.secrets));
    let computed = webhook_url(api.settings(), &connection.provider, &connection.endpoint);
    Ok(ConnectionView {
        handshake: match connection.owns_endpoint() {
            true => handshake_of(api, &connection.provider, &connection.endpoint).await?,
            false => None,
        },
        secrets: secrets::views(api, &connection.provider, &connection.endpoint, &sealed).await?,
        webhook_url: endpoint.map_or(computed.clone(), |endpoint| endpoint.record.address(computed)),
        id: connection.id,
        provider: connection.provider,
        name: connection.name,
        account: connection.account,
        endpoint: connection.endpoint,
        settings: connection.settings,
        created_at: connection.created_at,
    })
}
