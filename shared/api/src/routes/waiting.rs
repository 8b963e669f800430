//! `/v1/waiting`: what is recorded and not done yet: jobs, and deliveries that are held for accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64URL_NOPAD;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::dead_letter::{self, DeadLetter};
use hooktide_store::records::endpoint::{Owned, Route, route_key};
use hooktide_store::records::job::Mark;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, Refused, ok};
use crate::paging::limit_of;
use crate::state::Api;

/// How many job marks one request looks at, at the most.
const SCANNED: usize = 2_000;
/// How many job marks, or connections, are read at once.
const PAGE: usize = 100;
/// How many accounts one request looks at, and how many deliveries of each: these are large.
const ACCOUNTS: usize = 20;
const COUNTED: usize = 100;
/// More endpoints than a tenant has.
const ENDPOINTS: usize = 1_000;
/// What an item is that is no job.
const HELD: &str = "held";

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitingQuery {
    /// The `next` of an earlier answer.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most); a page may be shorter.
    limit: Option<usize>,
    /// Only syncs of this connection's resources, and what its own endpoint holds.
    connection: Option<String>,
}

/// What waits: a job, or the deliveries that are held for an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// `sync`, `replay`, `privacy` or `erase` for a job of that kind; `held` for deliveries that are held for an account.
    kind: String,
    /// What is to be synced, such as `stock/<connection>`, or the id of what another job is about; none for `held`.
    resource: Option<String>,
    /// The connection whose resource is to be synced, or whose own endpoint received deliveries for a foreign account.
    connection: Option<String>,
    /// The endpoint where deliveries are held.
    endpoint: Option<String>,
    /// The account that they are held for.
    account: Option<String>,
    /// The tenant that has connected the account, where they wait until the endpoint's owner releases them.
    tenant: Option<String>,
    /// How many hints were folded into the job, or how many deliveries are held, as far as was counted (100).
    hints: u64,
    /// When the first of them came.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When the job is due, or when the lease of its run ends; none for `held`.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// Whether the job runs now.
    running: bool,
}

/// Where a page ended: in the order of the list, jobs, then what is held by endpoints with many accounts, then by those of
/// connections.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// At the job mark that sorts so.
    Job(String),
    /// At an account of the shared endpoint whose reference sorts so; before all of them if it is empty.
    Shared(String, String),
    /// At an account held by the own endpoint of this connection; before all of them if it is empty.
    Own(String, String),
}

impl Place {
    fn to_text(&self) -> String {
        let text = match self {
            Self::Job(sort) => format!("job\n{sort}"),
            Self::Shared(reference, account) => format!("shared\n{reference}\n{account}"),
            Self::Own(connection, account) => format!("own\n{connection}\n{account}"),
        };
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    fn parse(text: &str) -> Answer<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        match text.splitn(3, '\n').collect::<Vec<_>>()[..] {
            ["job", sort] => Ok(Self::Job(sort.to_owned())),
            ["shared", reference, account] => Ok(Self::Shared(reference.to_owned(), account.to_owned())),
            ["own", connection, account] => Ok(Self::Own(connection.to_owned(), account.to_owned())),
            _ => Err(Refused::invalid("after", "it is not the `next` of an earlier answer")),
        }
    }
}

/// What waits: jobs by their kinds and resources, then held deliveries by endpoint and account.
#[utoipa::path(get, path = "/v1/waiting", operation_id = "list_waiting", params(WaitingQuery), responses((status = 200, body = List<WaitingView>)))]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    may: May<Read>,
    Params(query): Params<WaitingQuery>,
) -> Answer<Json<List<WaitingView>>> {
    let limit = limit_of(query.limit)?;
    let mut place = query.after.as_deref().map(Place::parse).transpose()?.unwrap_or(Place::Job(String::new()));
    let mut page = Page { api: &api, tenant: may.tenant(), only: query.connection, limit, items: Vec::new() };
    loop {
        let (next, ended) = match place {
            Place::Job(last) => match page.jobs(last).await? {
                None => (Place::Shared(String::new(), String::new()), false),
                Some(last) => (Place::Job(last), true),
            },
            Place::Shared(reference, account) => match page.shared(reference, account).await? {
                None => (Place::Own(String::new(), String::new()), false),
                Some(next) => (next, true),
            },
            Place::Own(connection, account) => match page.own(connection, account).await? {
                None => return Ok(ok(List { items: page.items, next: None })),
                Some(next) => (next, true),
            },
        };
        if ended || page.items.len() >= limit {
            return Ok(ok(List { items: page.items, next: Some(next.to_text()) }));
        }
        place = next;
    }
}

/// A page that is filled.
struct Page<'a> {
    api: &'a Api,
    tenant: &'a Tenant,
    /// Only what is of this connection.
    only: Option<String>,
    limit: usize,
    items: Vec<WaitingView>,
}

impl Page<'_> {
    /// Adds jobs after one; the last one that was looked at, if there may be more.
    async fn jobs(&mut self, last: String) -> Answer<Option<String>> {
        let mut last = Some(last).filter(|last| !last.is_empty());
        let mut scanned = 0;
        loop {
            let range = last.as_ref().map_or(Range::All, |last| records::after("", last));
            let limit = (self.limit - self.items.len()).min(PAGE);
            let query = Query { partition: Partition::of(self.tenant, Area::Jobs), range, descending: false, limit };
            let (marks, more) = records::list::<Mark>(self.api.table(), &query).await?;
            scanned += marks.len();
            last = marks.last().map(|(sort, _)| sort.clone()).or(last);
            let of = |mark: &Mark| self.only.as_deref().is_none_or(|only| mark.connection() == Some(only));
            let marks = marks.into_iter().map(|(_, stored)| stored.record).filter(of).map(job);
            self.items.extend(marks.collect::<Vec<_>>());
            if !more {
                return Ok(None);
            }
            if self.items.len() >= self.limit || scanned >= SCANNED {
                return Ok(last);
            }
        }
    }

    /// Adds what endpoints with many accounts hold, after an account of one; where it ended, if there may be more.
    async fn shared(&mut self, begun: String, account: String) -> Answer<Option<Place>> {
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
    async fn own(&mut self, begun: String, account: String) -> Answer<Option<Place>> {
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

fn job(mark: Mark) -> WaitingView {
    WaitingView {
        kind: mark.job.to_string(),
        connection: mark.connection().map(str::to_owned),
        resource: Some(mark.resource),
        endpoint: None,
        account: None,
        tenant: None,
        hints: mark.hints,
        since: Timestamp::from_millisecond(mark.first_hint_at).unwrap_or_default(),
        due: Timestamp::from_millisecond(mark.due_at).ok(),
        running: mark.running,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_any_other_text_is_refused() {
        for place in [
            Place::Job("sync#stock/c".into()),
            Place::Shared("shopify#e".into(), "a.example.com".into()),
            Place::Own("c".into(), String::new()),
        ] {
            assert_eq!(Place::parse(&place.to_text()).unwrap(), place);
        }
        for text in ["", "x", "am9i", "\u{fc}"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
