//! Edits of the catalog as the seller makes them in the dashboard.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::catalog::{Catalog, text, variations, variations_mut};
use crate::simulator::Edit;

/// The fields of an item that can be set.
const OF_ITEM: &[&str] =
    &["name", "description_html", "is_archived", "image_ids", "categories", "product_type", "variations"];
/// The fields of an item's first variation that can be set with it.
const OF_VARIATION: &[&str] = &["sku", "upc", "price_money", "pricing_type"];

impl Catalog {
    /// Makes, changes or deletes an item.
    pub(super) fn edit_item(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = self.existing(edit, "ITEM")?;
        let Some(fields) = &edit.fields else { return self.delete(id, now) };
        let mut item = match &id {
            Some(id) => self.live(id).cloned().unwrap_or_default(),
            None => self.fresh_item(),
        };
        for (name, value) in fields {
            if OF_ITEM.contains(&name.as_str()) {
                item["item_data"][name] = value.clone();
            } else if OF_VARIATION.contains(&name.as_str()) {
                item["item_data"]["variations"][0]["item_variation_data"][name] = value.clone();
            } else {
                return Err(format!("an item has the fields {} and {}", OF_ITEM.join(", "), OF_VARIATION.join(", ")));
            }
        }
        if variations(&item).next().is_none() {
            return Err("an item has a variation".to_owned());
        }
        self.name_variations(&mut item);
        let id = text(&item["id"]);
        self.put(item, now);
        Ok(id)
    }

    /// Makes, changes or deletes an image. Its item does not change with it.
    pub(super) fn edit_image(&mut self, edit: &Edit, now: Timestamp) -> Result<String, String> {
        let id = self.existing(edit, "IMAGE")?;
        let Some(fields) = &edit.fields else { return self.delete(id, now) };
        let id = id.unwrap_or_else(|| self.fresh_id());
        let mut image = self.live(&id).cloned().unwrap_or_else(|| {
            let url = format!("https://items-images-production.s3.us-west-2.amazonaws.com/files/{id}/original.jpeg");
            json!({ "type": "IMAGE", "id": id, "image_data": { "name": "", "url": url } })
        });
        for (name, value) in fields {
            match name.as_str() {
                "url" | "name" | "caption" => image["image_data"][name] = value.clone(),
                _ => return Err("an image has the fields url, name and caption".to_owned()),
            }
        }
        self.put(image, now);
        Ok(id)
    }

    /// The id of an object of that type that is edited; `None` if a new one is made.
    fn existing(&self, edit: &Edit, of: &str) -> Result<Option<String>, String> {
        match &edit.id {
            None => Ok(None),
            Some(id) if self.live(id).is_some_and(|object| object["type"] == of) => Ok(Some(id.clone())),
            Some(_) => Err("there is no such object".to_owned()),
        }
    }

    fn delete(&mut self, id: Option<String>, now: Timestamp) -> Result<String, String> {
        let id = id.ok_or("what is deleted has an id")?;
        self.remove(&id, now);
        Ok(id)
    }

    /// A new item, with one variation.
    fn fresh_item(&mut self) -> Value {
        let id = self.fresh_id();
        let variation = json!({ "name": "Regular", "pricing_type": "VARIABLE_PRICING" });
        json!({
            "type": "ITEM",
            "id": id,
            "present_at_all_locations": true,
            "item_data": {
                "name": "New item",
                "product_type": "REGULAR",
                "variations": [{ "type": "ITEM_VARIATION", "item_variation_data": variation }],
            },
        })
    }

    /// Gives variations what they lack: an id, the item that they belong to, and their place.
    pub(super) fn name_variations(&mut self, item: &mut Value) {
        let of = item["id"].clone();
        for (ordinal, variation) in variations_mut(item).enumerate() {
            if !variation.is_object() {
                *variation = Value::Object(Map::new());
            }
            if variation["id"].is_null() {
                variation["id"] = Value::from(self.fresh_id());
            }
            variation["type"] = Value::from("ITEM_VARIATION");
            variation["item_variation_data"]["item_id"] = of.clone();
            variation["item_variation_data"]["ordinal"] = Value::from(ordinal + 1);
            if variation["item_variation_data"].get("price_money").is_some() {
                variation["item_variation_data"]["pricing_type"] = Value::from("FIXED_PRICING");
            }
        }
    }
}
