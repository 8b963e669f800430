//! `/v1/resources`: how each resource of the connections is read.

use axum::Json;
use hooktide_flows::steer::{self, ResourceView};

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::{ConnectionQuery, list_of};

/// The resources of the tenant's connections: how each is read, how far, and what that costs.
#[utoipa::path(get, path = "/v1/resources", operation_id = "list_resources", params(ConnectionQuery),
    responses((status = 200, body = List<ResourceView>)))]
pub(crate) async fn list(may: May<Read>, Params(query): Params<ConnectionQuery>) -> Answer<Json<List<ResourceView>>> {
    Ok(ok(list_of(steer::resources(may.context(), query.slice()?).await?)))
}
