//! `PUT /v1/connections/{id}/sync`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::{self, ConnectionChange, Patched};
use hooktide_flows::steer::{self, SyncView};
use hooktide_model::names::SyncMode;
use hooktide_model::settings::rules::RulesChange;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, Body, ok};

/// A change of how a connection is synced: what is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncChange {
    /// How its changes are found, whatever is switched for all; `null` leaves it to the switches again.
    #[serde(default)]
    #[schema(value_type = Option<SyncMode>)]
    mode: Patched<SyncMode>,
    /// What is synced of it, and what of it reaches the user's other connections.
    #[serde(default)]
    rules: RulesChange,
}

/// Changes how a connection is synced. It takes effect within seconds.
#[utoipa::path(put, path = "/v1/connections/{id}/sync", operation_id = "change_sync", request_body = SyncChange,
    responses((status = 200, body = SyncView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn change(
    may: May<Operate>,
    Path(id): Path<String>,
    change: Body<SyncChange>,
) -> Answer<Json<SyncView>> {
    let Body(SyncChange { mode, rules }) = change;
    let mode = match mode {
        Patched::Kept => None,
        Patched::Removed => Some(Value::Null),
        Patched::Set(mode) => Some(json!(mode)),
    };
    let settings: Map<String, Value> = mode.map(|mode| ("mode".to_owned(), mode)).into_iter().collect();
    connect::change(may.context(), &id, ConnectionChange { settings, rules, ..ConnectionChange::default() }).await?;
    Ok(ok(steer::status(may.context(), &id).await?))
}
