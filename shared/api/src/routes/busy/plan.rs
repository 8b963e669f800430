//! `GET /v1/busy/plan`.

use std::time::Duration;

use axum::Json;
use hooktide_flows::follow::busy::{self, BlockView, CrowdView, Planned};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::access::{May, Read};
use crate::answer::{Answer, Params, ok};

/// How long a plan looks at events: short of what a request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The people and connections whose calendars are looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PlanQuery {
    /// Only those of this person.
    user: Option<String>,
}

/// What would be written into calendars.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanView {
    /// The blocks that are to be made or moved (`wanted`, `writing`) and removed (`removing`); none if all is settled.
    items: Vec<BlockView>,
    /// Whether there may be more than are named: a plan names 1,000, and looks at events for some seconds.
    cut: bool,
    /// The calendars whose events make more blocks than are made, with what to do.
    crowded: Vec<CrowdView>,
}

/// Looks at the events of the calendars that take part, and says what would be written. Nothing is. Where there are too many for
/// one answer, it is `cut`; a plan for one person has more of theirs.
#[utoipa::path(get, path = "/v1/busy/plan", operation_id = "plan_blocks", params(PlanQuery),
    responses((status = 200, body = PlanView), (status = 404)))]
pub(crate) async fn plan(may: May<Read>, Params(query): Params<PlanQuery>) -> Answer<Json<PlanView>> {
    let user = may.person(query.user)?;
    let began = Instant::now();
    let is_over = || began.elapsed() >= PATIENCE;
    let Planned { items, cut, crowded } = busy::plan(may.context(), user.as_deref(), &is_over).await?;
    Ok(ok(PlanView { items, cut, crowded }))
}
