//! `/v1/status`: how this process is doing.

use std::collections::BTreeMap;

use axum::Json;
use hooktide_flows::read::answers::Figures;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Read};
use crate::answer::{Answer, ok};

/// How a process is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// The version that runs.
    version: &'static str,
    /// What became of requests for answers that are kept, by endpoint, since the process began: the tenant's own.
    answers: BTreeMap<String, AnswersView>,
}

/// What became of the requests of an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswersView {
    #[serde(flatten)]
    figures: Figures,
    /// Which part of the requests needed no answer to be made, from 0 to 1; null before the first one.
    hit_rate: Option<f64>,
}

impl AnswersView {
    fn of(figures: Figures) -> Self {
        let (kept, all) = (
            figures.hits + figures.shared + figures.unchanged,
            figures.hits + figures.shared + figures.unchanged + figures.misses,
        );
        Self { figures, hit_rate: (all > 0).then(|| kept as f64 / all as f64) }
    }
}

/// How this process is doing.
#[utoipa::path(get, path = "/v1/status", operation_id = "status", responses((status = 200, body = StatusView)))]
pub(crate) async fn status(may: May<Read>) -> Answer<Json<StatusView>> {
    let figures = may.api.answers().figures(may.tenant()).into_iter();
    let answers = figures.map(|(endpoint, figures)| (endpoint.to_owned(), AnswersView::of(figures))).collect();
    Ok(ok(StatusView { version: env!("CARGO_PKG_VERSION"), answers }))
}
