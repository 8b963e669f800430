//! `POST /v1/endpoints`.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use hooktide_flows::connect;
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_store::records::guest::Guest;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::secrets::{GivenSecrets, given};
use super::{EndpointView, view};
use crate::access::{Admin, May};
use crate::answer::{Answer, Hashed, created};
use crate::idempotency;

/// An endpoint to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEndpoint {
    /// The provider's id.
    provider: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// What verifies deliveries: a text, or several, newest first.
    #[schema(value_type = Object)]
    secrets: GivenSecrets,
    /// What the provider calls the app; a note, since each connection names its own account.
    #[serde(default)]
    account: Option<String>,
    /// Settings; one that is not known here is 422.
    #[serde(default)]
    #[schema(value_type = ConnectionSettings)]
    settings: Map<String, Value>,
    /// Which other tenants may connect any account to it, without a claim; `["*"]` lets every tenant that knows its id.
    /// None by default: its owner connects accounts, or signs a claim for each.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    tenants: Vec<Guest>,
}

/// Makes an endpoint for a provider app. With `Idempotency-Key`, the same request again gives the same, and another one is 422.
/// Its owner's connections can then name it, one for each account, and those of the tenants that it lets in.
#[utoipa::path(post, path = "/v1/endpoints", operation_id = "create_endpoint", request_body = NewEndpoint,
    responses((status = 201, body = EndpointView), (status = 422)))]
pub(crate) async fn create(
    may: May<Admin>,
    headers: HeaderMap,
    Hashed(new, hash): Hashed<NewEndpoint>,
) -> Answer<(StatusCode, Json<EndpointView>)> {
    let tenant = may.tenant();
    let repeat = idempotency::repeat(&may.api, tenant, &headers, hash).await?;
    let new = connect::NewEndpoint {
        provider: new.provider,
        name: new.name,
        secrets: given(new.secrets),
        account: new.account,
        settings: new.settings,
        tenants: new.tenants,
    };
    let endpoint = connect::create_endpoint(may.context(), new, &repeat).await?;
    Ok(created(view(&may.api, endpoint).await?))
}
