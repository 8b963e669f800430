//! `/v1/sync/mode`: a share of all connections is polled, or returns to webhooks.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use hooktide_flows::steer::{self, NewSwitch};
use hooktide_model::names::SyncMode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Admin, May, Read, TENANT};
use crate::answer::{Answer, Body, accepted, ok};

/// A switch to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMode {
    /// The mode of the share.
    mode: SyncMode,
    /// How many of a hundred connections have that mode; the rest have the other one.
    percent: u8,
}

/// The switches that connections without a mode of their own follow: those are polled that either of them covers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModeView {
    /// How many of a hundred of the tenant's connections are polled because of the tenant's switch.
    polling_percent: u8,
    /// How many of a hundred connections of all tenants are polled because of the operator's switch.
    operator_polling_percent: u8,
}

/// The switches.
#[utoipa::path(get, path = "/v1/sync/mode", operation_id = "show_mode", responses((status = 200, body = ModeView)))]
pub(crate) async fn show(may: May<Read>) -> Answer<Json<ModeView>> {
    Ok(ok(view(&may).await?))
}

/// Switches a share of the tenant's connections; with the operator's key, those of all tenants, unless it acts for one. A
/// connection's own mode wins. `auto` with 100 undoes it. It takes effect within seconds, and the activity tells how many
/// connections had to change.
#[utoipa::path(post, path = "/v1/sync/mode", operation_id = "switch_mode", request_body = NewMode,
    responses((status = 202, body = ModeView), (status = 422)))]
pub(crate) async fn switch(
    may: May<Admin>,
    headers: HeaderMap,
    Body(new): Body<NewMode>,
) -> Answer<(StatusCode, Json<ModeView>)> {
    let of_everybody = may.principal.operator && !headers.contains_key(TENANT);
    let NewMode { mode, percent } = new;
    steer::switch(may.context(), NewSwitch { mode, percent, of_everybody }).await?;
    Ok(accepted(view(&may).await?))
}

async fn view<S: crate::access::Needs>(may: &May<S>) -> Answer<ModeView> {
    let (operator_polling_percent, polling_percent) = steer::switches(may.context()).await?;
    Ok(ModeView { polling_percent, operator_polling_percent })
}
