//! `GET /v1/connections/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect;

use super::{ConnectionView, view};
use crate::access::{May, Read};
use crate::answer::{Answer, ok};

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", operation_id = "show_connection",
    responses((status = 200, body = ConnectionView), (status = 404)))]
pub(crate) async fn show(may: May<Read>, Path(id): Path<String>) -> Answer<Json<ConnectionView>> {
    let stored = connect::connection_of(may.context(), &id).await?;
    Ok(ok(view(&may.api, may.tenant(), stored.record).await?))
}
