//! `GET /v1/busy`.

use axum::Json;
use hooktide_flows::follow::busy::{self, BlockView, Which};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::limit_of;

/// The filters, and where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BusyQuery {
    /// Only of this person.
    user: Option<String>,
    /// Only those that lie in this connection's calendars, or stem from its events.
    connection: Option<String>,
    /// The `next` of an earlier answer.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most); a page may be shorter.
    limit: Option<usize>,
}

/// The blocks in the tenant's calendars, by the calendar that they lie in.
#[utoipa::path(get, path = "/v1/busy", operation_id = "list_blocks", params(BusyQuery),
    responses((status = 200, body = List<BlockView>), (status = 404)))]
pub(crate) async fn list(may: May<Read>, Params(query): Params<BusyQuery>) -> Answer<Json<List<BlockView>>> {
    let limit = limit_of(query.limit)?;
    let user = may.person(query.user)?;
    let which = Which { user: user.as_deref(), connection: query.connection.as_deref() };
    let (items, next) = busy::blocks(may.context(), which, query.after, limit).await?;
    Ok(ok(List { items, next }))
}
