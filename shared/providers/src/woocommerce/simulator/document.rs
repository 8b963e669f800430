//! Products and variations as the API shows them.

use serde_json::{Map, Value, json};

use super::defaults;
use super::shop::{Post, Shop};

/// The context of a document: `view` shows what visitors see, `edit` what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    View,
    Edit,
}

impl Shop {
    /// The document of a product; also of a variation, as the route of products shows it.
    pub(super) fn product(&self, id: u64, context: Context) -> Option<Value> {
        let post = self.post(id)?;
        let mut document = self.common(id, post, context);
        add_missing(&mut document, defaults::of_products());
        let is_variation = post.parent > 0;
        let short = text(context, document["short_description"].as_str().unwrap_or_default());
        let variations: Vec<u64> = match post.sort() {
            "variable" => self.variations(id).map(|(id, _)| id).collect(),
            _ => Vec::new(),
        };
        let trashed = if post.status() == "trash" { "__trashed" } else { "" };
        document.extend(fields(json!({
            "slug": format!("{}{trashed}", post.text("slug")),
            "short_description": short,
            "average_rating": if context == Context::View { "0.00" } else { "0" },
            "has_options": !variations.is_empty(),
            "variations": variations,
            "price_html": self.price_html(id, post),
            "_links": self.links("products", id),
        })));
        if is_variation {
            document.extend(fields(json!({
                "name": format!("{} - {}", self.post(post.parent)?.text("name"), options(post)),
                "categories": [],
                "images": post.fields.get("image").map(|image| vec![image]).unwrap_or_default(),
                "total_sales": "0",
                "reviews_allowed": false,
            })));
            document.remove("image");
            self.add_parent(&mut document, post.parent);
        }
        if context == Context::Edit {
            document.insert("permalink_template".to_owned(), format!("{}/product/%pagename%/", self.home).into());
            document.insert("generated_slug".to_owned(), slug(post.text("name")).into());
        }
        Some(document.into())
    }

    /// The document of a variation, as the route below its product shows it.
    pub(super) fn variation(&self, id: u64, context: Context) -> Option<Value> {
        let post = self.post(id).filter(|post| post.parent > 0)?;
        let mut document = self.common(id, post, context);
        document.insert("name".to_owned(), options(post).into());
        document.entry("image").or_insert(Value::Null);
        let collection = format!("products/{}/variations", post.parent);
        document.insert("_links".to_owned(), self.links(&collection, id));
        self.add_parent(&mut document, post.parent);
        document.retain(|name, _| !matches!(name.as_str(), "slug" | "images"));
        Some(document.into())
    }

    /// What both documents have.
    fn common(&self, id: u64, post: &Post, context: Context) -> Map<String, Value> {
        let mut document = post.fields.clone();
        add_missing(&mut document, defaults::of_both());
        let price = self.price(id);
        let backorders = document["backorders"].as_str().unwrap_or_default() != "no";
        let stock = post.stock();
        let stock_status = match stock {
            Some(1..) => "instock",
            Some(_) if backorders => "onbackorder",
            Some(_) => "outofstock",
            None => post.fields.get("stock_status").and_then(Value::as_str).unwrap_or("instock"),
        };
        let sale = post.text("sale_price");
        let described = text(context, document["description"].as_str().unwrap_or_default());
        document.extend(self.dates("date_created", post.created));
        document.extend(self.dates("date_modified", post.modified));
        document.extend(fields(json!({
            "id": id,
            "type": post.sort(),
            "status": post.status(),
            "permalink": self.permalink(id, post),
            "description": described,
            "price": price,
            "on_sale": !sale.is_empty() && sale != post.text("regular_price"),
            "purchasable": !price.is_empty(),
            "manage_stock": post.counts_stock(),
            "stock_quantity": stock,
            "stock_status": stock_status,
            "backorders_allowed": backorders,
            "backordered": backorders && stock.is_some_and(|stock| stock < 0),
            "parent_id": post.parent,
        })));
        document
    }

    fn permalink(&self, id: u64, post: &Post) -> String {
        match (post.status(), self.post(post.parent)) {
            (_, Some(parent)) => format!("{}/product/{}/?attribute={id}", self.home, parent.text("slug")),
            ("publish" | "private", None) => format!("{}/product/{}/", self.home, post.text("slug")),
            (_, None) => format!("{}/?post_type=product&p={id}", self.home),
        }
    }

    fn price_html(&self, id: u64, post: &Post) -> String {
        let amount = |price: &str| {
            let price = price.parse::<f64>().unwrap_or_default();
            let symbol = r#"<span class="woocommerce-Price-currencySymbol">&euro;</span>"#;
            format!(r#"<span class="woocommerce-Price-amount amount"><bdi>{symbol}{price:.2}</bdi></span>"#)
        };
        match (self.price(id), post.text("sale_price")) {
            (price, _) if price.is_empty() => String::new(),
            (price, "") => amount(&price),
            (price, _) => format!("<del>{}</del> <ins>{}</ins>", amount(post.text("regular_price")), amount(&price)),
        }
    }

    fn add_parent(&self, document: &mut Map<String, Value>, parent: u64) {
        let href = format!("{}/wp-json/wc/v3/products/{parent}", self.home);
        if let Some(Value::Object(links)) = document.get_mut("_links") {
            links.insert("up".to_owned(), json!([{ "href": href }]));
        }
    }
}

/// The options of a variation, as its name has them.
fn options(post: &Post) -> String {
    let attributes = post.fields.get("attributes").and_then(Value::as_array).into_iter().flatten();
    attributes.filter_map(|attribute| attribute["option"].as_str()).collect::<Vec<_>>().join(", ")
}

/// A text as a context shows it: visitors get paragraphs.
fn text(context: Context, stored: &str) -> String {
    if context == Context::Edit || stored.is_empty() {
        return stored.to_owned();
    }
    let paragraph = |part: &str| match part.trim() {
        part if part.starts_with("<p>") => format!("{part}\n"),
        part => format!("<p>{part}</p>\n"),
    };
    stored.split("\n\n").map(paragraph).collect()
}

/// The slug of a name.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            letter if !letter.is_ascii() && letter.is_alphanumeric() => {
                let mut bytes = [0; 4];
                slug.extend(letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02x}")));
            }
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The fields of an object.
pub(super) fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn add_missing(document: &mut Map<String, Value>, defaults: Value) {
    for (name, value) in fields(defaults) {
        document.entry(name).or_insert(value);
    }
}
