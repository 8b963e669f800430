//! `/v1/changes`: the feed by conditional polling; and what reading the feed has in common.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use hooktide_flows::feed::{self, ChangeView, Cursor, FeedFault, Item, Reading};
use hooktide_model::names::{Kind, ProblemType};
use hooktide_model::tenant::Tenant;
use hooktide_store::records::document;
use hooktide_store::records::journal::Entry;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::FeedReader;
use crate::answer::{Answer, FeedPage, Params, Refused};
use crate::etag;
use crate::state::Api;

/// How many entries one request looks at, at the most.
const SCANNED: usize = 2_000;
/// How many entries are read at once, however few of them are wanted.
const READ: usize = 100;
/// The largest page.
const LARGEST_PAGE: usize = 1_000;

/// How many documents are read at once.
const DOCUMENTS: usize = 25;
/// About how large an answer gets, in bytes: Lambda's answers end at 6 MB.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// What is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// The `next` of an earlier answer, or `now`; without it, from the oldest that is kept.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
    /// Only changes of this kind.
    #[param(value_type = Option<String>)]
    kind: Option<Kind>,
    /// Only changes with this tag.
    tag: Option<String>,
}

/// Changes since a cursor. With `If-None-Match`, 304 while there is nothing new.
#[utoipa::path(get, path = "/v1/changes", operation_id = "read_changes", params(ChangesQuery),
    responses((status = 200, body = FeedPage<ChangeView>), (status = 304), (status = 410)))]
pub(crate) async fn changes(
    State(api): State<Arc<Api>>,
    reader: FeedReader,
    Params(query): Params<ChangesQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    // Until the answer is made.
    let _turn = api.readings().turn(&reader.tenant).await?;
    let cursor = cursor_of(&api, &reader.tenant, query.after.as_deref()).await?;
    let wanted = |entry: &Entry| {
        ChangeView::of(entry, None).is_some_and(|view| {
            reader.wants(&view)
                && query.kind.is_none_or(|kind| kind == view.kind)
                && query.tag.as_ref().is_none_or(|tag| view.tags.contains(tag))
        })
    };
    let limit = limit_of(query.limit)?;
    let reading = scan(&api, &reader.tenant, cursor, limit, wanted).await?;
    let fitting = &reading.items[..reading.items.len().min(limit)];
    let mut items = views(&api, &reader.tenant, fitting).await?;
    let (next, more) = place_after(&reading, &reading.items, items.len());
    for view in &mut items {
        if !reader.sees_document_of(view) {
            view.document = None;
        }
    }
    Ok(etag::tagged(&headers, &FeedPage { items, next: next.to_text(), more })?)
}

impl FeedReader {
    /// Whether a feed token lets its holder see this change.
    pub(crate) fn wants(&self, view: &ChangeView) -> bool {
        let channel = self.channels.is_empty() || view.kind.channels().iter().any(|one| self.channels.contains(one));
        let tag = self.tags.is_empty() || view.tags.iter().any(|one| self.tags.contains(one));
        channel && tag
    }

    /// Whether one of the channels that it lets its holder see carries the document.
    fn sees_document_of(&self, view: &ChangeView) -> bool {
        let mut channels = view.kind.channels().iter().filter(|one| !one.is_invalidation());
        self.channels.is_empty() || channels.any(|one| self.channels.contains(one))
    }
}

/// The cursor that `after` gives.
pub(crate) async fn cursor_of(api: &Api, tenant: &Tenant, after: Option<&str>) -> Answer<Cursor> {
    let (lanes, now) = (api.settings().lanes, api.now());
    match after {
        None => Ok(Cursor::oldest(lanes, now)),
        Some("now") => Ok(feed::now_cursor(api.table(), tenant, lanes, now).await?),
        Some(text) => Cursor::parse(text, lanes).map_err(|error| Refused::invalid("after", error.to_string())),
    }
}

/// Checks a page's size.
pub(crate) fn limit_of(limit: Option<usize>) -> Answer<usize> {
    match limit.unwrap_or(100) {
        limit @ 1..=LARGEST_PAGE => Ok(limit),
        _ => Err(Refused::invalid("limit", format!("it is 1 to {LARGEST_PAGE}"))),
    }
}

/// Reads on until there are `limit` entries that are wanted, or enough was looked at for one request. There may be
/// more of them than `limit`: [`place_after`] says where a reader of only the first stands.
pub(crate) async fn scan(
    api: &Api,
    tenant: &Tenant,
    cursor: Cursor,
    limit: usize,
    wanted: impl Fn(&Entry) -> bool,
) -> Answer<Reading> {
    let mut found = Reading { items: Vec::new(), next: cursor, more: true };
    let mut scanned = 0;
    while found.more && found.items.len() < limit && scanned < SCANNED {
        let reading = read(api, tenant, &found.next, READ).await?;
        scanned += reading.items.len().max(1);
        found.items.extend(reading.items.into_iter().filter(|item| wanted(&item.entry)));
        (found.next, found.more) = (reading.next, reading.more);
    }
    Ok(found)
}

/// Reads the feed once.
pub(crate) async fn read(api: &Api, tenant: &Tenant, cursor: &Cursor, limit: usize) -> Answer<Reading> {
    let keep = api.settings().keep_journal;
    feed::read(api.table(), tenant, cursor, limit, keep, api.now()).await.map_err(|fault| match fault {
        FeedFault::Fault(fault) => fault.into(),
        FeedFault::Ahead => Refused::new(
            ProblemType::CursorExpired,
            "This cursor is ahead of everything that there is: what it stands behind was lost or is another server's. Read \
             everything anew, then start without a cursor.",
        ),
        FeedFault::Expired => Refused::new(
            ProblemType::CursorExpired,
            "What came after this cursor is no longer kept. Read everything anew, then start without a cursor.",
        ),
    })
}

/// The changes of entries, with their documents as far as these are still there: of so many of the entries, from the
/// first on, as fit into one answer.
pub(crate) async fn views(api: &Api, tenant: &Tenant, items: &[Item]) -> Answer<Vec<ChangeView>> {
    let mut views = Vec::with_capacity(items.len());
    let mut size = 0;
    for items in items.chunks(DOCUMENTS) {
        for view in views_of(api, tenant, items).await? {
            size += view.document.as_ref().map_or(0, |document| document.to_string().len());
            if size > LARGEST_ANSWER && !views.is_empty() {
                return Ok(views);
            }
            views.push(view);
        }
    }
    Ok(views)
}

async fn views_of(api: &Api, tenant: &Tenant, items: &[Item]) -> Answer<Vec<ChangeView>> {
    let wanted: Vec<_> = items.iter().filter_map(|item| item.entry.document()).collect();
    let mut documents = document::load(api.table(), &*api.ports().blobs, tenant, &wanted).await?.into_iter();
    let view = |item: &Item| {
        let found = item.entry.document().and_then(|_| documents.next().flatten());
        ChangeView::of(&item.entry, found)
    };
    Ok(items.iter().filter_map(view).collect())
}

/// Where a reader stands after so many of the items of a reading.
pub(crate) fn place_after(reading: &Reading, items: &[Item], count: usize) -> (Cursor, bool) {
    match count.checked_sub(1).map(|last| &items[last]) {
        // Beyond all channels of the change.
        Some(last) if count < items.len() => (last.cursor_after(2), true),
        Some(_) | None => (reading.next.clone(), reading.more),
    }
}
