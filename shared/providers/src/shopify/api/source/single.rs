//! One level: of a variant, as entities name it, or of an inventory item, as webhooks do.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::level::{Level, Named, named};
use crate::lenient::{Lenient, Object, fields};
use crate::protocols::graphql::data;
use crate::shopify::api::operations::{ITEM_LEVEL, LEVEL};
use crate::shopify::api::pages::List;
use crate::shopify::api::question;
use crate::shopify::{OF_ITEM, STOCK};
use crate::{Answer, Ask, Refusal, Task};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, EntityNotice, State, Version, What};

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
    struct OneItem {
        item: Lenient<Object<Item>> = "inventoryItem",
    }
}

fields! {
    struct Item {
        tracked: Lenient<bool>,
        variants: Lenient<Object<List<Named>>>,
        level: Lenient<Object<Level>> = "inventoryLevel",
    }
}

/// What is asked for by an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked<'a> {
    /// The level of a variant at a location.
    OfVariant(&'a str, &'a str),
    /// The level of an inventory item at a location.
    OfItem(&'a str, &'a str),
}

fn asked(id: &str) -> Asked<'_> {
    let parts = |id| str::split_once(id, '/').unwrap_or((id, ""));
    match id.strip_prefix(OF_ITEM) {
        Some(id) => {
            let (item, location) = parts(id);
            Asked::OfItem(item, location)
        }
        None => {
            let (variant, location) = parts(id);
            Asked::OfVariant(variant, location)
        }
    }
}

/// The question for the level of that id.
pub(super) fn ask(task: &Task<'_>, id: &str) -> Ask {
    let gid = |of: &str, id: &str| Value::from(format!("gid://shopify/{of}/{id}"));
    match asked(id) {
        Asked::OfVariant(variant, location) => {
            let variables = json!({ "variant": gid("ProductVariant", variant), "location": gid("Location", location) });
            question(task.api, &LEVEL, &variables)
        }
        Asked::OfItem(item, location) => {
            let variables = json!({ "item": gid("InventoryItem", item), "location": gid("Location", location) });
            question(task.api, &ITEM_LEVEL, &variables)
        }
    }
}

/// Reads the answer.
pub(super) fn read(task: &Task<'_>, id: &str, answer: &Answer) -> Result<Vec<What>, Refusal> {
    match asked(id) {
        Asked::OfVariant(variant, location) => of_variant((variant, location), answer, task.now),
        Asked::OfItem(item, location) => of_item((item, location), answer, task.now),
    }
}

fn of_variant((variant, location): (&str, &str), answer: &Answer, now: Timestamp) -> Result<Vec<What>, Refusal> {
    let unreadable = Refusal::Unreadable("the answer has no `productVariant` with its item");
    let variant = number(variant)?;
    let location = number(location)?;
    let item = match data::<OneVariant>(answer)?.variant {
        Lenient::Read(Object(found)) => found.item.read().ok_or(unreadable)?.0,
        Lenient::Null => return Ok(vec![gone(variant, location, now)]),
        Lenient::Missing | Lenient::Odd => return Err(unreadable),
    };
    Ok(vec![told(&item, variant, location, now).ok_or(unreadable)?])
}

fn of_item((item, location): (&str, &str), answer: &Answer, now: Timestamp) -> Result<Vec<What>, Refusal> {
    let unreadable = Refusal::Unreadable("the answer has no `inventoryItem` with its level and variants");
    let location = number(location)?;
    let found = match data::<OneItem>(answer)?.item {
        Lenient::Read(Object(found)) => found,
        // Nobody can say any more whose it was.
        Lenient::Null => {
            let item = number(item)?;
            let reason =
                format!("the inventory item {item} is gone; what is known of its stock goes with the next listing");
            return Ok(vec![What::ignored(reason)]);
        }
        Lenient::Missing | Lenient::Odd => return Err(unreadable),
    };
    let (variants, more) = named(found.variants.as_ref());
    let levels = variants.into_iter().map(|variant| told(&found, variant, location, now).ok_or(unreadable));
    let mut whats = levels.collect::<Result<Vec<_>, _>>()?;
    if more {
        whats.push(What::ignored(super::level::MORE_VARIANTS));
    }
    Ok(whats)
}

/// What the answer says of a level of an item; `None` if it says nothing.
fn told(item: &Item, variant: u64, location: u64, now: Timestamp) -> Option<What> {
    let level = match &item.level {
        Lenient::Read(Object(level)) => level,
        // The item is not stocked there.
        Lenient::Null => return Some(gone(variant, location, now)),
        Lenient::Missing | Lenient::Odd => return None,
    };
    Some(match level.told(variant, location, item.tracked.as_ref().copied()) {
        Ok(entity) => What::Entity(entity),
        Err(reason) => What::ignored(format!("the level of {variant} at {location} cannot be read: {reason}")),
    })
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| Refusal::Invalid)
}

/// The tombstone of a level that Shopify does not have. Nothing says since when.
fn gone(variant: u64, location: u64, now: Timestamp) -> What {
    let id = format!("{variant}/{location}");
    let notice = EntityNotice::new(Kind::Stock, id, Version::from_time(now), State::Deleted);
    What::Entity(EntityNotice { dated: Dated::ByReceipt, source: Some(STOCK), ..notice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_named_by_its_variant_or_by_its_item() {
        for (id, expected) in [
            ("7/8", Asked::OfVariant("7", "8")),
            ("7", Asked::OfVariant("7", "")),
            ("item:7/8", Asked::OfItem("7", "8")),
            ("item:7", Asked::OfItem("7", "")),
            ("item:", Asked::OfItem("", "")),
        ] {
            assert_eq!(asked(id), expected, "{id}");
        }
    }
}
