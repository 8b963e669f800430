//! The stock: the levels of each location, all of them or those that changed.

use serde_json::{Value, json};

use super::level::{Level, MORE_VARIANTS};
use super::shelves::{Place, Shelf};
use super::{since, single};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::clock::time_of;
use crate::protocols::cursor;
use crate::protocols::graphql::data;
use crate::shopify::api::operations::{LEVELS, STOCK};
use crate::shopify::api::pages::{List, rows};
use crate::shopify::api::{errors, question};
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::notice::What;

/// How many locations a page has, and how many levels each of them; a question may cost 1,000 points.
const PAGE: (u16, u16) = (8, 10);
/// How many levels a page of one location has.
const LEVELS_A_PAGE: u16 = 80;

fields! {
    struct Locations {
        all: Lenient<Object<List<Location>>> = "locations",
        one: Lenient<Object<Location>> = "location",
    }
}

fields! {
    struct Location {
        id: Lenient<u64>,
        levels: Lenient<Object<List<Level>>> = "inventoryLevels",
    }
}

/// The question of the next step.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    if let Reach::One(id) = task.reach {
        return single::ask(task, id);
    }
    let place = cursor::read::<Place>(task.cursor);
    let changes = task.reach == Reach::Changes;
    let shelf = place.waiting.first();
    let updated = since(place.since).filter(|_| changes).map(|since| format!("updated_at:>{since}"));
    let behind = shelf.and_then(|shelf| shelf.from).map(|item| format!("inventory_item_id:>{item}"));
    let terms: Vec<String> = updated.into_iter().chain(behind).collect();
    let search = (!terms.is_empty()).then(|| terms.join(" AND "));
    let mut variables = json!({ "query": search, "inactive": changes && place.since.is_some() });
    match shelf {
        Some(shelf) => {
            variables["location"] = Value::from(format!("gid://shopify/Location/{}", shelf.location));
            (variables["levels"], variables["after"]) = (Value::from(LEVELS_A_PAGE), json!(shelf.after));
            question(task.api, &LEVELS, &variables)
        }
        None => {
            (variables["first"], variables["levels"]) = (Value::from(PAGE.0), Value::from(PAGE.1));
            variables["after"] = json!(place.after);
            question(task.api, &STOCK, &variables)
        }
    }
}

/// Reads the answer.
pub(super) fn read(task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal> {
    errors::sort(answer)?;
    let mut page = Page::of(Vec::new(), Next::Done(String::new()));
    if let Reach::One(id) = task.reach {
        page.facts = single::read(task, id, answer)?;
        return Ok(page);
    }
    let mut place = cursor::read::<Place>(task.cursor);
    place.until = place.until.or_else(|| time_of(answer, task.now)).or(Some(task.now));
    if place.waiting.is_empty() {
        let (nodes, next) = rows(data::<Locations>(answer)?.all, place.after.as_deref())?;
        (place.ended, place.after) = (next.is_none(), next);
        if nodes.len() > usize::from(PAGE.0) {
            return Err(Refusal::Unreadable("a page has more locations than were asked for"));
        }
        for node in nodes {
            let Object(location) = node.read().ok_or(Refusal::Unreadable("an entry is no location"))?;
            let id = location.id.as_ref().copied().ok_or(Refusal::Unreadable("a location without an id"))?;
            levels(&mut page, &mut place, location, Shelf::new(id))?;
        }
    } else {
        let shelf = place.waiting.remove(0);
        match data::<Locations>(answer)?.one {
            Lenient::Read(Object(location)) => levels(&mut page, &mut place, location, shelf)?,
            // The location was deleted meanwhile, and its levels with it.
            Lenient::Null => {}
            Lenient::Missing | Lenient::Odd => return Err(Refusal::Unreadable("the answer has no `location`")),
        }
    }
    page.next = place.next();
    Ok(page)
}

/// Reads a page of the levels of a location.
fn levels(page: &mut Page, place: &mut Place, location: Location, shelf: Shelf) -> Result<(), Refusal> {
    let (id, (nodes, next)) = (shelf.location, rows(location.levels, shelf.after.as_deref())?);
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let mut items = Vec::with_capacity(nodes.len());
    for level in nodes {
        let Some(Object(level)) = level.read() else {
            page.facts.push(What::ignored("an entry of the list is no level"));
            continue;
        };
        items.extend(level.item());
        let (variants, more) = level.variants();
        if more {
            page.facts.push(What::ignored(MORE_VARIANTS));
        }
        for variant in variants {
            match level.told(variant, id, level.tracked()) {
                Ok(entity) => page.facts.push(What::Entity(entity)),
                Err(reason) => {
                    page.facts.push(What::ignored(format!("the level of {variant} at {id} cannot be read: {reason}")));
                    page.seen.push(format!("{variant}/{id}"));
                }
            }
        }
    }
    place.waiting.extend(shelf.turn(next, count, &items)?);
    Ok(())
}
