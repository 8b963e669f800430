//! `GET /v1/connections/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use hooktide_flows::connect;

use super::{ConnectionView, view};
use crate::access::{May, Read};
use crate::answer::{Answer, ok};
use crate::state::Api;

/// One connection.
#[utoipa::path(get, path = "/v1/connections/{id}", operation_id = "show_connection",
    responses((status = 200, body = ConnectionView), (status = 404)))]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Path(id): Path<String>,
) -> Answer<Json<ConnectionView>> {
    let stored = connect::connection_of(api.context(may.tenant()), &id).await?;
    Ok(ok(view(&api, stored.record).await?))
}
