//! The stock: counts since a time.

use std::collections::BTreeSet;

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::list;
use super::place::Place;
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::cursor;
use crate::square::api::{errors, question};
use crate::square::stock::{Count, id_of, parts_of};
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::notice::{Document, State, What};

/// How many counts a page has at the most.
const MOST_COUNTS: u16 = 1_000;
/// How far back the next reading begins before the latest count that was seen: counts of several places are written at once,
/// and not in the order of their times.
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);
/// The states whose counts webhooks report and no list has: they are there, although they cannot be read.
const UNLISTED: [&str; 3] = ["NONE", "SOLD", "UNLINKED_RETURN"];

fields! {
    struct Counted {
        counts: Lenient<Vec<Lenient<Object<Count>>>>,
        cursor: Lenient<String>,
    }
}

/// The question of the next step.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    let place = cursor::read::<Place>(task.cursor);
    let mut body = json!({ "limit": MOST_COUNTS });
    let mut locations = task.settings.locations.clone();
    if let Reach::One(id) = task.reach {
        let (variation, location) = parts_of(id);
        body["catalog_object_ids"] = json!([variation]);
        locations = Some(location.to_owned()).filter(|location| !location.is_empty()).into_iter().collect();
    }
    if !locations.is_empty() {
        body["location_ids"] = json!(locations);
    }
    let since = place.since.filter(|_| task.reach == Reach::Changes);
    let since = since.and_then(|since| since.checked_sub(OVERLAP).ok());
    since.into_iter().for_each(|since| body["updated_after"] = Value::from(since.to_string()));
    place.page.into_iter().for_each(|page| body["cursor"] = Value::from(page));
    question(Method::POST, &format!("{}/v2/inventory/counts/batch-retrieve", task.api), Some(&body))
}

/// Reads the answer.
pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    let mut place = cursor::read::<Place>(task.cursor);
    match errors::sort(answer) {
        Err(Refusal::Expired) => return Ok(Page::of(Vec::new(), place.over(task.reach)?)),
        sorted => sorted?,
    }
    let found = list(answer, |found: &Counted| found.counts.is_there() || found.cursor.is_there())?;
    if found.counts.is_odd() {
        return Err(Refusal::Unreadable("`counts` is no list"));
    }
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    let (mut latest, mut places) = (place.since, BTreeSet::new());
    for (at, count) in found.counts.read().unwrap_or_default().into_iter().enumerate() {
        let path = format!("counts[{at}]");
        match count.needed(&path).and_then(|Object(count)| count.told(&path)) {
            Ok(entity) => {
                latest = latest.max(entity.occurred_at);
                places.extend(place_of(&entity.state));
                page.facts.push(What::Entity(entity));
            }
            Err(fault) => page.facts.push(What::ignored(fault.to_string())),
        }
    }
    if place.begins() {
        // The latest are first. What is counted from now on is later than they are.
        place.until = latest;
    }
    if task.reach == Reach::Everything {
        let unlisted =
            |(variation, location): &(String, String)| UNLISTED.map(|state| id_of(variation, location, state));
        page.seen = places.iter().flat_map(unlisted).collect();
    }
    page.next = match found.cursor.read().filter(|token| !token.is_empty()) {
        Some(token) => Next::More(cursor::write(&place.turn(token)?)),
        None => place.done(),
    };
    if let (Reach::One(id), Next::Done(_), true) = (task.reach, &page.next, page.facts.is_empty()) {
        // Absent is not zero, and not gone: it was never counted, or is in a state that no list has.
        page.facts.push(What::ignored(format!("there is no count {id} now")));
    }
    Ok(page)
}

/// The variation and the location of a count.
fn place_of(state: &State) -> Option<(String, String)> {
    match state {
        State::Present(Document::Stock(stock)) => {
            Some((stock.variant.clone(), stock.location.clone().unwrap_or_default()))
        }
        State::Present(_) | State::Deleted => None,
    }
}
