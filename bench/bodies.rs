//! Shopify's bodies, grown to a size: a product with more variants, then more images, then a longer description.

use hooktide_providers::Sample;
use jiff::Timestamp;
use serde_json::Value;

/// How many variants a webhook of Shopify's carries at the most.
const MOST_VARIANTS: usize = 100;
/// How many images a product has at the most.
const MOST_IMAGES: usize = 250;
/// What a description is made of.
const WORDS: &str = "A spring tea from one garden, picked by hand and rolled the same day; brews pale and sweet. ";

/// The body of `products/update` for a product of an account, of exactly `size` bytes (from 1 KB on).
pub(crate) fn product(account: &str, number: u64, updated_at: Timestamp, size: usize) -> String {
    let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
    let sample = Sample { number, updated_at, account };
    let body = provider.sample("products/update", &sample).expect("a sample");
    let mut product: Value = serde_json::from_slice(&body).expect("JSON");
    for (list, least) in [("images", 0), ("options", 0), ("variants", 1)] {
        while product.to_string().len() > size && entries(&product, list) > least {
            product[list].as_array_mut().and_then(Vec::pop);
        }
    }
    for (list, most) in [("variants", MOST_VARIANTS), ("images", MOST_IMAGES)] {
        let Some(first) = product[list].get(0).cloned() else { continue };
        while entries(&product, list) < most && product.to_string().len() + first.to_string().len() + 1 < size {
            let next = another(&first, entries(&product, list));
            product[list].as_array_mut().expect("a list").push(next);
        }
    }
    let description: String = product["body_html"].as_str().unwrap_or_default().to_owned();
    let missing = size.checked_sub(product.to_string().len()).expect("a product is no larger than asked for");
    let more: String = WORDS.chars().cycle().take(missing).collect();
    product["body_html"] = format!("{description}{more}").into();
    let text = product.to_string();
    assert_eq!(text.len(), size, "a body of the size that was asked for");
    text
}

/// What a body of that size is, for the report.
pub(crate) fn described(size: usize) -> String {
    let product: Value =
        serde_json::from_str(&product("demo.myshopify.com", 1, Timestamp::UNIX_EPOCH, size)).expect("JSON");
    let html = product["body_html"].as_str().unwrap_or_default().len();
    let (variants, images) = (entries(&product, "variants"), entries(&product, "images"));
    format!("{} KB: {variants} variants, {images} images, {html} bytes of description", size / 1024)
}

fn entries(product: &Value, list: &str) -> usize {
    product[list].as_array().map_or(0, Vec::len)
}

/// An entry like the first one, with ids, a position and texts of its own.
fn another(first: &Value, index: usize) -> Value {
    let mut entry = first.clone();
    let id = first["id"].as_u64().unwrap_or_default();
    entry["id"] = (id + 10 * index as u64).into();
    for (name, text) in [("title", "g"), ("sku", "TEA"), ("src", "https://cdn.example.com/products/view")] {
        if entry.get(name).is_some() {
            // As long as the first one, so that a list grows by steps that are known.
            let length = first[name].as_str().unwrap_or_default().len();
            let mut value = format!("{text}-{index:0>length$}");
            value.truncate(length.max(text.len() + 4));
            entry[name] = value.into();
        }
    }
    entry
}
