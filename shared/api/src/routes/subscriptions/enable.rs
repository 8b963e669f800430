//! `POST /v1/subscriptions/{id}/enable`.

use axum::Json;
use axum::extract::Path;
use hooktide_flows::steer::{self, SubscriptionView};

use crate::access::{May, Operate};
use crate::answer::{Answer, ok};

/// Enables a subscription that was given up: it is repaired at once. One that is well stays as it is.
#[utoipa::path(post, path = "/v1/subscriptions/{id}/enable", operation_id = "enable_subscription",
    responses((status = 200, body = SubscriptionView), (status = 404), (status = 409)))]
pub(crate) async fn enable(may: May<Operate>, Path(id): Path<String>) -> Answer<Json<SubscriptionView>> {
    Ok(ok(steer::enable(may.context(), &id).await?))
}
