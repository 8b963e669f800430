//! What a store has: its products and their variations, as rows with dates of whole seconds.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::truth;

/// The zone of the store: what it shows without `gmt` is so many hours later than UTC.
pub(super) const HOURS_AHEAD: i64 = 1;

/// A store.
pub(super) struct Shop {
    /// Its address, without a slash at the end.
    pub(super) home: String,
    /// Products and variations, by their ids.
    pub(super) posts: BTreeMap<u64, Post>,
    /// What webhooks are to report, in its order.
    pub(super) happened: Vec<(&'static str, u64)>,
    next: u64,
}

/// A product, or a variation.
#[derive(Debug, Clone)]
pub(super) struct Post {
    /// The product that it is a variation of; zero for products.
    pub(super) parent: u64,
    /// The fields that were set.
    pub(super) fields: Map<String, Value>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// The status that it had before it went to the bin.
    pub(super) former: Option<String>,
}

impl Post {
    /// A field as text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its sort: `simple`, `variable`, `variation`.
    pub(super) fn sort(&self) -> &str {
        match (self.parent, self.text("type")) {
            (1.., _) => "variation",
            (0, "") => "simple",
            (0, sort) => sort,
        }
    }

    /// Its status.
    pub(super) fn status(&self) -> &str {
        if self.text("status").is_empty() { "publish" } else { self.text("status") }
    }

    /// Whether its stock is counted.
    pub(super) fn counts_stock(&self) -> bool {
        self.fields.get("manage_stock").and_then(truth).unwrap_or_default()
    }

    /// The quantity, where it is counted.
    pub(super) fn stock(&self) -> Option<i64> {
        self.fields.get("stock_quantity").and_then(Value::as_i64).filter(|_| self.counts_stock())
    }
}

impl Shop {
    /// A store without products.
    pub(super) fn new(home: String) -> Self {
        Self { home, posts: BTreeMap::new(), happened: Vec::new(), next: 14 }
    }

    /// The next number: posts and images share them.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// A product or variation of that id.
    pub(super) fn post(&self, id: u64) -> Option<&Post> {
        self.posts.get(&id)
    }

    /// The variations of a product that its own list has, by their ids.
    pub(super) fn variations(&self, product: u64) -> impl Iterator<Item = (u64, &Post)> {
        let of = move |(id, post): (&u64, &'_ Post)| (post.parent == product).then_some(*id);
        let ids: Vec<u64> = self.posts.iter().filter_map(of).collect();
        ids.into_iter().filter_map(|id| Some((id, self.posts.get(&id)?)))
    }

    /// The price that something is sold for now; empty if it has none.
    pub(super) fn price(&self, id: u64) -> String {
        let Some(post) = self.post(id) else { return String::new() };
        let lowest = |ids: Vec<u64>| {
            let prices = ids.into_iter().map(|id| self.price(id)).filter(|price| !price.is_empty());
            let amount = |price: &String| (price.parse::<f64>().unwrap_or_default() * 10_000.0) as i64;
            prices.min_by_key(amount).unwrap_or_default()
        };
        match post.sort() {
            "variable" => lowest(self.variations(id).map(|(id, _)| id).collect()),
            "grouped" => {
                let children = post.fields.get("grouped_products").and_then(Value::as_array);
                lowest(children.into_iter().flatten().filter_map(Value::as_u64).collect())
            }
            _ if post.text("sale_price").is_empty() => post.text("regular_price").to_owned(),
            _ => post.text("sale_price").to_owned(),
        }
    }

    /// Notes that something was saved: every save moves its date, whether it changed anything or not.
    pub(super) fn saved(&mut self, id: u64, topic: &'static str, now: Timestamp) {
        let Some(post) = self.posts.get_mut(&id) else { return };
        post.modified = whole_second(now);
        let parent = post.parent;
        self.happened.push((topic, id));
        // At the end of the request, and without an event of its own.
        if let Some(parent) = self.posts.get_mut(&parent) {
            parent.modified = whole_second(now);
        }
    }

    /// Moves something to the bin, its variations first. Returns whether it was not there before.
    pub(super) fn bin(&mut self, id: u64, now: Timestamp) -> bool {
        if self.post(id).is_none_or(|post| post.status() == "trash") {
            return false;
        }
        let variations: Vec<u64> = self.variations(id).map(|(id, _)| id).collect();
        for id in variations.into_iter().chain([id]) {
            let Some(post) = self.posts.get_mut(&id) else { continue };
            post.former = Some(post.status().to_owned());
            post.fields.insert("status".to_owned(), "trash".into());
            post.modified = whole_second(now);
            self.happened.push(("product.deleted", id));
        }
        true
    }

    /// Brings something back from the bin, with the status that it had.
    pub(super) fn restore(&mut self, id: u64, now: Timestamp) -> bool {
        if self.post(id).is_none_or(|post| post.status() != "trash") {
            return false;
        }
        let variations: Vec<u64> = self.variations(id).map(|(id, _)| id).collect();
        for id in variations.into_iter().chain([id]) {
            let Some(post) = self.posts.get_mut(&id) else { continue };
            let status = post.former.take().unwrap_or_else(|| "draft".to_owned());
            post.fields.insert("status".to_owned(), status.into());
            post.modified = whole_second(now);
        }
        self.happened.extend([("product.updated", id), ("product.restored", id)]);
        true
    }

    /// Removes something for good, which no event reports.
    pub(super) fn remove(&mut self, id: u64, now: Timestamp) {
        let parent = self.post(id).map(|post| post.parent);
        self.posts.retain(|post, it| *post != id && it.parent != id);
        if let Some(parent) = parent.and_then(|parent| self.posts.get_mut(&parent)) {
            parent.modified = whole_second(now);
        }
    }

    /// A date as the store shows it: in its own zone, and in UTC; neither says which.
    pub(super) fn dates(&self, name: &str, time: Timestamp) -> [(String, Value); 2] {
        let local = time + jiff::SignedDuration::from_hours(HOURS_AHEAD);
        [(name.to_owned(), shown(local).into()), (format!("{name}_gmt"), shown(time).into())]
    }

    /// The links of an item of a collection.
    pub(super) fn links(&self, collection: &str, id: impl ToString) -> Value {
        let collection = format!("{}/wp-json/wc/v3/{collection}", self.home);
        let own = format!("{collection}/{}", id.to_string());
        json!({
            "self": [{ "href": own, "targetHints": { "allow": ["GET", "POST", "PUT", "PATCH", "DELETE"] } }],
            "collection": [{ "href": collection }],
        })
    }
}

/// A time as WordPress writes it.
pub(super) fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A time without its fraction.
pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
