//! Warming: what dashboards ask for first is made before they ask.

use std::sync::Arc;

use axum::http::HeaderMap;
use hooktide_model::fault::Fault;
use hooktide_model::names::Period;
use hooktide_model::tenant::Tenant;
use hooktide_store::records;
use hooktide_store::records::known_tenant::{self, KnownTenant};

use crate::access::{May, Read};
use crate::answer::Params;
use crate::routes::analytics::read::{AnalyticsQuery, read};
use crate::state::Api;

/// How many tenants' answers are made.
const TENANTS: usize = 200;

/// Makes the analytics of each period as a dashboard asks for them, for those who may see all of a tenant. What cannot be made is
/// made when somebody asks.
pub async fn warm(api: Arc<Api>) -> Result<(), Fault> {
    let known = records::list_all::<KnownTenant>(api.table(), known_tenant::partition(), "", TENANTS).await?;
    for tenant in known.iter().filter_map(|(name, _)| Tenant::parse(name).ok()) {
        for period in Period::ALL {
            let may = May::<Read>::itself(&api, tenant.clone());
            if let Err(refused) = read(may, Params(AnalyticsQuery::of(*period)), HeaderMap::new()).await {
                tracing::debug!(%tenant, %period, ?refused, "analytics are not made before somebody asks");
            }
        }
    }
    Ok(())
}
