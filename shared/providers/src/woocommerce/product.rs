//! Products as a store writes them, read into our terms: the same whether a webhook sends one or its API is asked.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::IgnoredAny;

use super::PRODUCTS;
use crate::json::unreadable;
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::store_images::{StoreImage, read_images};
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::{Product, Variant};

/// The fields of [`WooProduct`] that a product has, for a question that asks for no others.
pub(super) const FIELDS: &str =
    "id,name,type,status,date_modified_gmt,parent_id,sku,global_unique_id,price,stock_quantity,variations,images";

fields! {
    /// A product as a store writes it, whether it is sent or asked for.
    pub(super) struct WooProduct {
        pub(super) id: Lenient<u64>,
        pub(super) name: Lenient<String>,
        pub(super) sort: Lenient<String> = "type",
        pub(super) status: Lenient<String>,
        pub(super) date_modified_gmt: Lenient<String>,
        pub(super) parent_id: Lenient<u64>,
        pub(super) sku: Lenient<String>,
        pub(super) global_unique_id: Lenient<String>,
        pub(super) price: Lenient<String>,
        pub(super) stock_quantity: Lenient<i64>,
        pub(super) variations: Lenient<Vec<Lenient<u64>>>,
        pub(super) images: Lenient<Vec<Lenient<Object<StoreImage>>>>,
        // The text that the store's own API answers in place of a product.
        pub(super) code: Lenient<String>,
        pub(super) message: Lenient<IgnoredAny>,
        pub(super) data: Lenient<Object<ErrorData>>,
    }
}

fields! {
    /// What an error of the API says beside its code.
    pub(super) struct ErrorData {
        pub(super) status: Lenient<u64>,
    }
}

/// A product as it was read.
pub(super) struct Told {
    /// Its state.
    pub(super) entity: EntityNotice,
    /// Whether its variations are not in it: they have prices and stock of their own.
    pub(super) lacks_variations: bool,
}

impl WooProduct {
    /// Whether it has what only products have all of: orders, coupons, customers and older forms of the API lack some.
    pub(super) fn is_one(&self) -> bool {
        let Self { id, name, variations, status, date_modified_gmt, .. } = self;
        let named = name.is_there() || variations.is_there();
        id.is_there() && named && status.is_there() && date_modified_gmt.is_there()
    }

    /// Whether it is what the store's own API answers where it gives no product.
    pub(super) fn is_refusal(&self) -> bool {
        let Self { id, code, message, data, .. } = self;
        code.is_there() && message.is_there() && data.is_there() && !id.is_there()
    }

    /// Whether it is a part of another product, which has to be read with all of its parts.
    pub(super) fn is_variation(&self) -> bool {
        let sort = self.sort.as_ref().is_some_and(|sort| sort.ends_with("variation"));
        sort || self.parent_id.as_ref().is_some_and(|parent| *parent > 0)
    }

    /// The product to ask for where this does not say all of it: itself, or what it is a part of.
    pub(super) fn asks_for(&self) -> Option<u64> {
        let parent = self.parent_id.as_ref().copied().filter(|parent| *parent > 0 && self.is_variation());
        parent.or_else(|| self.id.as_ref().copied().filter(|id| *id > 0))
    }

    /// Whether a plugin of the store cut most of it away: what is left out of it would read as gone.
    pub(super) fn is_cut(&self) -> bool {
        !(self.sort.is_there() || self.variations.is_there() && self.images.is_there())
    }

    /// Reads the product into our terms. An error names what is needed and cannot be read.
    pub(super) fn read(self) -> Result<Told, Fault> {
        let id = self.id.as_ref().copied().filter(|id| *id > 0);
        let id = id.ok_or_else(|| unreadable("`id` is not a number above zero"))?.to_string();
        let modified = gmt(self.date_modified_gmt.as_ref().map(String::as_str).unwrap_or_default())?;
        // Whether it is in the bin is the status's to say.
        let status = self.status.clone().needed("status")?;
        let gone = status == "trash";
        let mut unread = Unread::default();
        let whole = self.whole(&id, status, modified, &mut unread);
        let state = match gone {
            true => State::Deleted,
            false => State::Present(Document::Product(Box::new(whole.product))),
        };
        let entity = EntityNotice {
            occurred_at: Some(modified),
            unread: if gone { Vec::new() } else { unread.into_paths() },
            source: Some(PRODUCTS),
            ..EntityNotice::new(Kind::Product, id, Version::from_time(modified), state)
        };
        Ok(Told { entity, lacks_variations: whole.lacks_variations && !gone })
    }
}

/// A time in UTC, which the store writes without saying so.
pub(super) fn gmt(text: &str) -> Result<Timestamp, Fault> {
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
    fn whole(self, id: &str, status: String, modified: Timestamp, unread: &mut Unread) -> Whole {
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
        let own = Article {
            sku: self.sku,
            global_unique_id: self.global_unique_id,
            price: self.price,
            stock_quantity: self.stock_quantity,
        };
        let own = own.variant(id.to_owned(), unread, "");
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

/// What a store writes of an article, a product or a variation alike.
pub(super) struct Article {
    /// The stock keeping unit.
    pub(super) sku: Lenient<String>,
    /// The barcode.
    pub(super) global_unique_id: Lenient<String>,
    /// The price.
    pub(super) price: Lenient<String>,
    /// The quantity, where it is counted.
    pub(super) stock_quantity: Lenient<i64>,
}

impl Article {
    /// The variant; fields that cannot be read are named below the path `within`.
    pub(super) fn variant(self, id: String, unread: &mut Unread, within: &str) -> Variant {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Variant {
            sku: given(self.sku.sent_or_note(unread, format_args!("{within}sku"))),
            barcode: given(self.global_unique_id.or_note(unread, format_args!("{within}global_unique_id"))),
            price: given(self.price.sent_or_note(unread, format_args!("{within}price"))),
            stock: self.stock_quantity.sent_or_note(unread, format_args!("{within}stock_quantity")),
            ..unknown(id)
        }
    }
}

/// A variant of which the product says no more than that there is one.
pub(super) fn unknown(id: String) -> Variant {
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
