//! Parting: the blocks of a connection that is deleted go, those in its calendars and those that its events made in others.

use std::collections::{BTreeMap, BTreeSet};

use super::person::Person;
use super::wake;
use super::writer::BLOCKS;
use crate::Ports;
use crate::connect::Context;
use hooktide_model::fault::Fault;
use hooktide_model::names::BlockState;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Query, Range, Write};
use hooktide_store::records::block::{self, Block};
use hooktide_store::records::{self, Stored, calendars};

/// How many blocks are read, and changed, at once.
const PAGE: usize = 25;

/// Lets all blocks of a connection go, whatever people did with those that are there. Returns how many lie in its own calendars.
pub(crate) async fn begin(context: Context<'_>, connection: &str) -> Result<usize, Fault> {
    let Context { ports, tenant, now, .. } = context;
    let Some(person) = Person::of(ports, tenant, connection).await? else { return Ok(0) };
    // Nothing is made from now on.
    let key = calendars::key(tenant, connection);
    ports.table.write(Write::Delete { key, condition: None }).await.map_err(records::raced)?;
    let mut going: BTreeMap<String, usize> = BTreeMap::new();
    going.insert(connection.to_owned(), sweep(ports, tenant, &block::prefix_in(connection), |_| true).await?);
    for calendar in person.all().into_iter().filter(|calendar| calendar.connection != connection) {
        let prefix = format!("{}{connection}#", block::prefix_of_calendar(&calendar));
        *going.entry(calendar.connection).or_default() += sweep(ports, tenant, &prefix, |_| true).await?;
    }
    for (lies_in, count) in &going {
        if *count > 0 {
            wake(ports, tenant, (BLOCKS, lies_in), BTreeSet::new(), now).await?;
        }
    }
    Ok(going.remove(connection).unwrap_or_default())
}

/// Marks the blocks that sort under a prefix and that are meant as to be removed; how many there are.
pub(super) async fn sweep(
    ports: &Ports,
    tenant: &Tenant,
    prefix: &str,
    is_meant: impl Fn(&Block) -> bool + Sync,
) -> Result<usize, Fault> {
    let mut range = Range::Prefix(prefix.to_owned());
    let mut count = 0;
    loop {
        let query = Query { partition: block::partition(tenant), range, descending: false, limit: PAGE };
        let (found, more) = records::list::<Block>(&*ports.table, &query).await?;
        let last = found.last().map(|(sort, _)| sort.clone());
        let mut writes = Vec::with_capacity(found.len());
        for (_, Stored { rev, record }) in found.into_iter().filter(|(_, stored)| is_meant(&stored.record)) {
            count += 1;
            let next = Block { state: BlockState::Removing, etag: None, failures: 0, reason: None, ..record };
            writes.push(records::replace(&next.record_key(tenant), Some(rev), &next, next.upkeep())?);
        }
        if !writes.is_empty() {
            ports.table.transact(writes).await.map_err(records::overtaken)?;
        }
        let Some(last) = last.filter(|_| more) else { return Ok(count) };
        range = records::after(prefix, &last);
    }
}

/// Forgets the blocks that sort under a prefix: they are gone.
pub(super) async fn forget(ports: &Ports, tenant: &Tenant, prefix: &str) -> Result<(), Fault> {
    let partition = block::partition(tenant);
    loop {
        let range = Range::Prefix(prefix.to_owned());
        let query = Query { partition: partition.clone(), range, descending: false, limit: PAGE };
        let page = ports.table.query(&query).await?;
        let keys = page.items.iter().map(|item| partition.clone().key(records::sort_of(item)));
        let writes: Vec<Write> = keys.map(|key| Write::Delete { key, condition: None }).collect();
        if writes.is_empty() {
            return Ok(());
        }
        ports.table.transact(writes).await.map_err(records::overtaken)?;
    }
}
