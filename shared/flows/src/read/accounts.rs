//! Merchant accounts: a page of them, and one by its id.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_with::skip_serializing_none;
use utoipa::ToSchema;

use super::Reader;
use super::companies::connections;
use crate::connect::Refusal;
use crate::steer::Sliced;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::payment::ListedAccount;

/// How many accounts a request looks at, at the most.
const SCANNED: usize = 2_000;
/// How many accounts are read at once, at the least.
const PAGE: usize = 100;
/// How many connections may have an account of one id.
const OF_ONE_ID: usize = 20;

/// A merchant account.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AccountView {
    /// The provider's id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// The connection that reported it.
    pub connection: String,
    /// The provider's status.
    pub status: String,
    /// The merchant's own reference.
    pub reference: Option<String>,
    /// When the provider last changed it; RFC 3339.
    pub updated_at: String,
    /// Its name, where the connection says one.
    pub company_name: Option<String>,
}

impl AccountView {
    fn of(listed: ListedAccount, connection: &Connection) -> Self {
        let named = connection.settings.companies.get(&listed.account.id);
        Self {
            company_name: named.and_then(|named| named.name.clone()),
            id: listed.account.id,
            provider: listed.provider,
            connection: listed.connection,
            status: listed.account.status,
            reference: listed.account.reference,
            updated_at: listed.account.updated_at,
        }
    }
}

/// Reads a page of at most `limit` accounts, in the order of their ids.
pub async fn list(
    reader: Reader<'_>,
    connection: Option<&str>,
    after: Option<String>,
    limit: usize,
) -> Result<Sliced<AccountView>, Refusal> {
    if !reader.companies.is_empty() {
        return of_companies(reader, connection, after, limit).await;
    }
    let (mut items, mut last, mut scanned) = (Vec::new(), after, 0);
    loop {
        let range = last.as_ref().map_or(Range::All, |last| records::after("", last));
        let partition = ListedAccount::all(reader.context.tenant);
        let query = Query { partition, range, descending: false, limit: PAGE.max(limit + 1) };
        let (found, more) = records::list::<ListedAccount>(reader.context.table(), &query).await?;
        let is_empty = found.is_empty();
        let connections = connections(reader, found.iter().map(|(_, stored)| &*stored.record.connection)).await?;
        for (sort, stored) in found {
            if items.len() >= limit {
                return Ok(Sliced { items, next: last });
            }
            (last, scanned) = (Some(sort), scanned + 1);
            let listed = stored.record;
            let is_asked = connection.is_none_or(|connection| connection == listed.connection);
            let connection = connections.get(&listed.connection).filter(|_| is_asked);
            items.extend(connection.map(|connection| AccountView::of(listed, connection)));
        }
        match more && !is_empty {
            true if scanned >= SCANNED => return Ok(Sliced { items, next: last }),
            true => {}
            false => return Ok(Sliced { items, next: None }),
        }
    }
}

/// A page of those that a reader may see who may see some companies only: read one by one, so that no cursor names another.
async fn of_companies(
    reader: Reader<'_>,
    connection: Option<&str>,
    after: Option<String>,
    limit: usize,
) -> Result<Sliced<AccountView>, Refusal> {
    let ids: BTreeSet<&String> = reader.companies.iter().collect();
    let (mut items, mut last): (Vec<AccountView>, _) = (Vec::new(), after.clone());
    for id in ids.into_iter().filter(|id| after.as_ref().is_none_or(|after| *id > after)) {
        if items.len() >= limit {
            return Ok(Sliced { items, next: last });
        }
        items.extend(of_id(reader, id, connection).await?);
        last = Some(id.clone());
    }
    Ok(Sliced { items, next: None })
}

/// The accounts of an id that a reader may see: one for each connection that reports it, or of the one that is named.
pub async fn of_id(reader: Reader<'_>, id: &str, connection: Option<&str>) -> Result<Vec<AccountView>, Fault> {
    if !reader.sees(id) {
        return Ok(Vec::new());
    }
    let (table, tenant) = (reader.context.table(), reader.context.tenant);
    let found: Vec<ListedAccount> = match connection {
        Some(connection) => {
            let one = records::get::<ListedAccount>(table, &ListedAccount::key(tenant, id, connection)).await?;
            one.into_iter().map(|stored| stored.record).collect()
        }
        None => {
            let (partition, prefix) = (ListedAccount::all(tenant), ListedAccount::prefix(id));
            let all = records::list_all::<ListedAccount>(table, partition, &prefix, OF_ONE_ID).await?;
            all.into_iter().map(|(_, stored)| stored.record).collect()
        }
    };
    let connections = connections(reader, found.iter().map(|listed| &*listed.connection)).await?;
    let view = |listed: ListedAccount| {
        let connection = connections.get(&listed.connection)?;
        Some(AccountView::of(listed, connection))
    };
    Ok(found.into_iter().filter_map(view).collect())
}
