//! `/v1/changes`: the feed by conditional polling.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::feed::ChangeView;
use hooktide_model::names::Kind;
use hooktide_store::records::journal::Entry;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::{Answer, FeedPage, Params};
use crate::etag;
use crate::feed::{cursor_of, place_after, scan, views};
use crate::feed_token::FeedReader;
use crate::paging::limit_of;
use crate::state::Api;

/// The filters of the feed, and where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// The `next` of an earlier answer, or `now`; without it, from the oldest that is kept.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
    /// Only changes of this kind.
    #[param(value_type = Option<String>)]
    kind: Option<Kind>,
    /// Only changes with this tag.
    tag: Option<String>,
}

/// Changes since a cursor. With `If-None-Match`, 304 while there is nothing new.
#[utoipa::path(get, path = "/v1/changes", operation_id = "read_changes", params(ChangesQuery),
    responses((status = 200, body = FeedPage<ChangeView>), (status = 304), (status = 410)))]
pub(crate) async fn changes(
    State(api): State<Arc<Api>>,
    reader: FeedReader,
    Params(query): Params<ChangesQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    // Until the answer is made.
    let _turn = api.readings().turn(&reader.tenant).await?;
    let cursor = cursor_of(&api, &reader.tenant, query.after.as_deref()).await?;
    let wanted = |entry: &Entry| {
        ChangeView::of(entry, None).is_some_and(|view| {
            reader.wants(&view)
                && query.kind.is_none_or(|kind| kind == view.kind)
                && query.tag.as_ref().is_none_or(|tag| view.tags.contains(tag))
        })
    };
    let limit = limit_of(query.limit)?;
    let reading = scan(&api, &reader.tenant, cursor, limit, wanted).await?;
    let fitting = &reading.items[..reading.items.len().min(limit)];
    let mut items = views(&api, &reader.tenant, fitting).await?;
    let (next, more) = place_after(&reading, &reading.items, items.len());
    for view in &mut items {
        if !reader.sees_document_of(view) {
            view.document = None;
        }
    }
    Ok(etag::tagged(&headers, &FeedPage { items, next: next.to_text(), more })?)
}
