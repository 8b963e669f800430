//! Writes of products and variations, as the store's setters take them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::call::{truth, whole};
use super::document::slug;
use super::reply::Problem;
use super::schema;
use super::shop::{Post, Shop, whole_second};

/// The categories and tags that the store knows.
const TERMS: &[(u64, &str, &str)] = &[
    (15, "Uncategorized", "uncategorized"),
    (16, "Tea &amp; Herbs", "tea-herbs"),
    (17, "Gr\u{fc}n Tee", "grun-tee"),
    (18, "loose leaf", "loose-leaf"),
];

impl Shop {
    /// Makes a product, or a variation of `parent`.
    pub(super) fn make(&mut self, parent: u64, params: &Map<String, Value>, now: Timestamp) -> Result<u64, Problem> {
        let now = whole_second(now);
        let mut post = Post { parent, fields: Map::new(), created: now, modified: now, former: None };
        if parent == 0 && !params.contains_key("name") {
            post.fields.insert("name".to_owned(), "Product".into());
        }
        self.set(0, &mut post, params)?;
        let wanted = if post.text("slug").is_empty() { slug(post.text("name")) } else { post.text("slug").to_owned() };
        post.fields.insert("slug".to_owned(), self.free(&wanted, "slug").into());
        let id = self.number();
        self.posts.insert(id, post);
        self.saved(id, "product.created", now);
        Ok(id)
    }

    /// Changes a product or a variation. Nothing is saved if anything is wrong.
    pub(super) fn change(&mut self, id: u64, params: &Map<String, Value>, now: Timestamp) -> Result<(), Problem> {
        let Some(mut post) = self.post(id).cloned() else { return Err(Problem::invalid_id("product", 400)) };
        let was_gone = post.status() == "trash";
        self.set(id, &mut post, params)?;
        if was_gone && post.status() != "trash" {
            post.former = None;
        }
        self.posts.insert(id, post);
        self.saved(id, "product.updated", now);
        Ok(())
    }

    /// Sets what a write gives.
    fn set(&mut self, id: u64, post: &mut Post, params: &Map<String, Value>) -> Result<(), Problem> {
        self.check_unique(id, params)?;
        for name in schema::names() {
            let Some(value) = params.get(name) else { continue };
            let value: Value = match name {
                "regular_price" | "sale_price" => price(value).into(),
                "name" | "description" | "short_description" => text(value).into(),
                "manage_stock" => truth(value).unwrap_or_default().into(),
                "status" if !value.as_str().is_some_and(schema::is_status) => "draft".into(),
                "stock_quantity" | "menu_order" | "low_stock_amount" => whole(value).into(),
                "inventory_delta" => {
                    let delta = whole(value).unwrap_or_default();
                    let stock = post.stock().unwrap_or_default() + delta;
                    if !params.contains_key("stock_quantity") {
                        post.fields.insert("stock_quantity".to_owned(), stock.into());
                    }
                    continue;
                }
                "categories" | "tags" => value.as_array().into_iter().flatten().filter_map(term).collect(),
                "images" => Value::Array(self.images(value.as_array().map_or(&[][..], Vec::as_slice), post)?),
                "image" => self.image(value, &[])?,
                "attributes" => {
                    value.as_array().into_iter().flatten().enumerate().map(|it| attribute(it, post)).collect()
                }
                "meta_data" => self.meta_data(value, post),
                _ => value.clone(),
            };
            post.fields.insert(name.to_owned(), value);
        }
        if !post.counts_stock() {
            post.fields.remove("stock_quantity");
        } else if !post.fields.get("stock_quantity").is_some_and(Value::is_i64) {
            post.fields.insert("stock_quantity".to_owned(), 0.into());
        }
        // A sale is one only below the usual price.
        let amount = |name: &str| post.text(name).parse::<f64>().ok();
        if amount("sale_price").is_some_and(|sale| amount("regular_price").is_none_or(|regular| sale >= regular)) {
            post.fields.insert("sale_price".to_owned(), "".into());
        }
        Ok(())
    }

    /// Refuses a stock keeping unit or barcode that something else has.
    fn check_unique(&self, id: u64, params: &Map<String, Value>) -> Result<(), Problem> {
        for (name, code, message) in [
            ("sku", "product_invalid_sku", "Invalid or duplicated SKU."),
            ("global_unique_id", "product_invalid_global_unique_id", "Invalid or duplicated GTIN, UPC, EAN or ISBN."),
        ] {
            let Some(given) = params.get(name).and_then(Value::as_str).filter(|given| !given.is_empty()) else {
                continue;
            };
            let taken = self.posts.iter().find(|(other, post)| **other != id && post.text(name) == given);
            let Some((other, _)) = taken else { continue };
            let problem = Problem::new(400, code, message).with("resource_id", *other);
            return Err(if name == "sku" { problem.with("unique_sku", self.free(given, name)) } else { problem });
        }
        Ok(())
    }

