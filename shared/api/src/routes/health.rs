//! `/v1/health`: for load balancers.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use hooktide_store::records::canary::{self, Canary};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Mutex;
use tracing::error;
use utoipa::ToSchema;

use crate::answer::{Answer, Refused, ok};
use crate::state::Api;

/// How long what was found stands: anybody may ask, as often as they like.
const STANDS: Duration = Duration::from_secs(5);
/// `Retry-After` of an answer that reports trouble, in seconds.
const LATER: u64 = 10;

/// The answer of a process that can read its table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The version that runs.
    version: &'static str,
}

/// Whether the table can be read, as it was found a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Readiness(Mutex<Option<(Timestamp, Option<&'static str>)>>);

impl Readiness {
    /// Returns the trouble, if any; concurrent callers share one look.
    async fn trouble(&self, api: &Api) -> Option<&'static str> {
        let mut found = self.0.lock().await;
        let now = api.now();
        if let Some((at, trouble)) = *found
            && (at..at + STANDS).contains(&now)
        {
            return trouble;
        }
        let trouble = look(api).await;
        *found = Some((now, trouble));
        trouble
    }
}

async fn look(api: &Api) -> Option<&'static str> {
    if api.options().damage.as_ref().is_some_and(|damage| damage.borrow().is_some()) {
        return Some(
            "The table is damaged: restore it from a backup; see docs/runbook.md, \"A table that is damaged\".",
        );
    }
    let ports = api.ports();
    match canary::check(&*ports.table, &*ports.keys, &ports.entropy).await {
        Ok(Canary::Sings) => None,
        Ok(Canary::OtherKeys) => {
            error!("the table was written under other root keys");
            Some("The table was written under other root keys: restore those that belong to it; see docs/runbook.md.")
        }
        Err(fault) => {
            error!(%fault, "the table cannot be read");
            Some("The table cannot be read; the log says why. See docs/runbook.md, \"A table that is damaged\".")
        }
    }
}

/// Whether the process answers and can read its table; needs no token.
#[utoipa::path(get, path = "/v1/health", operation_id = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Problem)))]
pub(crate) async fn health(State(api): State<Arc<Api>>) -> Answer<Json<Health>> {
    match api.readiness().trouble(&api).await {
        None => Ok(ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })),
        Some(trouble) => Err(Refused::new(ProblemType::Unavailable, trouble).retry_after(LATER)),
    }
}
