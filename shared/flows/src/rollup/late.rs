//! Late changes of days, counted by the commits that make them.

use std::collections::BTreeMap;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Query;
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
    let (mut late, mut range) = (BTreeMap::new(), rolled::days(from, before));
    loop {
        let query = Query { partition: id.late(tenant), range, descending: false, limit: 1_000 };
        let page = ports.table.query(&query).await?;
        for item in &page.items {
            let count = late.entry(whole_number(item, "day").unwrap_or_default()).or_default();
            *count += whole_number::<u64>(item, "n").unwrap_or_default();
        }
        match page.items.last().filter(|_| page.more) {
            Some(last) => range = query.range.after(records::sort_of(last)),
            None => return Ok(late),
        }
    }
}
