//! `/v1/privacy-requests`: requests to disclose or erase what is held about somebody, and what was done.

use axum::Json;
use hooktide_model::names::PrivacyAct;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::privacy::{self, Done, Found};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::{PageQuery, limit_of};

/// What was done of a request. Nothing in it is personal.
#[derive(Serialize, ToSchema)]
pub(crate) struct PrivacyRequestView {
    id: String,
    provider: String,
    /// None where it was about a person, whichever account knows them.
    connection: Option<String>,
    topic: Option<String>,
    act: PrivacyAct,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// None while it goes on.
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    /// Things of the account that were erased.
    entities: u64,
    /// Their documents.
    documents: u64,
    /// Kept deliveries about the account or the person that were found, and erased if that was asked for.
    deliveries: u64,
    /// Their ids, where they are to be disclosed. `/v1/dead-letters/{id}` has those whole that are dead letters of this
    /// tenant; the others are dead letters of whoever owns the endpoint, or wait there for the account.
    listed: Vec<String>,
}

/// Requests about personal data, oldest first. What was not begun yet is in the activity.
#[utoipa::path(get, path = "/v1/privacy-requests", operation_id = "list_privacy_requests", params(PageQuery), responses((status = 200, body = List<PrivacyRequestView>)))]
pub(crate) async fn list(may: May<Read>, Params(page): Params<PageQuery>) -> Answer<Json<List<PrivacyRequestView>>> {
    let limit = limit_of(page.limit)?;
    let range = match page.after {
        None => Range::Prefix(privacy::PREFIX.to_owned()),
        Some(last) => records::after(privacy::PREFIX, &format!("{}{last}", privacy::PREFIX)),
    };
    let query = Query { partition: privacy::partition(may.tenant()), range, descending: false, limit };
    let (stored, more) = records::list::<Done>(may.api.table(), &query).await?;
    let items: Vec<PrivacyRequestView> = stored.into_iter().map(|(sort, stored)| view(&sort, stored.record)).collect();
    let next = items.last().filter(|_| more).map(|last| last.id.clone());
    Ok(ok(List { items, next }))
}

fn view(sort: &str, done: Done) -> PrivacyRequestView {
    let Done { provider, connection, topic, act, received_at, done_at, found, listed, .. } = done;
    let Found { entities, documents, deliveries } = found;
    let id = sort.strip_prefix(privacy::PREFIX).unwrap_or(sort).to_owned();
    PrivacyRequestView {
        id,
        provider,
        connection,
        topic,
        act,
        received_at,
        done_at,
        entities,
        documents,
        deliveries,
        listed,
    }
}