    /// A text like the one that is wanted which nothing has in that field yet.
    fn free(&self, wanted: &str, name: &str) -> String {
        let is_taken = |text: &str| self.posts.values().any(|post| post.text(name) == text);
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut texts = [wanted.to_owned()].into_iter().chain(numbered);
        texts.find(|text| !is_taken(text)).unwrap_or_default()
    }

    /// Images: one with an id is kept, one with an address only is fetched again, whether the store has it or not.
    fn images(&mut self, given: &[Value], post: &Post) -> Result<Vec<Value>, Problem> {
        let had = post.fields.get("images").and_then(Value::as_array).cloned().unwrap_or_default();
        given.iter().map(|image| self.image(image, &had)).collect()
    }

    fn image(&mut self, given: &Value, had: &[Value]) -> Result<Value, Problem> {
        if let Some(kept) = had.iter().find(|image| given["id"].is_u64() && image["id"] == given["id"]) {
            let mut kept = kept.clone();
            for name in ["name", "alt"] {
                if let Some(text) = given[name].as_str() {
                    kept[name] = text.into();
                }
            }
            return Ok(kept);
        }
        let source = given["src"].as_str().unwrap_or_default();
        let file = source.rsplit('/').next().unwrap_or_default();
        let refused = |message: String| Err(Problem::new(400, "woocommerce_product_image_upload_error", message));
        // There is no way out of here: the name says how it goes with the file.
        match file.split_once('.') {
            Some(("none", _)) => return refused(format!("Error getting remote image {source}. Error: Not Found")),
            Some((name, "jpg" | "jpeg" | "png" | "gif" | "webp")) if name != "text" => {}
            _ => return refused("Invalid image: Sorry, you are not allowed to upload this file type.".to_owned()),
        }
        let id = self.number();
        let name = given["name"].as_str().unwrap_or(file);
        Ok(json!({
            "id": id,
            "date_created": "2026-01-05T12:00:00",
            "date_created_gmt": "2026-01-05T10:00:00",
            "date_modified": "2026-01-05T12:00:00",
            "date_modified_gmt": "2026-01-05T10:00:00",
            "src": format!("{}/wp-content/uploads/2026/01/{id}-{file}", self.home),
            "name": name,
            "alt": given["alt"].as_str().unwrap_or_default(),
        }))
    }

    /// Notes of plugins: those with a key that is there already replace it.
    fn meta_data(&mut self, given: &Value, post: &Post) -> Value {
        let mut kept = post.fields.get("meta_data").and_then(Value::as_array).cloned().unwrap_or_default();
        for entry in given.as_array().into_iter().flatten() {
            kept.retain(|known| known["key"] != entry["key"]);
            kept.push(json!({ "id": self.number(), "key": entry["key"], "value": entry["value"] }));
        }
        kept.into()
    }
}

/// A price: everything but digits, a point and a sign is dropped, so `12,50 €` becomes 1250.
fn price(value: &Value) -> String {
    let digits = |letter: &char| letter.is_ascii_digit() || matches!(letter, '.' | '-');
    value.as_str().map_or_else(|| value.to_string(), |text| text.chars().filter(digits).collect())
}

/// A text without what the store drops from it.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('\\', "").replace(" & ", " &amp; ")
}

/// A category or tag, by its id.
fn term(given: &Value) -> Option<Value> {
    let (id, name, slug) = TERMS.iter().find(|(id, ..)| given["id"].as_u64() == Some(*id))?;
    Some(json!({ "id": id, "name": name, "slug": slug }))
}

/// An attribute: of a variation the option that it has, of a product all options.
fn attribute((at, given): (usize, &Value), post: &Post) -> Value {
    let id = given["id"].as_u64().unwrap_or_default();
    let name = given["name"].as_str().unwrap_or(if id == 1 { "Size" } else { "" });
    let slug = if id > 0 { format!("pa_{}", name.to_lowercase()) } else { name.to_owned() };
    match post.parent {
        0 => json!({
            "id": id,
            "name": name,
            "slug": slug,
            "position": given["position"].as_u64().unwrap_or(u64::try_from(at).unwrap_or_default()),
            "visible": given["visible"].as_bool().unwrap_or_default(),
            "variation": given["variation"].as_bool().unwrap_or_default(),
            "options": given["options"].as_array().cloned().unwrap_or_default(),
        }),
        _ => json!({ "id": id, "name": name, "slug": slug, "option": given["option"] }),
    }
}
