//! `DELETE /v1/endpoints/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hooktide_flows::connect;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Admin, May};
use crate::answer::{Answer, ok};
use crate::state::Api;

/// What deleting an endpoint erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedEndpoint {
    erased: ErasedEndpoint,
}

/// What was erased with an endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErasedEndpoint {
    /// Endpoints.
    endpoints: usize,
    /// Secrets.
    secrets: usize,
}

/// Deletes an endpoint that no connection uses any more.
#[utoipa::path(delete, path = "/v1/endpoints/{id}", operation_id = "delete_endpoint",
    responses((status = 200, body = DeletedEndpoint), (status = 404), (status = 409)))]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
) -> Answer<Json<DeletedEndpoint>> {
    let secrets = connect::remove_endpoint(api.context(may.tenant()), &id).await?;
    Ok(ok(DeletedEndpoint { erased: ErasedEndpoint { endpoints: 1, secrets } }))
}
