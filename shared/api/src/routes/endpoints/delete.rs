//! `DELETE /v1/endpoints/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Admin, May};
use crate::answer::{Answer, ok};

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
pub(crate) async fn delete(may: May<Admin>, Path(id): Path<String>) -> Answer<Json<DeletedEndpoint>> {
    let secrets = connect::remove_endpoint(may.context(), &id).await?;
    Ok(ok(DeletedEndpoint { erased: ErasedEndpoint { endpoints: 1, secrets } }))
}
