//! Levels: how much of an inventory item there is at a location; one fact for each variant that the item is of.

use jiff::Timestamp;

use crate::lenient::{Lenient, Object, Unread, fields};
use crate::shopify::STOCK;
use crate::shopify::api::pages::List;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::Stock;

/// The name of the quantity that can be sold.
const AVAILABLE: &str = "available";
/// Why some variants of a level are not read.
pub(super) const MORE_VARIANTS: &str = "a level names more variants than are read, or none that can be";

fields! {
    /// A level.
    pub(super) struct Level {
        is_active: Lenient<bool> = "isActive",
        updated_at: Lenient<Timestamp> = "updatedAt",
        quantities: Lenient<Vec<Lenient<Object<Quantity>>>>,
        item: Lenient<Object<Item>>,
    }
}

fields! {
    struct Quantity {
        name: Lenient<String>,
        quantity: Lenient<i64>,
        updated_at: Lenient<Timestamp> = "updatedAt",
    }
}

fields! {
    struct Item {
        id: Lenient<u64>,
        tracked: Lenient<bool>,
        variants: Lenient<Object<List<Named>>>,
    }
}

fields! {
    /// Something that is named by its id.
    pub(super) struct Named {
        id: Lenient<u64>,
    }
}

/// The variants that share an item, and whether there are more of them.
pub(super) fn named(page: Option<&Object<List<Named>>>) -> (Vec<u64>, bool) {
    let Some(Object(page)) = page else { return (Vec::new(), true) };
    (page.readable().filter_map(|named| named.id.as_ref().copied()).collect(), page.has_more())
}

impl Level {
    /// The variants that share the item of this level, and whether there are more of them.
    pub(super) fn variants(&self) -> (Vec<u64>, bool) {
        named(self.item.as_ref().and_then(|Object(item)| item.variants.as_ref()))
    }

    /// The item, where the level says it.
    pub(super) fn item(&self) -> Option<u64> {
        self.item.as_ref().and_then(|Object(item)| item.id.as_ref().copied())
    }

    /// Whether the item is counted, where the level says it.
    pub(super) fn tracked(&self) -> Option<bool> {
        self.item.as_ref().and_then(|Object(item)| item.tracked.as_ref().copied())
    }

    /// The stock of a variant at a location, whose item is counted or not; the error says why it cannot be read.
    pub(super) fn told(
        &self,
        variant: u64,
        location: u64,
        tracked: Option<bool>,
    ) -> Result<EntityNotice, &'static str> {
        let updated_at = self.updated_at.as_ref().copied().ok_or("it has no time of its last change")?;
        let quantities = self.quantities.as_ref().into_iter().flatten().filter_map(Lenient::as_ref);
        let is_available = |quantity: &Quantity| quantity.name.as_ref().is_some_and(|name| name == AVAILABLE);
        let available = quantities.map(|Object(quantity)| quantity).find(|quantity| is_available(quantity));
        let counted_at = available.and_then(|available| available.updated_at.as_ref().copied());
        let version = counted_at.map_or(updated_at, |counted_at| counted_at.max(updated_at));
        let mut unread = Unread::default();
        let quantity = match tracked {
            Some(false) => None,
            Some(true) | None => available.and_then(|available| available.quantity.as_ref()).map(i64::to_string),
        };
        if tracked.is_none() {
            unread.note("tracked");
        } else if tracked == Some(true) && quantity.is_none() {
            unread.note("quantity");
        }
        // One that is no longer stocked there keeps its level, and is not active.
        let active = self.is_active.as_ref().copied().unwrap_or(true);
        let (variant, location) = (variant.to_string(), location.to_string());
        let id = format!("{variant}/{location}");
        let stock = Stock { variant, location: Some(location), state: None, quantity, updated_at: version.to_string() };
        let state = if active { State::Present(Document::Stock(stock)) } else { State::Deleted };
        Ok(EntityNotice {
            occurred_at: Some(version),
            unread: if active { unread.into_paths() } else { Vec::new() },
            source: Some(STOCK),
            ..EntityNotice::new(Kind::Stock, id, Version::from_time(version), state)
        })
    }
}
