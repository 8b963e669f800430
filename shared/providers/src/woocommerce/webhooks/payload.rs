//! A store's bodies, read into our terms.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::IgnoredAny;

use crate::json::unreadable;
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::store_images::{StoreImage, read_images};
use crate::verified::Verified;
use crate::woocommerce::{PRODUCTS, RESTORED};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version, What};
use hooktide_model::product::{Product, Variant};

fields! {
    struct WooProduct {
        id: Lenient<u64> = "id",
        name: Lenient<String> = "name",
        sort: Lenient<String> = "type",
        status: Lenient<String> = "status",
        date_modified_gmt: Lenient<String> = "date_modified_gmt",
        parent_id: Lenient<u64> = "parent_id",
        sku: Lenient<String> = "sku",
        global_unique_id: Lenient<String> = "global_unique_id",
        price: Lenient<String> = "price",
        stock_quantity: Lenient<i64> = "stock_quantity",
        variations: Lenient<Vec<Lenient<u64>>> = "variations",
        images: Lenient<Vec<Lenient<Object<StoreImage>>>> = "images",
        // The text that the store's own API answers in place of a product.
        code: Lenient<String> = "code",
        message: Lenient<IgnoredAny> = "message",
        data: Lenient<Object<ErrorData>> = "data",
    }
}

fields! {
    struct ErrorData {
        status: Lenient<u64> = "status",
    }
}

/// The topic is not signed, so it must agree with the shape of the body, which is.
fn misfit() -> Vec<What> {
    vec![What::ignored("topic does not fit body")]
}

impl WooProduct {
    /// Whether it has what only products have all of: orders, coupons, customers and older forms of the API lack some.
    fn is_one(&self) -> bool {
        let Self { id, name, variations, status, date_modified_gmt, .. } = self;
        let named = name.is_there() || variations.is_there();
        id.is_there() && named && status.is_there() && date_modified_gmt.is_there()
    }

    /// Whether it is what the store's own API answers where it gives no product.
    fn is_refusal(&self) -> bool {
        let Self { id, code, message, data, .. } = self;
        code.is_there() && message.is_there() && data.is_there() && !id.is_there()
    }

    /// Whether it is a part of another product, which has to be read with all of its parts.
    fn is_variation(&self) -> bool {
        let sort = self.sort.as_ref().is_some_and(|sort| sort.ends_with("variation"));
        sort || self.parent_id.as_ref().is_some_and(|parent| *parent > 0)
    }

    /// Whether a plugin of the store cut most of it away: what is left out of it would read as gone.
    fn is_cut(&self) -> bool {
        !(self.sort.is_there() || self.variations.is_there() && self.images.is_there())
    }
}

/// The answer of the store's own API in place of the product, for whoever runs the store; the product itself is asked for.
fn refusal(refused: WooProduct) -> Vec<What> {
    let code = refused.code.read().unwrap_or_default();
    let status = refused.data.read().and_then(|Object(data)| data.status.read());
    let reason = match (code.as_str(), status) {
        ("rest_no_route", _) => {
            "the store sent an error in place of the product: it has not the version of the API that the webhook asks for; set the \
             webhook's API version to the newest that the store offers"
        }
        (_, Some(401 | 403)) => {
            "the store sent a refusal in place of the product: the user whom the webhook belongs to may not read products; \
             save the webhook as an administrator or a shop manager"
        }
        (_, Some(404)) => {
            "the store sent an error in place of the product: it was gone when the store looked; nothing is to be done"
        }
        _ => {
            "the store sent an error in place of the product; if it comes again, save the webhook anew as an administrator, \
             and look for a plugin that changes what webhooks send"
        }
    };
    vec![What::hint(PRODUCTS), What::ignored(reason)]
}

