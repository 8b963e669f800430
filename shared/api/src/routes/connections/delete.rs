//! `DELETE /v1/connections/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::{self, Removed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, ok};

/// What deleting a connection erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    erased: Erased,
    /// How many subscriptions are being ended at the provider; the credentials that this takes go with the last of them, after
    /// an hour at the latest.
    ending: usize,
    /// Whether there is more to erase than one request does. A job goes on with it, a minute later; to hurry, delete the
    /// connection again. Its deliveries stopped at once.
    remaining: bool,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Connections.
    connections: usize,
    /// Secrets and credentials.
    secrets: usize,
    /// Entities whose state was known.
    entities: usize,
    /// Documents.
    documents: usize,
}

/// Deletes a connection: its deliveries stop at once, what is known of its entities is erased, the journal is kept. A job
/// looks again a minute later, for what was under way; until then, deleting it again is answered the same.
#[utoipa::path(delete, path = "/v1/connections/{id}", operation_id = "delete_connection",
    responses((status = 200, body = Deleted), (status = 404)))]
pub(crate) async fn delete(may: May<Operate>, Path(id): Path<String>) -> Answer<Json<Deleted>> {
    let removed = connect::remove(may.context(), &id).await?;
    let Removed { connections, secrets, entities, documents, ending, remaining } = removed;
    Ok(ok(Deleted { erased: Erased { connections, secrets, entities, documents }, ending, remaining }))
}
