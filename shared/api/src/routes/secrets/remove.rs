//! `DELETE /v1/connections/{id}/secrets/{name}/{key_id}`, and the same of endpoints.

use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_flows::connect;

use crate::access::{Admin, May, Operate};
use crate::answer::Answer;

/// Removes a secret of a connection.
#[utoipa::path(delete, path = "/v1/connections/{id}/secrets/{name}/{key_id}", operation_id = "remove_connection_secret",
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_from_connection(
    may: May<Operate>,
    Path((id, name, key_id)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    connect::remove_secret(may.context(), &id, &name, &key_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes a secret of an endpoint.
#[utoipa::path(delete, path = "/v1/endpoints/{id}/secrets/{name}/{key_id}", operation_id = "remove_endpoint_secret",
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_from_endpoint(
    may: May<Admin>,
    Path((id, name, key_id)): Path<(String, String, String)>,
) -> Answer<StatusCode> {
    connect::remove_secret_of_endpoint(may.context(), &id, &name, &key_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
