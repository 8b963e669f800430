//! Compares the totals of some quarters with the transactions in them.

use std::collections::BTreeMap;

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Query, Range};
use hooktide_store::records;
use hooktide_store::records::payment::{
    CompanyId, ListedTransaction, Listing, QUARTER, Total, TotalId, at_quarter, end_of, place, quarter_of,
};

/// How many transactions one comparison is about, unless a single quarter has more.
const PAGE: usize = 1_000;
/// How many items are read at once.
const READ: usize = 500;

/// The result of a comparison.
pub(super) enum Compared {
    /// Totals changed while they were looked at.
    Changing,
    /// What is missing in the totals of the quarters up to `to`.
    Known {
        /// The end of the quarters, in seconds since 1970.
        to: i64,
        /// How many transactions are in them.
        transactions: u64,
        /// What must be added to each total that is wrong.
        missing: BTreeMap<TotalId, (i64, i64)>,
    },
}

/// Compares some quarters from one on, in seconds since 1970, up to `end` at the most.
pub(super) async fn compare(
    ports: &Ports,
    tenant: &Tenant,
    company: &CompanyId,
    from: i64,
    end: i64,
) -> Result<Compared, Fault> {
    let to = end_of_some(ports, tenant, company, from, end).await?;
    let before = parts(ports, tenant, company, from, to).await?;
    let (mut missing, mut transactions) = (BTreeMap::<TotalId, (i64, i64)>::new(), 0);
    let mut range = Range::Between(place(from * 1000, ""), end_of(to * 1000));
    loop {
        let query = Query { partition: company.transactions(tenant), range, descending: false, limit: READ };
        let (found, more) = records::list::<ListedTransaction>(&*ports.table, &query).await?;
        let last = found.last().map(|(place, _)| place.clone());
        transactions += found.len() as u64;
        for (_, stored) in found {
            let listing = Listing::of(&stored.record.transaction, &company.connection);
            if let Some((total, amount)) = listing.total(&company.connection) {
                let sums = missing.entry(total).or_default();
                (sums.0, sums.1) = (sums.0 + 1, sums.1 + amount);
            }
        }
        match last.filter(|_| more) {
            Some(last) => range = query.range.after(&last),
            None => break,
        }
    }
    if parts(ports, tenant, company, from, to).await? != before {
        return Ok(Compared::Changing);
    }
    for (_, (id, total)) in before.into_values() {
        let sums = missing.entry(id).or_default();
        (sums.0, sums.1) = (sums.0 - total.count, sums.1 - i64::try_from(total.sum).unwrap_or_default());
    }
    missing.retain(|_, difference| *difference != (0, 0));
    Ok(Compared::Known { to, transactions, missing })
}

/// The end of the quarter in which there are enough transactions for one comparison; `end` if there are fewer.
async fn end_of_some(ports: &Ports, tenant: &Tenant, company: &CompanyId, from: i64, end: i64) -> Result<i64, Fault> {
    let mut range = Range::Between(place(from * 1000, ""), end_of(end * 1000));
    let mut count = 0;
    loop {
        let query = Query { partition: company.transactions(tenant), range, descending: false, limit: READ };
        let page = ports.table.query(&query).await?;
        count += page.items.len();
        let Some(last) = page.items.last().map(records::sort_of).filter(|_| page.more) else { return Ok(end) };
        if count >= PAGE {
            let at = last.get(..15).and_then(|at| at.parse::<i64>().ok()).unwrap_or(from * 1000);
            return Ok((quarter_of(at) + QUARTER).min(end));
        }
        range = query.range.after(last);
    }
}

/// The parts of totals by their places, each with its revision.
type Parts = BTreeMap<String, (u64, (TotalId, Total))>;

async fn parts(ports: &Ports, tenant: &Tenant, company: &CompanyId, from: i64, to: i64) -> Result<Parts, Fault> {
    let mut parts = Parts::new();
    let read = |item: &Item| {
        let part = (records::rev_of(item), TotalId::read(company, item));
        parts.insert(records::sort_of(item).to_owned(), part);
    };
    records::each_item(&*ports.table, &company.totals(tenant), at_quarter(from, to), read).await?;
    Ok(parts)
}
