//! `POST /v1/connections`.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use hooktide_flows::connect;
use hooktide_model::settings::connection::ConnectionSettings;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::secrets::{GivenSecrets, given};
use super::{ConnectionView, view};
use crate::access::{May, Operate};
use crate::answer::{Answer, Hashed, created};
use crate::{claim, idempotency};

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// The provider's id.
    provider: String,
    /// What people call it.
    #[serde(default)]
    name: Option<String>,
    /// The provider's account: for Shopify the shop's domain.
    #[serde(default)]
    account: Option<String>,
    /// What verifies deliveries, and API credentials: a text, or several, newest first.
    #[serde(default)]
    #[schema(value_type = Object)]
    secrets: GivenSecrets,
    /// Settings; one that is not known here is 422.
    #[serde(default)]
    #[schema(value_type = ConnectionSettings)]
    settings: Map<String, Value>,
    /// The endpoint of a provider app that serves many accounts; without it, the connection gets its own.
    #[serde(default)]
    endpoint: Option<String>,
    /// The consent of that endpoint's owner, where the tenant is not named by it; endpoint and account default to the
    /// claim's.
    #[serde(default)]
    claim: Option<String>,
}

/// Makes a connection. With `Idempotency-Key`, the same request again gives the same connection, and another one is 422.
#[utoipa::path(post, path = "/v1/connections", operation_id = "create_connection", request_body = NewConnection,
    responses((status = 201, body = ConnectionView), (status = 409), (status = 422)))]
pub(crate) async fn create(
    may: May<Operate>,
    headers: HeaderMap,
    Hashed(new, hash): Hashed<NewConnection>,
) -> Answer<(StatusCode, Json<ConnectionView>)> {
    let tenant = may.tenant();
    let repeat = idempotency::repeat(&may.api, tenant, &headers, hash).await?;
    let new = connect::NewConnection {
        provider: new.provider,
        name: new.name,
        account: new.account,
        secrets: given(new.secrets),
        settings: new.settings,
        endpoint: new.endpoint,
        consent: claim::consent(&may.api, tenant, new.claim.as_deref()).await?,
    };
    let connection = connect::create(may.context(), new, &repeat).await?;
    Ok(created(view(&may.api, may.tenant(), connection).await?))
}
