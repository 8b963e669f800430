//! `POST /v1/busy/remove`.

use axum::Json;
use axum::http::StatusCode;
use hooktide_flows::follow::busy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, Body, accepted};

/// The connection whose blocks are to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRemoval {
    /// The connection.
    connection: String,
}

/// What is being removed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovalView {
    /// How many blocks there were; 10,000 are counted at the most.
    blocks: usize,
}

/// Removes the blocks that lie in a connection's calendars and those that stem from its events, and switches the directions
/// of its calendars off, so that none comes back. `GET /v1/busy` with the connection lists what is left.
#[utoipa::path(post, path = "/v1/busy/remove", operation_id = "remove_blocks", request_body = NewRemoval,
    responses((status = 202, body = RemovalView), (status = 404), (status = 422)))]
pub(crate) async fn remove(
    may: May<Operate>,
    Body(NewRemoval { connection }): Body<NewRemoval>,
) -> Answer<(StatusCode, Json<RemovalView>)> {
    let connection = may.connection(&connection).await?;
    let removal = busy::remove(may.context(), &connection.id).await?;
    Ok(accepted(RemovalView { blocks: removal.blocks }))
}
