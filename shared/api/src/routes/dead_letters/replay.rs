//! `POST /v1/dead-letters/replay`.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use hooktide_flows::{connect, replay};
use hooktide_store::records;
use hooktide_store::records::dead_letter::Shelf;
use hooktide_store::records::replay::{Filter, Replay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SCANNED;
use crate::access::{May, Operate};
use crate::answer::{Answer, Body, Refused, accepted};
use crate::idempotency::key_of;

/// Which dead letters to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReplay {
    /// Which; all of the tenant by default.
    #[serde(default)]
    #[schema(value_type = Object)]
    filter: Filter,
    /// Only count them.
    #[serde(default)]
    dry_run: bool,
    /// How many a second.
    #[serde(default = "ten")]
    rate_per_second: u32,
}

fn ten() -> u32 {
    10
}

/// A replay that began.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayView {
    /// Its id; none for a dry run.
    pub(crate) replay: Option<String>,
    /// How many letters match, as far as was counted (10 000 letters).
    pub(crate) matched: u64,
}

/// Sends dead letters through processing again, at a rate.
#[utoipa::path(post, path = "/v1/dead-letters/replay", operation_id = "replay_dead_letters", request_body = NewReplay,
    responses((status = 202, body = ReplayView), (status = 422)))]
pub(crate) async fn replay(
    may: May<Operate>,
    headers: HeaderMap,
    Body(new): Body<NewReplay>,
) -> Answer<(StatusCode, Json<ReplayView>)> {
    if !(1..=replay::FASTEST).contains(&new.rate_per_second) {
        return Err(Refused::invalid("rate_per_second", format!("it is 1 to {}", replay::FASTEST)));
    }
    let matched = replay::count(may.api.ports(), may.tenant(), &Shelf::Dead, &new.filter, SCANNED).await?;
    if new.dry_run {
        return Ok(accepted(ReplayView { replay: None, matched }));
    }
    // The same id for the same key: the replay is started once.
    let id = connect::id_for(may.context(), ("replay", "replay"), key_of(&headers)).await?;
    let started = Replay {
        shelf: Shelf::Dead,
        filter: new.filter,
        rate_per_second: new.rate_per_second,
        started_at: may.api.now(),
        after: None,
        sent: 0,
        finished_at: None,
    };
    let former = records::get::<Replay>(may.api.table(), &records::replay::key(may.tenant(), &id)).await?;
    let same = |former: &Replay| (&former.filter, former.rate_per_second) == (&started.filter, started.rate_per_second);
    if former.is_some_and(|former| !same(&former.record)) {
        return Err(connect::other_request().into());
    }
    replay::start(may.api.ports(), may.tenant(), &id, &started, may.api.now()).await?;
    Ok(accepted(ReplayView { replay: Some(id), matched }))
}
