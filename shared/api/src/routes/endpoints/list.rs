//! `GET /v1/endpoints`.

use axum::Json;
use hooktide_store::key::{Area, Partition};
use hooktide_store::records::endpoint::{self, Endpoint, Owned};
use hooktide_store::records::{self, Stored};

use super::{EndpointView, view};
use crate::access::{Admin, May};
use crate::answer::{Answer, List, ok};

/// More endpoints than a tenant has.
const MOST: usize = 1_000;

/// The endpoints that the tenant made.
#[utoipa::path(get, path = "/v1/endpoints", operation_id = "list_endpoints",
    responses((status = 200, body = List<EndpointView>)))]
pub(crate) async fn list(may: May<Admin>) -> Answer<Json<List<EndpointView>>> {
    let partition = Partition::of(may.tenant(), Area::Endpoints);
    let mut items = Vec::new();
    for (reference, _) in records::list_all::<Owned>(may.api.table(), partition, "", MOST).await? {
        let Some((provider, id)) = reference.split_once('#') else { continue };
        let stored = records::get::<Endpoint>(may.api.table(), &endpoint::key(provider, id)).await?;
        let is_shared =
            |stored: &Stored<Endpoint>| stored.record.connection.is_none() && stored.record.deleted_at.is_none();
        if let Some(stored) = stored.filter(is_shared) {
            items.push(view(&may.api, stored.record).await?);
        }
    }
    Ok(ok(List { items, next: None }))
}
