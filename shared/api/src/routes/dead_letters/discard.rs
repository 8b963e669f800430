//! `DELETE /v1/dead-letters/{id}`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use hooktide_store::ports::{Condition, Write, WriteFault};
use hooktide_store::records;
use hooktide_store::records::dead_letter::Shelf;

use crate::access::{May, Operate};
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// Discards a dead letter for good.
#[utoipa::path(delete, path = "/v1/dead-letters/{id}", operation_id = "discard_dead_letter", responses((status = 204), (status = 404)))]
pub(crate) async fn discard(
    State(api): State<Arc<Api>>,
    may: May<Operate>,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let key = Shelf::Dead.key(may.tenant(), &id);
    match api.table().write(Write::Delete { key, condition: Some(Condition::Present) }).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(WriteFault::Condition(_)) => Err(Refused::not_found("dead letter")),
        Err(fault) => Err(records::raced(fault).into()),
    }
}
