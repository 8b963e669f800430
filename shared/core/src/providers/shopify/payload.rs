//! Shopify's bodies, read into our terms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::names::{Kind, PrivacyAct};
use crate::notice::{Document, EntityNotice, PrivacyRequest, State, Subject, Version, What};
use crate::product::{Image, Product, Variant};
use crate::providers::reading::unreadable;
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
    #[serde(borrow, default)]
    admin_graphql_api_id: Option<Cow<'a, str>>,
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

/// What the global id of every product begins with.
const PRODUCT: &str = "gid://shopify/Product/";

/// Whether a body is a product's: collections have all that is read of one, but for variants and what their global id names.
/// The id is missing where a subscription left it out.
fn is_product(global_id: Option<&str>, has_variants: bool) -> bool {
    global_id.map_or(has_variants, |id| id.starts_with(PRODUCT))
}

impl ShopifyProduct<'_> {
    /// Whether it has what no other body has. An empty list of variants could also be none.
    fn is_certain(&self) -> bool {
        self.title.is_some() && is_product(self.admin_graphql_api_id.as_deref(), !self.variants.is_empty())
    }
}

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> What {
    What::ignored("topic does not fit body")
}

/// `products/create` and `products/update`: the whole product, and whether it has more variants than the 100 that a webhook
/// carries, so that the rest has to be fetched.
pub(super) fn product(verified: &Verified) -> Result<(What, bool), Fault> {
    let product = match verified.json::<ShopifyProduct<'_>>() {
        Ok(product) if product.is_certain() => product,
        other => {
            let keys: BTreeMap<String, &RawValue> = verified.json()?;
            let has = |key: &str| keys.contains_key(key);
            let global_id = keys.get("admin_graphql_api_id").map_or("null", |id| id.get());
            // One that is no text names no product.
            let global_id = serde_json::from_str::<Option<Cow<'_, str>>>(global_id).unwrap_or_else(|_| Some("".into()));
            if !has("updated_at") || !has("title") || !is_product(global_id.as_deref(), has("variants")) {
                // What is too large for EventBridge comes as its id alone. There the topic is vouched for; over HTTP it is
                // not, and the same body could be a deletion's.
                let stub = verified.key_id().is_none() && keys.len() == 1 && has("id");
                return Ok((if stub { What::hint("products") } else { misfit() }, false));
            }
            other?
        }
    };
    let gids = product.variant_gids.and_then(|gids| serde_json::from_str::<Vec<IgnoredAny>>(gids.get()).ok());
    let lacks_variants = gids.is_some_and(|gids| product.variants.len() < gids.len());
    let entity = EntityNotice {
        occurred_at: Some(product.updated_at),
        ..EntityNotice::new(
            Kind::Product,
            product.id.to_string(),
            Version::from_time(product.updated_at),
            State::Present(Document::Product(Box::new(product.into()))),
        )
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
        occurred_at: verified.header(super::TRIGGERED_AT).and_then(|text| text.parse().ok()),
        ..EntityNotice::new(Kind::Product, id.to_string(), Version::FINAL, State::Deleted)
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
        Some(customer) => Subject::Person(marks(customer)?),
    };
    Ok(What::Privacy(PrivacyRequest { act, subject }))
}

/// What tells a customer's data: the id, and the addresses that are known. Each is read on its own, so that an odd one hides
/// no other. Without any, nothing could be looked for, and the request would pass for done.
fn marks(customer: &RawValue) -> Result<Vec<String>, Fault> {
    #[derive(Deserialize)]
    struct Customer<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        email: Option<&'a RawValue>,
        #[serde(borrow)]
        phone: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Mark {
        Number(u64),
        Text(String),
    }
    let customer: Customer<'_> =
        serde_json::from_str(customer.get()).map_err(|_| unreadable("`customer` is not of the documented form"))?;
    let mark = |mark: &RawValue| match serde_json::from_str(mark.get()).ok()? {
        Mark::Number(number) => Some(number.to_string()),
        Mark::Text(text) => Some(text).filter(|text| !text.is_empty()),
    };
    let marks = [customer.id, customer.email, customer.phone].into_iter().flatten().filter_map(mark);
    let marks = marks.collect::<Vec<_>>();
    if marks.is_empty() { Err(unreadable("it names no customer")) } else { Ok(marks) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::ErrorClass;

    #[test]
    fn a_product_is_told_from_a_collection() {
        for (global_id, has_variants, expected) in [
            (Some("gid://shopify/Product/1"), false, true),
            (Some("gid://shopify/Collection/1"), true, false),
            (Some("gid://shopify/ProductVariant/1"), true, false),
            (Some(""), true, false),
            (None, true, true),
            (None, false, false),
        ] {
            assert_eq!(is_product(global_id, has_variants), expected, "{global_id:?}, {has_variants}");
        }
    }

    #[test]
    fn each_mark_of_a_customer_is_read_on_its_own() {
        let marks = |json: &str| marks(&serde_json::from_str::<Box<RawValue>>(json).unwrap());
        for (customer, expected) in [
            (r#"{"id":7,"email":"a@example.com","phone":"555"}"#, &["7", "a@example.com", "555"][..]),
            (r#"{"id":"7","email":null,"phone":555}"#, &["7", "555"]),
            (r#"{"id":-7,"email":["a@example.com"],"phone":"555"}"#, &["555"]),
            (r#"{"id":{},"email":"a@example.com"}"#, &["a@example.com"]),
            (r#"{"id":7}"#, &["7"]),
        ] {
            assert_eq!(marks(customer).unwrap(), expected, "{customer}");
        }
        for customer in ["{}", r#"{"id":null,"email":"","phone":false}"#, r#"{"name":"Mina"}"#, "7", "null", "[]"] {
            let read = marks(customer);
            assert!(matches!(read, Err(Fault::Permanent { class: ErrorClass::Unreadable, .. })), "{customer}");
        }
    }
}
