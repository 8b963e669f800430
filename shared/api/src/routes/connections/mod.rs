//! `/v1/connections`: one account at one provider, of one tenant.

pub(crate) mod authorize;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod show;

use hooktide_flows::connect::{self, webhook_url, webhooks_of};
use hooktide_model::names::CredentialsState;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::tenant::Tenant;
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
    /// What the provider is told to call; `null` for one that calls nobody.
    webhook_url: Option<String>,
    #[schema(value_type = Object)]
    secrets: SecretViews,
    settings: ConnectionSettings,
    /// Whether its provider's API can be asked with its credentials; absent where nothing is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<CredentialsState>,
    /// Since when its provider refuses the credentials, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs_reauthorization: Option<ReauthorizationView>,
    /// Since when its provider does not answer as it should.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<DegradedView>,
    /// The last verification code that came to its own address, to be entered at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<HandshakeView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Since when a provider refuses a connection's credentials, and what to do.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReauthorizationView {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What the provider said, and what to do.
    advice: String,
}

/// Since when a provider does not answer as it should.
#[derive(Serialize, ToSchema)]
pub(crate) struct DegradedView {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Until when it is not asked, because it failed so often; then one call finds out.
    #[schema(value_type = Option<String>, format = DateTime)]
    resting_until: Option<Timestamp>,
}

async fn view(api: &Api, tenant: &Tenant, connection: Connection) -> Answer<ConnectionView> {
    let standing = connect::standing(api.ports(), tenant, &connection, api.now()).await?;
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
        webhook_url: webhooks_of(&connection.provider)
            .ok()
            .map(|_| endpoint.map_or(computed.clone(), |endpoint| endpoint.record.address(computed))),
        id: connection.id,
        provider: connection.provider,
        name: connection.name,
        account: connection.account,
        endpoint: connection.endpoint,
        settings: connection.settings,
        credentials: standing.as_ref().map(|standing| standing.state),
        degraded: standing.as_ref().and_then(|standing| {
            standing.unanswered.map(|(since, resting_until)| DegradedView { since, resting_until })
        }),
        needs_reauthorization: standing.and_then(|standing| {
            Some(ReauthorizationView { since: standing.since?, advice: standing.reason.unwrap_or_default() })
        }),
        created_at: connection.created_at,
    })
}
