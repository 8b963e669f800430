//! `/v1/health`: for load balancers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{Answer, Refused, ok};
use crate::state::Api;

/// `Retry-After` of an answer that reports trouble, in seconds.
const LATER: u64 = 10;

/// The answer of a process that can read its table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The version that runs.
    version: &'static str,
}

/// Whether the process answers and can read its table; needs no token.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Problem)))]
pub(crate) async fn health(State(api): State<Arc<Api>>) -> Answer<Json<Health>> {
    match api.readiness().trouble(&api).await {
        None => Ok(ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })),
        Some(trouble) => Err(Refused::new(ProblemType::Unavailable, trouble).retry_after(LATER)),
    }
}
