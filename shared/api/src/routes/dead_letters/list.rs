//! `GET /v1/dead-letters`.

use axum::Json;
use hooktide_model::fault::ErrorClass;
use hooktide_store::ports::{Query, Range};
use hooktide_store::records;
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::replay::Filter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{DeadLetterView, SCANNED};
use crate::access::{May, Read};
use crate::answer::{Answer, List, Params, ok};
use crate::paging::limit_of;

/// How many letters are in memory at once: they are large.
const PAGE: usize = 50;

/// The filters, and where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLettersQuery {
    /// The `next` of an earlier answer.
    after: Option<String>,
    /// At most so many (100 by default, 1000 at the most).
    limit: Option<usize>,
    /// Only of this connection.
    connection: Option<String>,
    /// Only of this topic.
    topic: Option<String>,
    /// Only of this class.
    #[param(value_type = Option<String>)]
    class: Option<ErrorClass>,
}

/// The tenant's dead letters, newest first.
#[utoipa::path(get, path = "/v1/dead-letters", operation_id = "list_dead_letters", params(DeadLettersQuery),
    responses((status = 200, body = List<DeadLetterView>)))]
pub(crate) async fn list(
    may: May<Read>,
    Params(query): Params<DeadLettersQuery>,
) -> Answer<Json<List<DeadLetterView>>> {
    let limit = limit_of(query.limit)?;
    let filter = Filter { connection: query.connection, topic: query.topic, class: query.class, ..Filter::default() };
    let (partition, _) = Shelf::Dead.place(may.tenant());
    let mut last = query.after;
    let mut items = Vec::new();
    let mut scanned = 0;
    loop {
        let range = match &last {
            None => Range::All,
            // Everything that sorts before it: ids are lower-case letters and digits.
            Some(last) => Range::Between(" ".to_owned(), format!("{last}\u{0}")),
        };
        let room = (limit - items.len()).min(PAGE);
        // The last of the page before comes again, unless it is gone by now.
        let wanted = room + usize::from(last.is_some());
        let page = Query { partition: partition.clone(), range, descending: true, limit: wanted };
        let (letters, more) = records::list::<DeadLetter>(may.api.table(), &page).await?;
        scanned += letters.len();
        let mut fresh: Vec<_> = letters.into_iter().filter(|(id, _)| Some(id) != last.as_ref()).collect();
        let more = more || fresh.len() > room;
        fresh.truncate(room);
        last = fresh.last().map(|(id, _)| id.clone()).or(last);
        let found_none = fresh.is_empty();
        items.extend(
            fresh
                .iter()
                .filter(|(id, letter)| filter.matches(id, &letter.record))
                .map(|(id, letter)| DeadLetterView::of(id.clone(), &letter.record)),
        );
        if !more || found_none {
            return Ok(ok(List { items, next: None }));
        }
        if items.len() >= limit || scanned >= SCANNED {
            return Ok(ok(List { items, next: last }));
        }
    }
}
