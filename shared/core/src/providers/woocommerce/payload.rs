//! A store's bodies, read into our terms.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Number;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::names::Kind;
use crate::notice::{Document, EntityNotice, State, Version, What};
use crate::product::{Image, Product, Variant};
use crate::providers::reading::unreadable;
use crate::verified::Verified;

/// The topic of deletions.
pub(super) const DELETED: &str = "product.deleted";
/// The resource that is asked for what a delivery does not say.
const PRODUCTS: &str = "products";
/// What only products have all of: orders, coupons, customers and older forms of the API lack some.
const KEYS_OF_A_PRODUCT: &[&str] = &["id", "name", "type", "status", "date_modified_gmt"];

#[derive(Deserialize)]
struct WooProduct {
    id: u64,
    name: String,
    #[serde(rename = "type")]
    sort: String,
    status: String,
    date_modified_gmt: Option<String>,
    #[serde(default)]
    sku: Option<String>,
    #[serde(default)]
    global_unique_id: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    stock_quantity: Option<Number>,
    #[serde(default)]
    variations: Vec<u64>,
    #[serde(default)]
    images: Vec<WooImage>,
}

#[derive(Deserialize)]
struct WooImage {
    id: u64,
    #[serde(default)]
    src: Option<String>,
}

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> Vec<What> {
    vec![What::ignored("topic does not fit body")]
}

/// The product of a topic that sends it whole.
pub(super) fn product(verified: &Verified) -> Result<Vec<What>, Fault> {
    let product = match verified.json::<WooProduct>() {
        // It has what only products have.
        Ok(product) if product.date_modified_gmt.is_some() => product,
        other => {
            let keys: BTreeMap<String, &RawValue> = verified.json()?;
            let has = |key: &str| keys.contains_key(key);
            // What the store's own API answered, when the product was gone or not to be seen by who made the webhook.
            if has("code") && has("message") && has("data") && !has("id") {
                return Ok(vec![What::hint(PRODUCTS)]);
            }
            if !KEYS_OF_A_PRODUCT.iter().all(|key| has(key)) {
                return Ok(misfit());
            }
            other?
        }
    };
    // A variation is a part of its parent, which has to be read with all of them.
    let is_part = product.sort.ends_with("variation");
    let Some(modified) = product.date_modified_gmt.as_deref().filter(|_| !is_part) else {
        return Ok(vec![What::hint(PRODUCTS)]);
    };
    let modified = gmt(modified)?;
    let (id, lacks_variations) = (product.id.to_string(), !product.variations.is_empty());
    let gone = product.status == "trash";
    let entity = What::Entity(EntityNotice {
        occurred_at: Some(modified),
        ..EntityNotice::new(
            Kind::Product,
            id,
            Version::from_time(modified),
            match gone {
                true => State::Deleted,
                false => State::Present(Document::Product(Box::new(product.told(modified)))),
            },
        )
    });
    Ok(if lacks_variations && !gone { vec![entity, What::hint(PRODUCTS)] } else { vec![entity] })
}

/// `product.deleted`: the id, and nothing else. It says no time, so when it came has to do: if the product is restored, it
/// is modified after that. What a race gets wrong all the same, the sync puts right.
pub(super) fn deleted_product(verified: &Verified) -> Result<Vec<What>, Fault> {
    #[derive(Deserialize)]
    struct Deleted {
        id: Id,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Number(u64),
        Text(String),
    }
    let keys: BTreeMap<String, &RawValue> = verified.json()?;
    if keys.len() != 1 || !keys.contains_key("id") {
        return Ok(misfit());
    }
    let Deleted { id } = verified.json()?;
    let id = match id {
        Id::Number(id) => Some(id),
        // `parse` alone would take a plus sign as well.
        Id::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Id::Text(_) => None,
    };
    let id = id.filter(|id| *id > 0).ok_or_else(|| unreadable("the id is not a number above zero"))?;
    let entity =
        EntityNotice::new(Kind::Product, id.to_string(), Version::from_time(verified.received_at()), State::Deleted);
    Ok(vec![What::Entity(entity), What::hint(PRODUCTS)])
}

/// A time in UTC, which the store writes without saying so.
fn gmt(text: &str) -> Result<Timestamp, Fault> {
    let bare = |text: &str| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| bare(text)).ok_or_else(|| unreadable("`date_modified_gmt` is not a time"))
}

impl WooProduct {
    fn told(self, modified: Timestamp) -> Product {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let id = self.id.to_string();
        let variants = if !self.variations.is_empty() {
            self.variations.iter().map(|id| unknown(id.to_string())).collect()
        } else if self.sort == "grouped" || self.sort.starts_with("variable") {
            Vec::new()
        } else {
            vec![Variant {
                sku: given(self.sku),
                barcode: given(self.global_unique_id),
                price: given(self.price),
                stock: self.stock_quantity.and_then(|quantity| quantity.as_i64()),
                ..unknown(id.clone())
            }]
        };
        Product {
            id,
            title: self.name,
            status: self.status,
            updated_at: modified.to_string(),
            variants,
            images: self.images.into_iter().filter_map(image).collect(),
        }
    }
}

/// A variant of which the product says no more than that there is one.
fn unknown(id: String) -> Variant {
    Variant { id, sku: None, barcode: None, price: None, currency: None, stock: None }
}

fn image(image: WooImage) -> Option<Image> {
    Some(Image { id: image.id.to_string(), url: image.src? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let time: Timestamp = "2026-11-18T13:41:27Z".parse().unwrap();
        for text in ["2026-11-18T13:41:27", "2026-11-18 13:41:27", "2026-11-18T13:41:27Z", "2026-11-18T15:41:27+02:00"]
        {
            assert_eq!(gmt(text), Ok(time), "{text}");
        }
        for text in ["", "0000-00-00T00:00:00", "2026-02-30T00:00:00", "now", "1795435287"] {
            assert!(gmt(text).is_err(), "{text}");
        }
    }
}
