//! `GET /v1/endpoints/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect;

use super::{EndpointView, view};
use crate::access::{Admin, May};
use crate::answer::{Answer, ok};

/// One endpoint.
#[utoipa::path(get, path = "/v1/endpoints/{id}", operation_id = "show_endpoint",
    responses((status = 200, body = EndpointView), (status = 404)))]
pub(crate) async fn show(may: May<Admin>, Path(id): Path<String>) -> Answer<Json<EndpointView>> {
    let stored = connect::shared_endpoint_of(may.context(), &id).await?;
    Ok(ok(view(&may.api, stored.record).await?))
}
