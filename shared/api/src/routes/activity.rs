//! `/v1/activity`: what became of every notice.

use axum::Json;
use hooktide_flows::feed::ActivityView;
use hooktide_model::names::Outcome;
use hooktide_store::records::journal::Entry;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{May, Read};
use crate::answer::{Answer, FeedPage, Params, ok};
use crate::feed::{cursor_of, place_after, scan};
use crate::paging::limit_of;

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    /// The `next` of an earlier answer, or `now`; without it, from the oldest that is kept.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
    /// Only of this connection.
    connection: Option<String>,
    /// Only with this outcome.
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
}

/// What became of notices, since a cursor.
#[utoipa::path(get, path = "/v1/activity", operation_id = "read_activity", params(ActivityQuery),
    responses((status = 200, body = FeedPage<ActivityView>), (status = 410)))]
pub(crate) async fn activity(
    may: May<Read>,
    Params(query): Params<ActivityQuery>,
) -> Answer<Json<FeedPage<ActivityView>>> {
    // Until the answer is made.
    let _turn = may.api.readings().turn(may.tenant()).await?;
    let cursor = cursor_of(&may.api, may.tenant(), query.after.as_deref()).await?;
    let wanted = |entry: &Entry| {
        query.connection.as_ref().is_none_or(|wanted| entry.connection.as_ref() == Some(wanted))
            && query.outcome.is_none_or(|outcome| outcome == entry.outcome)
    };
    let limit = limit_of(query.limit)?;
    let reading = scan(&may.api, may.tenant(), cursor, limit, wanted).await?;
    let (next, more) = place_after(&reading, &reading.items, reading.items.len().min(limit));
    let items = reading.items.into_iter().take(limit).map(|item| ActivityView::from(item.entry)).collect();
    Ok(ok(FeedPage { items, next: next.to_text(), more }))
}
