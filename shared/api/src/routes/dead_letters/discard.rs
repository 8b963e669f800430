//! `DELETE /v1/dead-letters/{id}`.

use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Condition, Query, Range, Write, WriteFault};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};

use crate::access::{May, Operate};
use crate::answer::{Answer, Refused};
use crate::state::Api;

/// Discards a dead letter for good, and its body with it.
#[utoipa::path(delete, path = "/v1/dead-letters/{id}", operation_id = "discard_dead_letter",
    responses((status = 204), (status = 404)))]
pub(crate) async fn discard(may: May<Operate>, Path(id): Path<String>) -> Answer<StatusCode> {
    let missing = || Refused::not_found("dead letter");
    let key = Shelf::Dead.key(may.tenant(), &id);
    let letter = records::get::<DeadLetter>(may.api.table(), &key).await?.ok_or_else(missing)?.record;
    match may.api.table().write(Write::Delete { key, condition: Some(Condition::Present) }).await {
        Ok(_) => {}
        Err(WriteFault::Condition(_)) => return Err(missing()),
        Err(fault) => return Err(records::raced(fault).into()),
    }
    erase_body(&may.api, may.tenant(), &letter).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erases the body that is kept beside a letter. One that other letters may share stays until the store's own rule deletes
/// it.
async fn erase_body(api: &Api, tenant: &Tenant, letter: &DeadLetter) -> Result<(), Fault> {
    let Ok(envelope) = Envelope::decode(&letter.message) else { return Ok(()) };
    if envelope.only.is_some() || holds_others(api, tenant, letter).await? {
        return Ok(());
    }
    bodies::erase(&envelope, tenant, &*api.ports().blobs).await
}

/// Whether the letter's endpoint holds deliveries for accounts, which may be of the same request.
async fn holds_others(api: &Api, tenant: &Tenant, letter: &DeadLetter) -> Result<bool, Fault> {
    let Some(endpoint) = letter.endpoint.as_deref() else { return Ok(false) };
    let partition = Partition::of(tenant, Area::Held(endpoint));
    let query = Query { partition, range: Range::All, descending: false, limit: 1 };
    Ok(!api.table().query(&query).await?.items.is_empty())
}
