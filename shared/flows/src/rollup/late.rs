//! Late changes of days, counted by the commits that make them.

use std::collections::BTreeMap;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Item;
use hooktide_store::records::payment::{CompanyId, rolled};
use hooktide_store::records::{self, whole_number};

/// How many late changes there were of each day that had any, from one day to right before another one.
pub(crate) async fn late(
    ports: &Ports,
    tenant: &Tenant,
    id: &CompanyId,
    from: i64,
    before: i64,
) -> Result<BTreeMap<i64, u64>, Fault> {
    let mut late = BTreeMap::new();
    let count = |item: &Item| {
        let count = late.entry(whole_number(item, "day").unwrap_or_default()).or_default();
        *count += whole_number::<u64>(item, "n").unwrap_or_default();
    };
    records::each_item(&*ports.table, &id.late(tenant), rolled::days(from, before), count).await?;
    Ok(late)
}
