//! `PATCH /v1/connections/{id}`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::connect::{self, ConnectionChange, Patched};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ConnectionView, view};
use crate::access::{May, Operate};
use crate::answer::{Answer, Body, ok};
use crate::claim;

/// A JSON merge patch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionPatch {
    /// What people call it.
    name: Option<String>,
    /// The provider's account; `null` removes it, where the endpoint is the connection's own. What is known of the
    /// former account's entities stays.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    account: Patched<String>,
    /// The consent of a shared endpoint's owner to the new account, where the tenant is not named by it.
    claim: Option<String>,
    /// Settings; `null` removes one.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

/// Changes a connection's name, account or settings.
#[utoipa::path(patch, path = "/v1/connections/{id}", operation_id = "change_connection", request_body = ConnectionPatch,
    responses((status = 200, body = ConnectionView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn change(
    may: May<Operate>,
    Path(id): Path<String>,
    Body(patch): Body<ConnectionPatch>,
) -> Answer<Json<ConnectionView>> {
    let tenant = may.tenant();
    let change = ConnectionChange {
        name: patch.name,
        account: patch.account,
        consent: claim::consent(&may.api, tenant, patch.claim.as_deref()).await?,
        settings: patch.settings.unwrap_or_default(),
        ..ConnectionChange::default()
    };
    let connection = connect::change(may.context(), &id, change).await?;
    Ok(ok(view(&may.api, may.tenant(), connection).await?))
}
