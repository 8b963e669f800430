//! `/v1/endpoints`: addresses of provider apps that serve many accounts.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;

use hooktide_flows::connect::webhook_url;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_store::records::endpoint::Endpoint;
use hooktide_store::records::guest::Guest;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::handshakes::{HandshakeView, handshake_of};
use super::secrets::{self, SecretViews};
use crate::answer::Answer;
use crate::state::Api;

/// An endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointView {
    id: String,
    provider: String,
    name: String,
    account: Option<String>,
    /// What the provider is told to call.
    webhook_url: String,
    #[schema(value_type = Object)]
    secrets: SecretViews,
    settings: ConnectionSettings,
    /// Which other tenants may connect any account to it, without a claim.
    #[schema(value_type = Vec<String>)]
    tenants: Vec<Guest>,
    /// The last verification code that came to its address, to be entered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

async fn view(api: &Api, endpoint: Endpoint) -> Answer<EndpointView> {
    let sealed: Vec<_> = endpoint.secrets.iter().collect();
    let computed = webhook_url(api.settings(), &endpoint.provider, &endpoint.id);
    Ok(EndpointView {
        handshake: handshake_of(api, &endpoint.provider, &endpoint.id).await?,
        secrets: secrets::views(api, &endpoint.provider, &endpoint.id, &sealed).await?,
        webhook_url: endpoint.address(computed),
        id: endpoint.id,
        provider: endpoint.provider,
        name: endpoint.name,
        account: endpoint.account,
        settings: endpoint.settings,
        tenants: endpoint.tenants,
        created_at: endpoint.created_at,
    })
}
