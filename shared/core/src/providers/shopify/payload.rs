//! Shopify's bodies, read into our terms.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::fault::Fault;
use crate::names::{Kind, PrivacyAct};
use crate::notice::{Document, EntityNotice, PrivacyRequest, State, Subject, Version, What};
use crate::product::{Image, Product, Variant};
use crate::verified::Verified;

#[derive(Deserialize)]
struct ShopifyProduct<'a> {
    id: u64,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    status: Option<String>,
    updated_at: Timestamp,
    #[serde(default)]
    variants: Vec<ShopifyVariant>,
    #[serde(default)]
    images: Vec<ShopifyImage>,
    #[serde(borrow, default)]
    variant_gids: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ShopifyVariant {
    id: u64,
    #[serde(default)]
    sku: Option<String>,
    #[serde(default)]
    barcode: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    inventory_quantity: Option<i64>,
}

#[derive(Deserialize)]
struct ShopifyImage {
    id: u64,
    #[serde(default)]
    src: Option<String>,
}

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> What {
    What::Ignored { reason: "topic does not fit body".into() }
}

/// `products/create` and `products/update`: the whole product, and whether it has more variants than the 100 that a webhook
/// carries, so that the rest has to be fetched.
pub(super) fn product(verified: &Verified) -> Result<(What, bool), Fault> {
    let product = match verified.json::<ShopifyProduct<'_>>() {
        // It has what no other body has.
        Ok(product) if product.title.is_some() => product,
        other => {
            let keys: BTreeMap<String, &RawValue> = verified.json()?;
            if !keys.contains_key("updated_at") || !keys.contains_key("title") {
                // What is too large for EventBridge comes as its id alone. There the topic is vouched for; over HTTP it is
                // not, and the same body could be a deletion's.
                let stub = verified.key_id().is_none() && keys.len() == 1 && keys.contains_key("id");
                return Ok((if stub { What::hint("products") } else { misfit() }, false));
            }
            other?
        }
    };
    let gids = product.variant_gids.and_then(|gids| serde_json::from_str::<Vec<IgnoredAny>>(gids.get()).ok());
    let lacks_variants = gids.is_some_and(|gids| product.variants.len() < gids.len());
    let entity = EntityNotice {
        kind: Kind::Product,
        id: product.id.to_string(),
        version: Version::from_time(product.updated_at),
        occurred_at: Some(product.updated_at),
        state: State::Present(Document::Product(Box::new(product.into()))),
    };
    Ok((What::Entity(entity), lacks_variants))
}

/// `products/delete`: the id, and nothing else. Shopify never reuses ids, so nothing comes after it.
pub(super) fn deleted_product(verified: &Verified) -> Result<What, Fault> {
    #[derive(Deserialize)]
    struct Deleted {
        id: u64,
    }
    let keys: BTreeMap<String, &RawValue> = verified.json()?;
    if keys.len() != 1 || !keys.contains_key("id") {
        return Ok(misfit());
    }
    let Deleted { id } = verified.json()?;
    Ok(What::Entity(EntityNotice {
        kind: Kind::Product,
        id: id.to_string(),
        version: Version::FINAL,
        occurred_at: verified.header(super::TRIGGERED_AT).and_then(|text| text.parse().ok()),
        state: State::Deleted,
    }))
}

/// `inventory_levels/update`: names an inventory item, and no product.
pub(super) fn stock(verified: &Verified, resource: &'static str) -> Result<What, Fault> {
    let keys: BTreeMap<String, &RawValue> = verified.json()?;
    Ok(if keys.contains_key("inventory_item_id") { What::hint(resource) } else { misfit() })
}

/// A request to disclose or erase. All three name the shop; what else they have tells them apart, so that a customer's
/// data request cannot be sent again to erase the customer, or either to erase the shop.
pub(super) fn privacy(verified: &Verified, topic: &str) -> Result<What, Fault> {
    let keys: BTreeMap<String, &RawValue> = verified.json()?;
    let has = |key: &str| keys.contains_key(key);
    let discloses = has("data_request") || has("orders_requested");
    let fits = match topic {
        "customers/data_request" => has("customer") && discloses,
        "customers/redact" => has("customer") && !discloses,
        _ => !has("customer") && !discloses,
    };
    if !fits || !has("shop_id") || !has("shop_domain") {
        return Ok(misfit());
    }
    let act = if discloses { PrivacyAct::Disclose } else { PrivacyAct::Erase };
    let subject = match keys.get("customer") {
        None => Subject::Account,
        Some(customer) => Subject::Person(marks(customer)),
    };
    Ok(What::Privacy(PrivacyRequest { act, subject }))
}

/// What tells a customer's data: the id, and the addresses that are known.
fn marks(customer: &RawValue) -> Vec<String> {
    #[derive(Deserialize, Default)]
    struct Customer {
        id: Option<u64>,
        email: Option<String>,
        phone: Option<String>,
    }
    let Customer { id, email, phone } = serde_json::from_str(customer.get()).unwrap_or_default();
    let marks = [id.map(|id| id.to_string()), email, phone];
    marks.into_iter().flatten().filter(|mark| !mark.is_empty()).collect()
}

/// The shop that the body itself names: `shop_domain` in requests about personal data.
pub(super) fn shop(verified: &Verified) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        shop_domain: Option<String>,
    }
    verified.json::<Named>().ok()?.shop_domain
}

impl From<ShopifyProduct<'_>> for Product {
    fn from(product: ShopifyProduct<'_>) -> Self {
        Self {
            id: product.id.to_string(),
            title: product.title.unwrap_or_default(),
            status: product.status.unwrap_or_else(|| "active".into()),
            updated_at: product.updated_at.to_string(),
            variants: product.variants.into_iter().map(Variant::from).collect(),
            images: product.images.into_iter().filter_map(image).collect(),
        }
    }
}

impl From<ShopifyVariant> for Variant {
    fn from(variant: ShopifyVariant) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            id: variant.id.to_string(),
            sku: given(variant.sku),
            barcode: given(variant.barcode),
            price: variant.price,
            currency: None,
            stock: variant.inventory_quantity,
        }
    }
}

fn image(image: ShopifyImage) -> Option<Image> {
    Some(Image { id: image.id.to_string(), url: image.src? })
}
