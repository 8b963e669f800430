//! `GET /v1/endpoints/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hooktide_flows::connect;

use super::{EndpointView, view};
use crate::access::{Admin, May};
use crate::answer::{Answer, ok};
use crate::state::Api;

/// One endpoint.
#[utoipa::path(get, path = "/v1/endpoints/{id}", operation_id = "show_endpoint",
    responses((status = 200, body = EndpointView), (status = 404)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
) -> Answer<Json<EndpointView>> {
    let stored = connect::shared_endpoint_of(api.context(may.tenant()), &id).await?;
    Ok(ok(view(&api, stored.record).await?))
}
