//! The lists of products, by their ids: those in the bin, and all others.

use http::Method;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::cursor::{Cursor, List, Walk};
use super::window::Window;
use super::{Item, take};
use crate::lenient::{Lenient, Object};
use crate::woocommerce::WooCommerce;
use crate::woocommerce::api::{body, question};
use crate::woocommerce::product::{FIELDS, WooProduct, gmt};
use crate::{Answer, Api, Ask, Next, Page, Refusal, Task};
use hooktide_model::notice::What;

/// How many rows a list has at the most, before it counts as one without an end.
const MOST_ROWS: u64 = 5_000_000;
/// How often a walk goes back for rows that may have moved before it goes on all the same.
const MOST_BACKS: u8 = 3;
/// How many rows it goes back each time.
const BACK: u64 = 50;

/// The question for the next page. `modified_after` is exclusive, in whole seconds, and read in the store's own zone if it
/// names any other.
pub(super) fn next_page(task: &Task<'_>, cursor: &Cursor) -> Ask {
    let walk = cursor.walk.clone().unwrap_or_default();
    let Window { size, page } = Window::after(walk.covered, cursor.rows());
    let status = match walk.list {
        List::Bin => "trash",
        List::Shop | List::End => "any",
    };
    let since = cursor.since.and_then(|since| Timestamp::from_second(since).ok());
    let since =
        since.map(|since| format!("&modified_after={}&dates_are_gmt=true", since.strftime("%Y-%m-%dT%H:%M:%S")));
    let url = format!(
        "{}/products?status={status}&orderby=id&order=asc&per_page={size}&page={page}{}&_fields={FIELDS}&_skip_cache=1",
        task.api,
        since.unwrap_or_default(),
    );
    question(Method::GET, &url, None)
}

/// Reads a page.
pub(super) fn read(api: &WooCommerce, task: &Task<'_>, mut cursor: Cursor, answer: &Answer) -> Result<Page, Refusal> {
    api.sort(answer)?;
    let rows: Vec<Lenient<Object<WooProduct>>> = body::json(answer, "no list of products")?;
    let total = body::number(answer, "x-wp-total");
    let mut walk = cursor.walk.take().unwrap_or_default();
    walk.began = walk.began.or_else(|| Some(clock(answer, task)));

    let ids: Vec<u64> = rows.iter().filter_map(id).collect();
    let sorted = ids.is_sorted();
    let joins = walk.covered == 0 || !sorted || ids.first().is_some_and(|first| *first <= walk.last);
    if !joins && walk.backs < MOST_BACKS {
        walk.backs += 1;
        walk.covered = walk.covered.saturating_sub(BACK * u64::from(walk.backs));
        cursor.walk = Some(walk);
        return Ok(Page::of(Vec::new(), cursor.next()));
    }

    // Something before the store, such as a cache, looks at the path alone. Whoever went back meets what is known.
    let is_repeated = sorted && walk.backs == 0 && ids.last().is_some_and(|last| *last <= walk.last);
    if is_repeated && total.is_none_or(|total| total > walk.covered) {
        return Err(Refusal::Unreadable("the store gives the same page again, whichever is asked for"));
    }
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    let known = if sorted { walk.last } else { 0 };
    for row in rows.into_iter().filter(|row| id(row).is_none_or(|id| id > known)) {
        let Some(Object(product)) = row.read() else {
            page.facts.push(What::ignored("an item of the list is no product"));
            continue;
        };
        let date = product.date_modified_gmt.as_ref().and_then(|text| gmt(text).ok());
        date.into_iter().for_each(|date| walk.saw(date.as_second()));
        take(&mut page, &mut cursor, Item::read(product));
    }
    go_on(&mut walk, &ids, (cursor.rows(), total))?;
    cursor.walk = Some(walk);
    page.next = cursor.next();
    Ok(page)
}

/// Goes on to the next page, or to the next list.
fn go_on(walk: &mut Walk, ids: &[u64], (most, total): (u64, Option<u64>)) -> Result<(), Refusal> {
    let window = Window::after(walk.covered, most);
    let end = total.map_or(window.end(), |total| window.end().min(total));
    if end > MOST_ROWS {
        return Err(Refusal::Unreadable("a list of products without an end"));
    }
    // Without a total, only a full page says that there may be more.
    let full = u64::try_from(ids.len()).is_ok_and(|rows| rows >= window.size);
    if total.map_or(!full, |total| window.end() >= total) {
        walk.turn();
        return Ok(());
    }
    walk.covered = end;
    walk.last = ids.iter().copied().fold(walk.last, u64::max);
    walk.backs = 0;
    Ok(())
}

fn id(row: &Lenient<Object<WooProduct>>) -> Option<u64> {
    row.as_ref().and_then(|Object(product)| product.id.as_ref().copied())
}

/// The store's time, by the answer; never later than ours, since a mark that is too early costs a few rows, and one that is
/// too late hides changes.
fn clock(answer: &Answer, task: &Task<'_>) -> i64 {
    let now = task.now.as_second();
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    date.map_or(now, |date| date.as_second().min(now))
}
