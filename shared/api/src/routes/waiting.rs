//! `/v1/waiting`: what is recorded and not done yet: jobs, and deliveries that are held for accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use data_encoding::BASE64URL_NOPAD;
use hooktide_core::key::{Area, Partition};
use hooktide_core::ports::{Query, Range};
use hooktide_core::records;
use hooktide_core::records::dead_letter::{self, DeadLetter};
use hooktide_core::records::endpoint::{Owned, Route, route_key};
use hooktide_core::records::job::Mark;
use hooktide_core::tenant::Tenant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::changes::limit_of;
use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, Refused, ok};
use crate::state::Api;

/// How many job marks one request looks at, at the most.
const SCANNED: usize = 2_000;
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
    /// Only syncs of this connection's resources.
    connection: Option<String>,
}

/// What waits: a job, or the deliveries that are held for an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingView {
    /// `sync`, `replay`, `privacy` or `erase` for a job of that kind; `held` for deliveries that are held for an account.
    kind: String,
    /// What is to be synced, such as `stock/<connection>`, or the id of what another job is about; none for `held`.
    resource: Option<String>,
    /// The connection whose resource is to be synced.
    connection: Option<String>,
    /// The shared endpoint where deliveries are held.
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

/// Where a page ended: in the order of the list, jobs before held deliveries.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// At the job mark that sorts so.
    Job(String),
    /// At an account of the endpoint whose reference sorts so.
    Held(String, String),
}

impl Place {
    fn to_text(&self) -> String {
        let text = match self {
            Self::Job(sort) => format!("job\n{sort}"),
            Self::Held(reference, account) => format!("held\n{reference}\n{account}"),
        };
        BASE64URL_NOPAD.encode(text.as_bytes())
    }

    fn parse(text: &str) -> Answer<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        match text.splitn(3, '\n').collect::<Vec<_>>()[..] {
            ["job", sort] => Ok(Self::Job(sort.to_owned())),
            ["held", reference, account] => Ok(Self::Held(reference.to_owned(), account.to_owned())),
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
    let place = query.after.as_deref().map(Place::parse).transpose()?;
    let mut items = Vec::new();
    let from = match place {
        Some(Place::Held(reference, account)) => Some((reference, account)),
        None | Some(Place::Job(_)) => {
            let last = if let Some(Place::Job(sort)) = place { Some(sort) } else { None };
            if let Some(last) = jobs(&api, may.tenant(), last, &query.connection, limit, &mut items).await? {
                return Ok(ok(List { items, next: Some(Place::Job(last).to_text()) }));
            }
            None
        }
    };
    // What is held is nobody's yet.
    let next = match query.connection {
        Some(_) => None,
        None => held(&api, may.tenant(), from, limit, &mut items).await?,
    };
    Ok(ok(List { items, next: next.map(|place| place.to_text()) }))
}

/// Adds jobs after one; the last one that was looked at, if there may be more.
async fn jobs(
    api: &Api,
    tenant: &Tenant,
    mut last: Option<String>,
    connection: &Option<String>,
    limit: usize,
    items: &mut Vec<WaitingView>,
) -> Answer<Option<String>> {
    let mut scanned = 0;
    loop {
        let range = last.as_ref().map_or(Range::All, |last| records::after("", last));
        let wanted = (limit - items.len()).min(100);
        let query = Query { partition: Partition::of(tenant, Area::Jobs), range, descending: false, limit: wanted };
        let (marks, more) = records::list::<Mark>(api.table(), &query).await?;
        scanned += marks.len();
        last = marks.last().map(|(sort, _)| sort.clone()).or(last);
        let marks = marks.into_iter().map(|(_, stored)| stored.record);
        let of = |mark: &Mark| connection.as_ref().is_none_or(|wanted| mark.connection() == Some(wanted));
        items.extend(marks.filter(of).map(job));
        if !more {
            // The held deliveries come next, where there is room.
            return Ok(last.filter(|_| items.len() >= limit));
        }
        if items.len() >= limit || scanned >= SCANNED {
            return Ok(last);
        }
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

/// Adds what is held after an account of an endpoint; where it ended, if there may be more.
async fn held(
    api: &Api,
    tenant: &Tenant,
    from: Option<(String, String)>,
    limit: usize,
    items: &mut Vec<WaitingView>,
) -> Answer<Option<Place>> {
    let owned = Partition::of(tenant, Area::Endpoints);
    let room = limit.min(items.len() + ACCOUNTS);
    for (reference, _) in records::list_all::<Owned>(api.table(), owned, "", ENDPOINTS).await? {
        let mut last = match &from {
            Some((begun, _)) if reference < *begun => continue,
            Some((begun, account)) if reference == *begun => Some(account.clone()),
            Some(_) | None => None,
        };
        let Some((provider, endpoint)) = reference.split_once('#') else { continue };
        while let Some((account, oldest)) = next_account(api, tenant, endpoint, last.as_deref()).await? {
            if items.len() >= room {
                let before = last.unwrap_or_default();
                return Ok(Some(Place::Held(reference.clone(), before)));
            }
            let place = (Partition::of(tenant, Area::Held(endpoint)), format!("{account}#"));
            let (hints, _) = dead_letter::count(api.table(), place, COUNTED, |_, _| true).await?;
            let route = records::get::<Route>(api.table(), &route_key(provider, endpoint, &account)).await?;
            items.push(WaitingView {
                kind: HELD.to_owned(),
                resource: None,
                connection: None,
                endpoint: Some(endpoint.to_owned()),
                account: Some(account.clone()),
                tenant: route.map(|stored| stored.record.tenant.to_string()),
                hints,
                since: oldest.received_at,
                due: None,
                running: false,
            });
            last = Some(account);
        }
    }
    Ok(None)
}

/// The first account after another one that something is held for, and the oldest of that.
async fn next_account(
    api: &Api,
    tenant: &Tenant,
    endpoint: &str,
    last: Option<&str>,
) -> Answer<Option<(String, DeadLetter)>> {
    let range = match last.filter(|last| !last.is_empty()) {
        None => Range::All,
        // Beyond all of its deliveries, whose ids are letters and digits.
        Some(account) => records::after("", &format!("{account}#~")),
    };
    let query = Query { partition: Partition::of(tenant, Area::Held(endpoint)), range, descending: false, limit: 1 };
    let (letters, _) = records::list::<DeadLetter>(api.table(), &query).await?;
    let first = letters.into_iter().next();
    Ok(first.and_then(|(sort, stored)| Some((sort.rsplit_once('#')?.0.to_owned(), stored.record))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_any_other_text_is_refused() {
        for place in [Place::Job("sync#stock/c".into()), Place::Held("shopify#e".into(), "a.example.com".into())] {
            assert_eq!(Place::parse(&place.to_text()).unwrap(), place);
        }
        for text in ["", "x", "am9i", "\u{fc}"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }
}
