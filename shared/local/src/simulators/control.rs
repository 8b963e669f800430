//! The controls of a simulator: edits, faults, and a look at its state.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hooktide_providers::simulator::Edit;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Served;
use super::faults::FaultsChange;

/// What a control answers: JSON, also where it refuses.
type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

/// An edit as somebody would make it at the provider.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EditRequest {
    /// The kind of what is edited.
    what: String,
    /// Its id; a new one is made without.
    #[serde(default)]
    id: Option<Value>,
    /// The fields to set; it is deleted without.
    #[serde(default)]
    fields: Option<Map<String, Value>>,
}

/// Edits something; answers with its id.
pub(super) async fn edit(State(served): State<Arc<Served>>, Json(request): Json<EditRequest>) -> Answer {
    let id = request.id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    let edit = Edit { what: request.what, id, fields: request.fields };
    match served.with(|simulator, now| simulator.edit(&edit, now)) {
        Ok(id) => Ok(Json(json!({ "id": id }))),
        Err(detail) => Err((StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "detail": detail })))),
    }
}

/// Changes what goes wrong; answers with all of it.
pub(super) async fn faults(State(served): State<Arc<Served>>, Json(change): Json<FaultsChange>) -> Answer {
    let faults = {
        let mut faults = served.faults();
        faults.change(&change);
        faults.clone()
    };
    served.with(|simulator, _| {
        simulator.limit(faults.quota);
        if change.expire_credentials {
            simulator.expire_credentials();
        }
    });
    Ok(Json(json!(faults)))
}

/// What the account has.
pub(super) async fn state(State(served): State<Arc<Served>>) -> Answer {
    let state = served.with(|simulator, _| simulator.state());
    let sent = served.notifier.counts();
    Ok(Json(json!({ "account": state, "faults": served.faults().clone(), "notifications": sent })))
}
