//! `/v1/analytics/rebuild`: figures are made from the transactions anew.

use axum::Json;
use axum::http::StatusCode;
use hooktide_flows::recount;
use hooktide_store::records::payment::Recount;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{May, Operate, Read};
use crate::answer::{Answer, Body, List, accepted, ok};

/// The figures to be made anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRebuild {
    /// Only those of this company; of all if none is given.
    #[serde(default)]
    company: Option<String>,
}

/// How far the figures of a company are made anew.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RebuildView {
    /// The connection.
    connection: String,
    /// The company.
    company: String,
    /// Whether it is under way, or done.
    state: &'static str,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Up to which time transactions were counted.
    #[schema(value_type = String, format = DateTime)]
    counted_to: Timestamp,
    /// How many transactions were counted.
    transactions: u64,
    /// How many figures were wrong, and are right now.
    corrected: u64,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl RebuildView {
    fn of(recount: Recount) -> Self {
        Self {
            connection: recount.id.connection,
            company: recount.id.company,
            state: if recount.finished_at.is_some() { "done" } else { "running" },
            started_at: recount.started_at,
            counted_to: Timestamp::from_second(recount.counted_to).unwrap_or_default(),
            transactions: recount.transactions,
            corrected: recount.corrected,
            finished_at: recount.finished_at,
        }
    }
}

/// Makes the figures from the transactions anew, in the background and without stopping anything: what is right stays as it is.
#[utoipa::path(post, path = "/v1/analytics/rebuild", operation_id = "rebuild_analytics", request_body = NewRebuild,
    responses((status = 202, body = List<RebuildView>)))]
pub(crate) async fn rebuild(
    may: May<Operate>,
    Body(new): Body<NewRebuild>,
) -> Answer<(StatusCode, Json<List<RebuildView>>)> {
    let begun = recount::begin(may.reader(), new.company.as_deref()).await?;
    Ok(accepted(List { items: begun.into_iter().map(RebuildView::of).collect(), next: None }))
}

/// How far they are.
#[utoipa::path(get, path = "/v1/analytics/rebuild", operation_id = "show_rebuild", responses((status = 200, body = List<RebuildView>)))]
pub(crate) async fn show(may: May<Read>) -> Answer<Json<List<RebuildView>>> {
    let recounts = recount::recounts(may.reader()).await?;
    Ok(ok(List { items: recounts.into_iter().map(RebuildView::of).collect(), next: None }))
}
