//! The blocks of one event that there are in one calendar.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::wanted::Times;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records::block::{self, Block, CalendarId};
use hooktide_store::records::{self, Stored};

/// How many blocks of an event are looked at: more than it has occurrences in a window.
const USUAL: usize = 1_200;
/// How many are looked at beside these of a series that is so fast that more are remembered.
const MOST: usize = 5_000;
/// How many are read at once.
const PAGE: usize = 100;

/// The blocks of an event in a calendar that may matter, by their occurrences. Of a fast series, those that were over before
/// `past` are many, and are of no importance.
pub(super) async fn of(
    (ports, tenant): (&Ports, &Tenant),
    (lies_in, from, event): (&CalendarId, &CalendarId, &str),
    times: &Times,
    past: Timestamp,
) -> Result<Vec<Stored<Block>>, Fault> {
    let prefix = block::prefix_of(lies_in, from, event);
    let mut found = BTreeMap::new();
    read(ports, tenant, Range::Prefix(prefix.clone()), &prefix, USUAL, &mut found).await?;
    if found.len() >= USUAL && past > Timestamp::MIN {
        let day = TimeZone::UTC.to_datetime(past).date().saturating_sub(1.day());
        let later = records::after(&prefix, &format!("{prefix}{day}"));
        read(ports, tenant, later, &prefix, MOST, &mut found).await?;
        let sorts = times.list.iter().map(|wanted| format!("{prefix}{}", wanted.occurrence));
        let others: Vec<String> = sorts.filter(|sort| !found.contains_key(sort)).collect();
        for sort in others {
            let key = block::partition(tenant).key(&sort);
            if let Some(stored) = records::get::<Block>(&*ports.table, &key).await? {
                found.insert(sort, stored);
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Whether there are any blocks of an event in a calendar.
pub(super) async fn any(
    ports: &Ports,
    tenant: &Tenant,
    (lies_in, from, event): (&CalendarId, &CalendarId, &str),
) -> Result<bool, Fault> {
    let range = Range::Prefix(block::prefix_of(lies_in, from, event));
    let query = Query { partition: block::partition(tenant), range, descending: false, limit: 1 };
    Ok(!ports.table.query(&query).await?.items.is_empty())
}

/// Reads at most so many of a range.
async fn read(
    ports: &Ports,
    tenant: &Tenant,
    mut range: Range,
    prefix: &str,
    most: usize,
    found: &mut BTreeMap<String, Stored<Block>>,
) -> Result<(), Fault> {
    let mut count = 0;
    loop {
        let query = Query { partition: block::partition(tenant), range, descending: false, limit: PAGE };
        let (page, more) = records::list::<Block>(&*ports.table, &query).await?;
        count += page.len();
        let last = page.last().map(|(sort, _)| sort.clone());
        found.extend(page);
        match last {
            Some(last) if more && count < most => range = records::after(prefix, &last),
            Some(_) | None => return Ok(()),
        }
    }
}
