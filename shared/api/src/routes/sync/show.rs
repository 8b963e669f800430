//! `GET /v1/connections/{id}/sync`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::steer::{self, SyncView};

use crate::access::{May, Read};
use crate::answer::{Answer, ok};

/// How the sync of a connection is doing: its mode, rules, credentials, resources and subscriptions.
#[utoipa::path(get, path = "/v1/connections/{id}/sync", operation_id = "show_sync",
    responses((status = 200, body = SyncView), (status = 404)))]
pub(crate) async fn show(may: May<Read>, Path(id): Path<String>) -> Answer<Json<SyncView>> {
    Ok(ok(steer::status(may.context(), &id).await?))
}
