//! `GET /v1/connections`.

use axum::Json;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::Connection;

use super::{ConnectionView, view};
use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::{PageQuery, limit_of};

/// The tenant's connections.
#[utoipa::path(get, path = "/v1/connections", operation_id = "list_connections", params(PageQuery),
    responses((status = 200, body = List<ConnectionView>)))]
pub(crate) async fn list(may: May<Read>, Params(page): Params<PageQuery>) -> Answer<Json<List<ConnectionView>>> {
    let limit = limit_of(page.limit)?;
    let partition = Partition::of(may.tenant(), Area::Connections);
    let range = page.after.map_or(Range::All, |last| records::after("", &last));
    let query = Query { partition, range, descending: false, limit };
    let (stored, more) = records::list::<Connection>(may.api.table(), &query).await?;
    let next = stored.last().filter(|_| more).map(|(id, _)| id.clone());
    let mut items = Vec::with_capacity(stored.len());
    for (_, stored) in stored.into_iter().filter(|(_, stored)| stored.record.deleted_at.is_none()) {
        items.push(view(&may.api, may.tenant(), stored.record).await?);
    }
    Ok(ok(List { items, next }))
}
