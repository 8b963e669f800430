//! `PATCH /v1/endpoints/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::{self, EndpointChange};
use hooktide_store::records::guest::Guest;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{EndpointView, view};
use crate::access::{Admin, May};
use crate::answer::{Answer, Body, ok};

/// The fields of an endpoint that can be changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointPatch {
    /// What people call it.
    name: Option<String>,
    /// Settings; `null` removes one.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// Which other tenants may connect any account to it; in place of those that were named.
    #[schema(value_type = Option<Vec<String>>)]
    tenants: Option<Vec<Guest>>,
}

/// Changes an endpoint.
#[utoipa::path(patch, path = "/v1/endpoints/{id}", operation_id = "change_endpoint", request_body = EndpointPatch,
    responses((status = 200, body = EndpointView), (status = 404)))]
pub(crate) async fn change(
    may: May<Admin>,
    Path(id): Path<String>,
    Body(patch): Body<EndpointPatch>,
) -> Answer<Json<EndpointView>> {
    let EndpointPatch { name, settings, tenants } = patch;
    let change = EndpointChange { name, settings: settings.unwrap_or_default(), tenants };
    let endpoint = connect::change_endpoint(may.context(), &id, change).await?;
    Ok(ok(view(&may.api, endpoint).await?))
}
