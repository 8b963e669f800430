//! The shop: products with their variants, inventory items with their levels, and a log of what happened.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// How long it takes until a search finds what was written.
const LAG: SignedDuration = SignedDuration::from_secs(5);

/// A product.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Product {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) status: String,
    pub(super) vendor: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) variants: Vec<Variant>,
    pub(super) images: Vec<(u64, String)>,
}

/// A variant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Variant {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) sku: Option<String>,
    pub(super) barcode: Option<String>,
    pub(super) price: String,
    pub(super) item: u64,
    /// What there is of it at all locations.
    pub(super) quantity: i64,
}

/// How much of an inventory item there is at a location.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Level {
    pub(super) available: i64,
    pub(super) updated_at: Timestamp,
    pub(super) active: bool,
}

/// An entry of the log.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub(super) id: u64,
    pub(super) action: &'static str,
    pub(super) product: u64,
    pub(super) created_at: Timestamp,
}

/// What searches find of entities, and from when on: they lag behind.
struct Index<K, T>(BTreeMap<K, Vec<(Timestamp, Option<T>)>>);

impl<K, T> Default for Index<K, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, T> Index<K, T> {
    /// Lets a state be found after a while.
    fn put(&mut self, key: K, state: Option<T>, now: Timestamp) {
        let states = self.0.entry(key).or_default();
        // What is found now already hides everything before it.
        if let Some(known) = states.iter().rposition(|(at, _)| *at <= now) {
            states.drain(..known);
        }
        let found_at = now.checked_add(LAG).unwrap_or(now);
        states.retain(|(at, _)| *at != found_at);
        states.push((found_at, state));
    }

    /// What is found now.
    fn found(&self, now: Timestamp) -> impl Iterator<Item = (&K, &T)> {
        self.0.iter().filter_map(move |(key, states)| {
            let known = states.iter().rev().find(|(at, _)| *at <= now)?;
            Some((key, known.1.as_ref()?))
        })
    }
}

/// The shop.
#[derive(Default)]
pub(super) struct Shop {
    pub(super) products: BTreeMap<u64, Product>,
    index: Index<u64, Product>,
    level_index: Index<(u64, u64), Level>,
    /// The levels, by inventory item and location.
    pub(super) levels: BTreeMap<(u64, u64), Level>,
    /// The inventory items that are not counted.
    pub(super) untracked: Vec<u64>,
    pub(super) locations: Vec<u64>,
    pub(super) log: Vec<Logged>,
    made: u64,
}

impl Shop {
    /// An id that nothing had or will have.
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.made += 1;
        8_473_926_000_000 + self.made * 32_768
    }

    /// Writes a product; its time moves, in whole seconds.
    pub(super) fn write(&mut self, mut product: Product, now: Timestamp) {
        let id = product.id;
        product.updated_at = second(now);
        for variant in &mut product.variants {
            let levels = self.levels.range((variant.item, 0)..=(variant.item, u64::MAX));
            variant.quantity = levels.filter(|(_, level)| level.active).map(|(_, level)| level.available).sum();
        }
        if !self.products.contains_key(&id) {
            product.created_at = second(now);
            self.log("create", id, now);
        }
        self.products.insert(id, product.clone());
        self.index.put(id, Some(product), now);
    }

    /// Deletes a product, with its variants and their levels.
    pub(super) fn delete(&mut self, id: u64, now: Timestamp) -> bool {
        let Some(product) = self.products.remove(&id) else { return false };
        let is_its = |(item, _): &(u64, u64)| product.variants.iter().any(|variant| variant.item == *item);
        let places: Vec<(u64, u64)> = self.levels.keys().copied().filter(is_its).collect();
        for place in places {
            self.levels.remove(&place);
            self.level_index.put(place, None, now);
        }
        self.log("destroy", id, now);
        self.index.put(id, None, now);
        true
    }

    /// Sets a level, of which its product does not know yet.
    pub(super) fn put_level(&mut self, place: (u64, u64), (available, active): (i64, bool), now: Timestamp) {
        let level = Level { available, active, updated_at: second(now) };
        self.levels.insert(place, level.clone());
        self.level_index.put(place, Some(level), now);
    }

    /// Sets a level; the product's time moves with it.
    pub(super) fn count(&mut self, place: (u64, u64), counted: (i64, bool), now: Timestamp) {
        self.put_level(place, counted, now);
        let of_item = |product: &&Product| product.variants.iter().any(|variant| variant.item == place.0);
        if let Some(product) = self.products.values().find(of_item).cloned() {
            self.write(product, now);
        }
    }

    /// The product and the variant of that id.
    pub(super) fn variant(&self, id: u64) -> Option<(&Product, &Variant)> {
        let of = |product| move |variant| (product, variant);
        let all = self.products.values().flat_map(|product: &Product| product.variants.iter().map(of(product)));
        all.into_iter().find(|(_, variant)| variant.id == id)
    }

    /// The variants of an inventory item.
    pub(super) fn of_item(&self, item: u64) -> Vec<u64> {
        let variants = self.products.values().flat_map(|product| &product.variants);
        variants.filter(|variant| variant.item == item).map(|variant| variant.id).collect()
    }

    /// The products as searches find them.
    pub(super) fn found(&self, now: Timestamp) -> impl Iterator<Item = &Product> {
        self.index.found(now).map(|(_, product)| product)
    }

    /// The levels of a location as searches find them, with their inventory items.
    pub(super) fn found_levels(&self, location: u64, now: Timestamp) -> impl Iterator<Item = (u64, &Level)> {
        let of_this = move |((item, at), level): (&(u64, u64), _)| (*at == location).then_some((*item, level));
        self.level_index.found(now).filter_map(of_this)
    }

    fn log(&mut self, action: &'static str, product: u64, now: Timestamp) {
        let id = self.fresh_id();
        self.log.push(Logged { id, action, product, created_at: second(now) });
    }
}

/// A time in whole seconds, as Shopify writes it.
pub(super) fn second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
