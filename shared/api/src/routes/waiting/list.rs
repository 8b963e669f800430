//! `GET /v1/waiting`.

use axum::Json;
use serde::Deserialize;
use utoipa::IntoParams;

use super::place::Place;
use super::{Page, WaitingView};
use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::limit_of;

/// The filter, and where to go on.
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

/// What waits: jobs by their kinds and resources, then held deliveries by endpoint and account.
#[utoipa::path(get, path = "/v1/waiting", operation_id = "list_waiting", params(WaitingQuery), responses((status = 200, body = List<WaitingView>)))]
pub(crate) async fn list(may: May<Read>, Params(query): Params<WaitingQuery>) -> Answer<Json<List<WaitingView>>> {
    let limit = limit_of(query.limit)?;
    let mut place = query.after.as_deref().map(Place::parse).transpose()?.unwrap_or(Place::Job(String::new()));
    let mut page = Page { api: &may.api, tenant: may.tenant(), only: query.connection, limit, items: Vec::new() };
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
