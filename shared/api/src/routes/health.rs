//! `/v1/health`: for load balancers.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::ok;

/// That the process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The version that runs.
    version: &'static str,
}

/// Whether the process answers; needs no token and reads nothing.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}
