//! The stock: the levels of each location, all of them or those that changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::level::Level;
use super::since;
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::clock::time_of;
use crate::protocols::cursor;
use crate::protocols::graphql::data;
use crate::shopify::STOCK as RESOURCE;
use crate::shopify::api::operations::{LEVEL, LEVELS, STOCK};
use crate::shopify::api::pages::{List, rows};
use crate::shopify::api::{errors, question};
use crate::{Answer, Ask, Next, Page, Reach, Refusal, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

/// How many locations a page has, and how many levels each of them; a question may cost 1,000 points.
const PAGE: (u16, u16) = (8, 10);
/// How many levels a page of one location has.
const LEVELS_A_PAGE: u16 = 80;

/// Where a reading of the stock is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Place {
    /// The time after which changes are read; absent where everything is.
    since: Option<Timestamp>,
    /// The time from which the next reading goes on: that of the first answer of this one.
    until: Option<Timestamp>,
    /// The token of the next page of locations.
    after: Option<String>,
    /// Locations that have more levels than were read, each with the token of its next page.
    waiting: Vec<(u64, String)>,
    /// Whether the list of locations is read.
    ended: bool,
}

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

fields! {
    struct OneVariant {
        variant: Lenient<Object<Variant>> = "productVariant",
    }
}

fields! {
    struct Variant {
        item: Lenient<Object<Item>> = "inventoryItem",
    }
}

fields! {
    struct Item {
        tracked: Lenient<bool>,
        level: Lenient<Object<Level>> = "inventoryLevel",
    }
}

impl Place {
    fn next(&self) -> Next {
        if !self.waiting.is_empty() || !self.ended {
            return Next::More(cursor::write(self));
        }
        Next::Done(cursor::write(&Self { since: self.until.or(self.since), ..Self::default() }))
    }
}

/// The question of the next step.
pub(super) fn ask(task: &Task<'_>) -> Ask {
    let gid = |of: &str, id: &str| Value::from(format!("gid://shopify/{of}/{id}"));
    if let Reach::One(id) = task.reach {
        let (variant, location) = id.split_once('/').unwrap_or((id, ""));
        let variables = json!({ "variant": gid("ProductVariant", variant), "location": gid("Location", location) });
        return question(task.api, &LEVEL, &variables);
    }
    let place = cursor::read::<Place>(task.cursor);
    let changes = task.reach == Reach::Changes;
    let search = since(place.since).filter(|_| changes).map(|since| format!("updated_at:>{since}"));
    let mut variables = json!({ "query": search, "inactive": changes && place.since.is_some() });
    match place.waiting.first() {
        Some((location, after)) => {
            variables["location"] = gid("Location", &location.to_string());
            (variables["levels"], variables["after"]) = (Value::from(LEVELS_A_PAGE), Value::from(after.as_str()));
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
        page.facts.push(one(id, task, answer)?);
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
            levels(&mut page, &mut place, location, None)?;
        }
    } else {
        let (_, token) = place.waiting.remove(0);
        match data::<Locations>(answer)?.one {
            Lenient::Read(Object(location)) => levels(&mut page, &mut place, location, Some(&token))?,
            // The item was deleted meanwhile, and its levels with it.
            Lenient::Null => {}
            Lenient::Missing | Lenient::Odd => return Err(Refusal::Unreadable("the answer has no `location`")),
        }
    }
    page.next = place.next();
    Ok(page)
}

/// Reads a page of the levels of a location, to which `token` led.
fn levels(page: &mut Page, place: &mut Place, location: Location, token: Option<&str>) -> Result<(), Refusal> {
    let id = location.id.read().ok_or(Refusal::Unreadable("a location without an id"))?;
    let (nodes, next) = rows(location.levels, token)?;
    place.waiting.extend(next.map(|next| (id, next)));
    for level in nodes {
        let Some(Object(level)) = level.read() else {
            page.facts.push(What::ignored("an entry of the list is no level"));
            continue;
        };
        let (variants, more) = level.variants();
        if more {
            page.facts.push(What::ignored("a level names more variants than are read, or none that can be"));
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
    Ok(())
}

/// Reads the answer about one variant at one location.
fn one(id: &str, task: &Task<'_>, answer: &Answer) -> Result<What, Refusal> {
    let unreadable = Refusal::Unreadable("the answer has no `productVariant` with its item");
    let item = match data::<OneVariant>(answer)?.variant {
        Lenient::Read(Object(variant)) => variant.item.read().ok_or(unreadable)?.0,
        Lenient::Null => return Ok(gone(id, task)),
        Lenient::Missing | Lenient::Odd => return Err(unreadable),
    };
    let level = match item.level {
        Lenient::Read(Object(level)) => level,
        // The item is not stocked there.
        Lenient::Null => return Ok(gone(id, task)),
        Lenient::Missing | Lenient::Odd => return Err(unreadable),
    };
    let (variant, location) = id.split_once('/').unwrap_or((id, ""));
    let (Ok(variant), Ok(location)) = (variant.parse(), location.parse()) else { return Err(Refusal::Invalid) };
    Ok(match level.told(variant, location, item.tracked.read()) {
        Ok(entity) => What::Entity(entity),
        Err(reason) => What::ignored(format!("the level of {id} cannot be read: {reason}")),
    })
}

/// The tombstone of a level that Shopify does not have. Nothing says since when.
fn gone(id: &str, task: &Task<'_>) -> What {
    let notice = EntityNotice::new(Kind::Stock, id, Version::from_time(task.now), State::Deleted);
    What::Entity(EntityNotice { dated: Dated::ByReceipt, source: Some(RESOURCE), ..notice })
}