/// The product of a topic that sends it whole.
pub(super) fn product(verified: &Verified, topic: &str) -> Result<Vec<What>, Fault> {
    let Object(product) = verified.json::<Object<WooProduct>>()?;
    if product.is_refusal() {
        return Ok(refusal(product));
    }
    if !product.is_one() {
        return Ok(misfit());
    }
    // A draft that was never saved has no date.
    let undated = matches!(product.date_modified_gmt, Lenient::Null);
    if undated || product.is_variation() || product.is_cut() {
        return Ok(vec![What::hint(PRODUCTS)]);
    }
    let id = product.id.as_ref().copied().filter(|id| *id > 0);
    let id = id.ok_or_else(|| unreadable("`id` is not a number above zero"))?.to_string();
    let modified = gmt(product.date_modified_gmt.as_ref().map(String::as_str).unwrap_or_default())?;
    // Whether it is in the bin is the status's to say.
    let status = product.status.clone().needed("status")?;
    let gone = status == "trash";
    let mut unread = Unread::default();
    let told = product.told(&id, status, modified, &mut unread);
    let lacks_variations = told.lacks_variations && !gone;
    let entity = EntityNotice {
        occurred_at: Some(modified),
        restored: topic == RESTORED && !gone,
        unread: if gone { Vec::new() } else { unread.into_paths() },
        source: Some(PRODUCTS),
        ..EntityNotice::new(
            Kind::Product,
            id,
            Version::from_time(modified),
            match gone {
                true => State::Deleted,
                false => State::Present(Document::Product(Box::new(told.product))),
            },
        )
    };
    let hint = lacks_variations.then(|| What::hint(PRODUCTS));
    Ok([What::Entity(entity)].into_iter().chain(hint).collect())
}

/// `product.deleted`: the id, and nothing else. It says no time, so when it came has to do, and the product is asked for.
pub(super) fn deleted_product(verified: &Verified) -> Result<Vec<What>, Fault> {
    let keys: BTreeMap<String, Lenient<u64>> = verified.json()?;
    let mut keys = keys.into_iter();
    let (Some((key, id)), None) = (keys.next(), keys.next()) else { return Ok(misfit()) };
    if key != "id" {
        return Ok(misfit());
    }
    let id = id.read().filter(|id| *id > 0).ok_or_else(|| unreadable("`id` is not a number above zero"))?;
    let entity = EntityNotice {
        dated: Dated::ByReceipt,
        source: Some(PRODUCTS),
        ..EntityNotice::new(Kind::Product, id.to_string(), Version::from_time(verified.received_at()), State::Deleted)
    };
    Ok(vec![What::Entity(entity), What::hint(PRODUCTS)])
}

/// A time in UTC, which the store writes without saying so.
fn gmt(text: &str) -> Result<Timestamp, Fault> {
    let bare = |text: &str| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| bare(text)).ok_or_else(|| unreadable("`date_modified_gmt` is not a time"))
}

/// A product in our terms.
struct Whole {
    product: Product,
    /// Whether its variations are not in it: they have prices and stock of their own.
    lacks_variations: bool,
}

impl WooProduct {
    fn told(self, id: &str, status: String, modified: Timestamp, unread: &mut Unread) -> Whole {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let sort = self.sort.value_or_note(unread, "type").unwrap_or_default();
        let mut variations = Vec::new();
        // A simple product has no variations to miss.
        let unknown_which = sort != "simple" && self.variations.as_ref().is_none();
        let items = self.variations.items_or_note(unread, "variations");
        let is_made_of_parts = !items.is_empty() || sort == "grouped" || sort.starts_with("variable");
        let lacks_variations = unknown_which || !items.is_empty();
        for (at, variation) in items.into_iter().enumerate() {
            let variation = variation.value_or_note(unread, format_args!("variations[{at}]"));
            variations.extend(variation.map(|id| unknown(id.to_string())));
        }
        let own = Variant {
            sku: given(self.sku.sent_or_note(unread, "sku")),
            barcode: given(self.global_unique_id.or_note(unread, "global_unique_id")),
            price: given(self.price.sent_or_note(unread, "price")),
            stock: self.stock_quantity.sent_or_note(unread, "stock_quantity"),
            ..unknown(id.to_owned())
        };
        let product = Product {
            id: id.to_owned(),
            title: self.name.value_or_note(unread, "name"),
            status: Some(status),
            updated_at: modified.to_string(),
            variants: if is_made_of_parts { variations } else { vec![own] },
            images: read_images(self.images, unread),
        };
        Whole { product, lacks_variations }
    }
}

/// A variant of which the product says no more than that there is one.
fn unknown(id: String) -> Variant {
    Variant { id, sku: None, barcode: None, price: None, currency: None, stock: None }
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
