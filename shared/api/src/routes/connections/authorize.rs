//! `GET /v1/connections/{id}/authorize`.

use axum::Json;
use axum::extract::Path;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, ok};
use crate::consent_state::ConsentState;

/// Where the owner of an account lets us in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Authorization {
    /// The address of the provider's page; it counts once.
    url: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The address of the provider's page on which the owner of the account lets us in. From there, the browser comes back to
/// `/oauth/callback/{provider}`, which the app has to have among its redirect addresses.
#[utoipa::path(get, path = "/v1/connections/{id}/authorize", operation_id = "authorize_connection",
    responses((status = 200, body = Authorization), (status = 404), (status = 409)))]
pub(crate) async fn authorize(may: May<Operate>, Path(id): Path<String>) -> Answer<Json<Authorization>> {
    let state = ConsentState::new(&may, &id).await?;
    let url = state.url(&may.api, may.context()).await?;
    Ok(ok(Authorization { url, expires_at: state.until() }))
}
