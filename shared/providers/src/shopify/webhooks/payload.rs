//! Shopify's bodies, read into our terms.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json::{part, unreadable};
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::shopify::product::{Content, ShopifyVariant, deleted, variants};
use crate::shopify::{OF_ITEM, PRODUCTS};
use crate::store_images::{StoreImage, read_images};
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::names::PrivacyAct;
use hooktide_model::notice::{PrivacyRequest, Subject, What};

fields! {
    struct ShopifyProduct<'a> {
        id: Lenient<u64>,
        title: Lenient<String>,
        status: Lenient<String>,
        updated_at: Lenient<Timestamp>,
        variants: Lenient<Vec<Lenient<Object<ShopifyVariant>>>>,
        images: Lenient<Vec<Lenient<Object<StoreImage>>>>,
        variant_gids: Lenient<Vec<Lenient<Object<IgnoredAny>>>>,
        admin_graphql_api_id: Lenient<Cow<'a, str>>,
    }
}

/// The most variants that a webhook carries.
const MOST_VARIANTS: usize = 100;
/// The beginning of every global id.
const GLOBAL: &str = "gid://";
/// The beginning of the global id of every product.
const PRODUCT: &str = "gid://shopify/Product/";

/// Whether a body is a product's: collections have all that is read of one, but for variants and what their global id names.
/// The id is missing where a subscription left it out; one that is none tells nothing.
fn is_product(global_id: Option<&str>, has_variants: bool) -> bool {
    global_id.filter(|id| id.starts_with(GLOBAL)).map_or(has_variants, |id| id.starts_with(PRODUCT))
}

impl ShopifyProduct<'_> {
    /// Whether it has what no other body has.
    fn is_one(&self) -> bool {
        let global_id = self.admin_graphql_api_id.as_ref().map(|id| &**id);
        self.updated_at.is_there() && is_product(global_id, self.variants.is_there())
    }
}

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> What {
    What::ignored("topic does not fit body")
}

/// `products/create` and `products/update`: the whole product, and whether it has more variants than a webhook carries, so that
/// the rest has to be fetched.
pub(super) fn product(verified: &Verified) -> Result<(What, bool), Fault> {
    let Object(product) = verified.json::<Object<ShopifyProduct<'_>>>()?;
    if !product.is_one() {
        let keys: BTreeMap<String, IgnoredAny> = verified.json()?;
        // What is too large for EventBridge comes as its id alone. There the topic is vouched for; over HTTP it is not, and the
        // same body could be a deletion's.
        let stub = verified.key_id().is_none() && keys.len() == 1 && keys.contains_key("id");
        let hint = || product.id.as_ref().map_or(What::hint(PRODUCTS), |id| What::hint_at(PRODUCTS, id));
        return Ok((if stub { hint() } else { misfit() }, false));
    }
    let (id, updated_at) = (product.id.needed("id")?, product.updated_at.needed("updated_at")?);
    let mut unread = Unread::default();
    let told = product.variants.as_ref().map_or(0, Vec::len);
    // Where nobody can read how many there are, they are asked for.
    let lacks_variants = match &product.variant_gids {
        Lenient::Missing => told >= MOST_VARIANTS,
        Lenient::Read(gids) => told < gids.len() || gids.iter().any(|gid| gid.as_ref().is_none()),
        Lenient::Null | Lenient::Odd => true,
    };
    let content = Content {
        title: product.title.value_or_note(&mut unread, "title"),
        status: product.status.value_or_note(&mut unread, "status"),
        variants: variants(product.variants, &mut unread),
        images: read_images(product.images, &mut unread),
        unread,
    };
    Ok((What::Entity(content.entity(id, updated_at)), lacks_variants))
}

/// `products/delete`: the id, and nothing else. Shopify never reuses ids, so nothing comes after it.
pub(super) fn deleted_product(verified: &Verified) -> Result<What, Fault> {
    let keys: BTreeMap<String, Lenient<u64>> = verified.json()?;
    let mut keys = keys.into_iter();
    let (Some((key, id)), None) = (keys.next(), keys.next()) else { return Ok(misfit()) };
    if key != "id" {
        return Ok(misfit());
    }
    let at = verified.header(crate::shopify::TRIGGERED_AT).and_then(|text| text.parse().ok());
    Ok(What::Entity(deleted(id.needed("id")?, at)))
}

/// `inventory_levels/update`: names the level by its inventory item and location, and no product; and whether it says a time of
/// its own.
pub(super) fn stock(verified: &Verified, resource: &'static str) -> Result<(What, bool), Fault> {
    fields! {
        struct Level {
            item: Lenient<u64> = "inventory_item_id",
            location: Lenient<u64> = "location_id",
            updated_at: Lenient<IgnoredAny>,
        }
    }
    let Object(level) = verified.json::<Object<Level>>()?;
    let what = match (level.item.as_ref(), level.location.as_ref()) {
        (Some(item), Some(location)) => What::hint_at(resource, format!("{OF_ITEM}{item}/{location}")),
        _ if level.item.is_there() => What::hint(resource),
        _ => misfit(),
    };
    Ok((what, level.updated_at.as_ref().is_some()))
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
    if !fits || !(has("shop_id") || has("shop_domain")) {
        return Ok(misfit());
    }
    let act = if discloses { PrivacyAct::Disclose } else { PrivacyAct::Erase };
    let subject = match keys.get("customer") {
        None => Subject::Account,
        Some(customer) => Subject::Person(marks(customer)?),
    };
    Ok(What::Privacy(PrivacyRequest { act, subject }))
}

/// The marks of a customer's data: the id, and the addresses that are known. Each is read on its own, so that an odd one hides
/// no other. Without any, nothing could be looked for, and the request would pass for done.
fn marks(customer: &RawValue) -> Result<Vec<String>, Fault> {
    fields! {
        struct Customer {
            id: Lenient<String>,
            email: Lenient<String>,
            phone: Lenient<String>,
        }
    }
    let Object(customer): Object<Customer> = part(Some(customer), "customer")?;
    // No id is below zero.
    let id = customer.id.fitting(|id| !id.starts_with('-'));
    let marks = [id, customer.email, customer.phone].into_iter().filter_map(Lenient::read);
    let marks = marks.filter(|text| !text.is_empty());
    let marks = marks.collect::<Vec<_>>();
    if marks.is_empty() { Err(unreadable("it names no customer")) } else { Ok(marks) }
}

/// The shop that the body itself names: `shop_domain` in requests about personal data.
pub(super) fn shop(verified: &Verified) -> Option<String> {
    fields! {
        struct Named {
            shop_domain: Lenient<String>,
        }
    }
    verified.json::<Object<Named>>().ok()?.0.shop_domain.read()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::fault::ErrorClass;

    #[test]
    fn a_product_is_told_from_a_collection() {
        for (global_id, has_variants, expected) in [
            (Some("gid://shopify/Product/1"), false, true),
            (Some("gid://shopify/Collection/1"), true, false),
            (Some("gid://shopify/ProductVariant/1"), true, false),
            (Some(""), true, true),
            (Some("7"), false, false),
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
