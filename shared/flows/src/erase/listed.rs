//! What lists and totals have of a connection.

use super::{MOST, keys_of as keys_in};
use crate::jobs::task::Runner;
use crate::{Ports, recount, rollup};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Key, Range};
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::entity::{Entity, EntityId};
use hooktide_store::records::job;
use hooktide_store::records::payment::{ById, Company, CompanyId, ListedAccount, Recount};

/// How many companies of a connection are looked at.
const COMPANIES: usize = 10_000;

/// The keys under which an entity is listed, from its own key and its item.
pub(super) fn keys_of(tenant: &Tenant, connection: &Connection, key: &Key, item: Item) -> Result<Vec<Key>, Fault> {
    let Some((kind, id)) = key.sort().split_once('#') else { return Ok(Vec::new()) };
    match Kind::from_name(kind) {
        Some(Kind::Account) => Ok(vec![ListedAccount::key(tenant, id, &connection.id)]),
        Some(Kind::Transaction) => {
            // One that cannot be read is erased all the same: what lists have of it goes with its company's.
            let listing = records::decode::<Entity>(item).ok().and_then(|stored| stored.record.listing);
            let Some(listing) = listing else { return Ok(Vec::new()) };
            let entity = EntityId { kind: Kind::Transaction, connection: connection.id.clone(), id: id.to_owned() };
            Ok(vec![listing.key(tenant, &entity), ById::key(tenant, &listing.id, &entity)])
        }
        Some(_) | None => Ok(Vec::new()),
    }
}

/// Some of the keys of what a connection's companies have; and whether there are more.
pub(super) async fn keys(ports: &Ports, tenant: &Tenant, connection: &Connection) -> Result<(Vec<Key>, bool), Fault> {
    let (mut found, mut more) = (Vec::new(), false);
    for id in of(ports, tenant, &connection.id).await? {
        if found.len() >= MOST {
            return Ok((found, true));
        }
        for partition in [id.transactions(tenant), id.totals(tenant), id.days(tenant), id.late(tenant)] {
            let left = MOST.saturating_sub(found.len());
            let (keys, are_more) = keys_in(ports, &partition, Range::All, left).await?;
            found.extend(keys);
            more |= are_more || left == 0;
        }
    }
    Ok((found, more))
}

/// The keys of the companies of a connection, with those of their jobs: they go when nothing is left of what they had, and stay
/// as long as the connection does.
pub(super) async fn companies(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Vec<Key>, Fault> {
    let keys_of = |id: &CompanyId| {
        let mark = |runner: &Runner| job::key(tenant, &runner.kind, &rollup::mark::resource(id));
        [id.key(tenant), Recount::key(tenant, id), mark(&rollup::RUNNER), mark(&recount::RUNNER)]
    };
    Ok(of(ports, tenant, connection).await?.iter().flat_map(keys_of).collect())
}

async fn of(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Vec<CompanyId>, Fault> {
    let prefix = CompanyId::of(connection);
    let all = records::list_all::<Company>(&*ports.table, CompanyId::all(tenant), &prefix, COMPANIES).await?;
    Ok(all.into_iter().map(|(_, stored)| stored.record.id).collect())
}
