//! `POST /v1/connections/{id}/sync/run`.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_flows::steer::{self, Order};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, Body, accepted};

/// The sync that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    /// Whether everything is read and compared, rather than what changed.
    #[serde(default)]
    full: bool,
    /// Whether the cursors are forgotten first, as if nothing had been read.
    #[serde(default)]
    reset: bool,
    /// The resource, such as `products` or `calendar/<calendar>`; all by default.
    #[serde(default)]
    resource: Option<String>,
}

/// The sync that begins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    /// What is read. The activity says how each of them ended.
    resources: Vec<String>,
}

/// Asks for a sync, at once.
#[utoipa::path(post, path = "/v1/connections/{id}/sync/run", operation_id = "run_sync", request_body = NewRun,
    responses((status = 202, body = RunView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn run(
    may: May<Operate>,
    Path(id): Path<String>,
    Body(new): Body<NewRun>,
) -> Answer<(StatusCode, Json<RunView>)> {
    let order = Order { full: new.full, reset: new.reset, resource: new.resource };
    Ok(accepted(RunView { resources: steer::run(may.context(), &id, order).await? }))
}
