//! `GET /v1/subscriptions`.

use axum::Json;
use hooktide_flows::steer::{self, SubscriptionView};

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::{ConnectionQuery, list_of};

/// The subscriptions of the tenant's connections: how each is doing, and what to do about it. A page may be shorter than asked
/// for.
#[utoipa::path(get, path = "/v1/subscriptions", operation_id = "list_subscriptions", params(ConnectionQuery),
    responses((status = 200, body = List<SubscriptionView>)))]
pub(crate) async fn list(
    may: May<Read>,
    Params(query): Params<ConnectionQuery>,
) -> Answer<Json<List<SubscriptionView>>> {
    Ok(ok(list_of(steer::subscriptions(may.context(), query.slice()?).await?)))
}
