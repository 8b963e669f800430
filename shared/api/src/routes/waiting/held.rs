//! Deliveries that are held for accounts, by endpoint and account.

use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::dead_letter::{self, DeadLetter};
use hooktide_store::records::endpoint::{Owned, Route, route_key};

use super::place::Place;
use super::{PAGE, Page, WaitingView};
use crate::answer::Answer;
use crate::state::Api;

/// How many accounts one request looks at, and how many deliveries of each: these are large.
const ACCOUNTS: usize = 20;
const COUNTED: usize = 100;
/// More endpoints than a tenant has.
const ENDPOINTS: usize = 1_000;
/// The kind of an item that is no job.
const HELD: &str = "held";

impl Page<'_> {
    /// Adds what endpoints with many accounts hold, after an account of one; where it ended, if there may be more.
    pub(super) async fn shared(&mut self, begun: String, account: String) -> Answer<Option<Place>> {
        if self.only.is_some() {
            // An account that is held on a shared endpoint has no connection yet.
            return Ok(None);
        }
        let owned = Partition::of(self.tenant, Area::Endpoints);
        for (reference, _) in records::list_all::<Owned>(self.api.table(), owned, "", ENDPOINTS).await? {
            let Some((provider, endpoint)) = reference.split_once('#').filter(|_| reference >= begun) else { continue };
            let last = if reference == begun { account.clone() } else { String::new() };
            if let Some(last) = self.held((provider, endpoint, None), last).await? {
                return Ok(Some(Place::Shared(reference, last)));
            }
        }
        Ok(None)
    }

    /// Adds what connections' own endpoints hold, after an account of one; where it ended, if there may be more.
    pub(super) async fn own(&mut self, begun: String, account: String) -> Answer<Option<Place>> {
        let range = match &self.only {
            Some(only) => Range::Between(only.clone(), only.clone()),
            None if begun.is_empty() => Range::All,
            None => records::after("", &begun),
        };
        let mut connections = Vec::new();
        if !begun.is_empty() {
            let stored = records::get::<Connection>(self.api.table(), &connection::key(self.tenant, &begun)).await?;
            connections.extend(stored.map(|stored| stored.record));
        }
        let query =
            Query { partition: Partition::of(self.tenant, Area::Connections), range, descending: false, limit: PAGE };
        let (found, more) = records::list::<Connection>(self.api.table(), &query).await?;
        connections.extend(found.into_iter().map(|(_, stored)| stored.record).filter(|found| found.id != begun));
        for one in connections.iter().filter(|one| one.owns_endpoint()) {
            let last = if one.id == begun { account.clone() } else { String::new() };
            if let Some(last) = self.held((&one.provider, &one.endpoint, Some(&one.id)), last).await? {
                return Ok(Some(Place::Own(one.id.clone(), last)));
            }
        }
        let last = connections.last().filter(|_| more && self.only.is_none());
        // Beyond everything that is held for any account.
        Ok(last.map(|last| Place::Own(last.id.clone(), char::MAX.to_string())))
    }

    /// Adds what an endpoint holds after an account; the last account that was added, if there is more than has room.
    async fn held(
        &mut self,
        (provider, endpoint, connection): (&str, &str, Option<&str>),
        mut last: String,
    ) -> Answer<Option<String>> {
        let held = Partition::of(self.tenant, Area::Held(endpoint));
        while let Some((account, oldest)) = next_account(self.api, held.clone(), &last).await? {
            let accounts = self.items.iter().filter(|item| item.account.is_some()).count();
            if self.items.len() >= self.limit || accounts >= ACCOUNTS {
                return Ok(Some(last));
            }
            let place = (held.clone(), format!("{account}#"));
            let (hints, _) = dead_letter::count(self.api.table(), place, COUNTED, |_, _| true).await?;
            let route = records::get::<Route>(self.api.table(), &route_key(provider, endpoint, &account)).await?;
            self.items.push(WaitingView {
                kind: HELD.to_owned(),
                resource: None,
                connection: connection.map(str::to_owned),
                endpoint: Some(endpoint.to_owned()),
                account: Some(account.clone()),
                tenant: route.map(|stored| stored.record.tenant.to_string()),
                hints,
                since: oldest.received_at,
                due: None,
                running: false,
            });
            last = account;
        }
        Ok(None)
    }
}

/// The first account after another one that something is held for, and the oldest of that.
async fn next_account(api: &Api, held: Partition, last: &str) -> Answer<Option<(String, DeadLetter)>> {
    // Beyond all deliveries of the last one, whose ids are letters and digits.
    let range = if last.is_empty() { Range::All } else { records::after("", &format!("{last}#~")) };
    let query = Query { partition: held, range, descending: false, limit: 1 };
    let (letters, _) = records::list::<DeadLetter>(api.table(), &query).await?;
    let first = letters.into_iter().next();
    Ok(first.and_then(|(sort, stored)| Some((sort.rsplit_once('#')?.0.to_owned(), stored.record))))
}
