//! Reading the feed for an answer: from which cursor, how much of it, and with which documents.

use hooktide_flows::feed::{self, ChangeView, Cursor, FeedFault, Item, Reading};
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::document;
use hooktide_store::records::journal::Entry;

use crate::answer::{Answer, Refused};
use crate::state::Api;

/// How many entries one request looks at, at the most.
const SCANNED: usize = 2_000;
/// How many entries are read at once, however few of them are wanted.
const READ: usize = 100;
/// How many documents are read at once.
const DOCUMENTS: usize = 25;
/// About how large an answer gets, in bytes: Lambda's answers end at 6 MB.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// The cursor that `after` gives.
pub(crate) async fn cursor_of(api: &Api, tenant: &Tenant, after: Option<&str>) -> Answer<Cursor> {
    let (lanes, now) = (api.settings().lanes, api.now());
    match after {
        None => Ok(Cursor::oldest(lanes, now)),
        Some("now") => Ok(feed::now_cursor(api.table(), tenant, lanes, now).await?),
        Some(text) => Cursor::parse(text, lanes).map_err(|error| Refused::invalid("after", error.to_string())),
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
            size += view.document.as_ref().map_or(0, |document| document.get().len());
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
