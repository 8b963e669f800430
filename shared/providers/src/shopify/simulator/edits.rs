//! Edits of products and stock, as the shop's owner makes them, with what Shopify makes of them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Account;
use super::shop::{Product, Variant};
use super::written;
use crate::simulator::Edit;

/// The statuses of products.
const STATUSES: [&str; 4] = ["ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"];

impl Account {
    /// Makes, changes or deletes a product.
    pub(super) fn edit_product(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id =
            edit.id.as_deref().map(|id| id.parse::<u64>().map_err(|_| "a product's id is a number")).transpose()?;
        if id.is_some_and(|id| !self.shop.products.contains_key(&id)) {
            return Err("there is no such product".to_owned());
        }
        let Some(fields) = &edit.fields else {
            let id = id.ok_or("what is deleted has an id")?;
            self.shop.delete(id, now);
            self.hooks.notify("products/delete", &json!({ "id": id }), now);
            return Ok(id.to_string());
        };
        let mut product = match id {
            Some(id) => self.shop.products.get(&id).cloned().unwrap_or_default(),
            None => self.fresh_product(),
        };
        fields.iter().try_for_each(|(name, value)| self.set(&mut product, name, value))?;
        let places = product.variants.iter().map(|variant| variant.item);
        let new: Vec<u64> = places.filter(|item| !self.shop.levels.keys().any(|(known, _)| known == item)).collect();
        let stocked = self.shop.locations.first().copied();
        let changed = product.id;
        for item in new {
            stocked.into_iter().for_each(|location| self.shop.put_level((item, location), (0, true), now));
        }
        self.shop.write(product, now);
        if let Some(product) = self.shop.products.get(&changed) {
            let topic = if id.is_some() { "products/update" } else { "products/create" };
            self.hooks.notify(topic, &written::rest(product), now);
        }
        Ok(changed.to_string())
    }

    /// Counts a variant at a location. The id is a variant, or a variant and a location with a slash between.
    pub(super) fn edit_stock(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = edit.id.as_deref().ok_or("the id is a variant, or variant/location")?;
        let fields = edit.fields.as_ref().ok_or("a level is set, and never deleted")?;
        let (variant, location) = id.split_once('/').unwrap_or((id, ""));
        let found = variant.parse().ok().and_then(|variant| self.shop.variant(variant));
        let (product, item) =
            found.map(|(product, variant)| (product.id, variant.item)).ok_or("there is no such variant")?;
        let location = match location {
            "" => self.shop.locations.first().copied(),
            id => id.parse().ok().filter(|id| self.shop.locations.contains(id)),
        };
        let location = location.ok_or("there is no such location")?;
        let before = self.shop.levels.get(&(item, location)).map_or((0, true), |level| (level.available, level.active));
        let (mut available, mut active) = before;
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("available" | "quantity", value) => {
                    available = value.as_i64().ok_or("a quantity is a whole number")?
                }
                ("active", Value::Bool(set)) => active = *set,
                ("tracked", Value::Bool(tracked)) => {
                    self.shop.untracked.retain(|other| *other != item);
                    (!tracked).then(|| self.shop.untracked.push(item));
                }
                _ => return Err("a level has the fields available, active and tracked".to_owned()),
            }
        }
        self.shop.count((item, location), (available, active), now);
        let level = self.shop.levels.get(&(item, location)).map(|level| written::rest_level((item, location), level));
        let product = self.shop.products.get(&product).map(written::rest);
        let mut sent = [("inventory_levels/update", level), ("products/update", product)];
        // They come in any order.
        if now.as_second().rem_euclid(2) == 0 {
            sent.reverse();
        }
        for (topic, body) in sent {
            body.into_iter().for_each(|body| self.hooks.notify(topic, &body, now));
        }
        Ok(format!("{variant}/{location}"))
    }

    /// Removes the app from the shop: its tokens and subscriptions are gone.
    pub(super) fn remove_app(&mut self, now: Timestamp) -> String {
        let body = json!({ "id": 954_889, "name": "Sample shop", "updated_at": now.to_string() });
        self.hooks.notify("app/uninstalled", &body, now);
        self.hooks.remove();
        self.access.remove();
        "app".to_owned()
    }

    fn fresh_product(&mut self) -> Product {
        let (id, variant) = (self.shop.fresh_id(), self.fresh_variant());
        Product {
            id,
            title: "New product".to_owned(),
            status: "ACTIVE".to_owned(),
            variants: vec![variant],
            ..Product::default()
        }
    }

    fn fresh_variant(&mut self) -> Variant {
        let (id, item) = (self.shop.fresh_id(), self.shop.fresh_id());
        Variant { id, item, title: "Default Title".to_owned(), price: "0.00".to_owned(), ..Variant::default() }
    }

    /// Sets a field of a product, by its name in GraphQL; those of a variant are set for the first one.
    fn set(&mut self, product: &mut Product, name: &str, value: &Value) -> Result<(), String> {
        let text = value.as_str().map(|text| text.trim().to_owned());
        match (name, text) {
            ("title", Some(text)) => product.title = text.chars().take(255).collect(),
            ("descriptionHtml", Some(text)) => product.description = text,
            ("vendor", Some(text)) => product.vendor = text,
            ("status", Some(text)) if STATUSES.contains(&text.as_str()) => product.status = text,
            ("tags", None) => product.tags = tags(value),
            ("images", None) => {
                let urls = value.as_array().ok_or("images are a list of addresses")?.iter().filter_map(Value::as_str);
                product.images = urls.map(|url| (self.shop.fresh_id(), url.to_owned())).collect();
            }
            ("variants", None) => {
                let given = value.as_array().filter(|given| !given.is_empty()).ok_or("a product has a variant")?;
                let former = std::mem::take(&mut product.variants);
                for (at, fields) in given.iter().enumerate() {
                    let variant = former.get(at).cloned();
                    let mut variant = variant.unwrap_or_else(|| self.fresh_variant());
                    let fields = fields.as_object().cloned().unwrap_or_else(Map::new);
                    fields.iter().try_for_each(|(name, value)| of_variant(&mut variant, name, value))?;
                    product.variants.push(variant);
                }
            }
            _ => {
                let first = product.variants.first_mut().ok_or("a product has a variant")?;
                of_variant(first, name, value)?;
            }
        }
        Ok(())
    }
}

fn of_variant(variant: &mut Variant, name: &str, value: &Value) -> Result<(), String> {
    let text = value.as_str().map(|text| text.trim().to_owned());
    match (name, text) {
        ("title", Some(text)) => variant.title = text,
        ("sku", text) => variant.sku = text,
        ("barcode", text) => variant.barcode = text,
        ("price", text) => {
            let price = text.or_else(|| value.is_number().then(|| value.to_string()));
            let price = price.and_then(|price| price.parse::<f64>().ok()).filter(|price| *price >= 0.0);
            variant.price = format!("{:.2}", price.ok_or("a price is a decimal number")?);
        }
        _ => return Err(format!("there is no field `{}` that can be set", name.chars().take(64).collect::<String>())),
    }
    Ok(())
}

/// Tags as Shopify keeps them: trimmed, sorted, each once whatever its letters' case.
fn tags(value: &Value) -> Vec<String> {
    let given = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut tags: Vec<String> = given.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
    tags.sort_by_key(|tag| tag.to_lowercase());
    tags.dedup_by_key(|tag| tag.to_lowercase());
    tags
}
