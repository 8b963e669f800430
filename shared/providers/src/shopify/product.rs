//! Products, as webhooks and the API write them alike.

use jiff::Timestamp;

use crate::lenient::{Lenient, Object, Unread, fields};
use crate::shopify::{PRODUCTS, STOCK};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::{Image, Product, Variant};

fields! {
    /// A variant of a product.
    pub(super) struct ShopifyVariant {
        id: Lenient<u64>,
        sku: Lenient<String>,
        barcode: Lenient<String>,
        price: Lenient<String>,
        inventory_quantity: Lenient<i64>,
    }
}

/// What a product has besides its id and its time.
#[derive(Default)]
pub(super) struct Content {
    /// The name.
    pub(super) title: Option<String>,
    /// The status, in lower case.
    pub(super) status: Option<String>,
    /// The variants.
    pub(super) variants: Vec<Variant>,
    /// The images.
    pub(super) images: Vec<Image>,
    /// The fields that could not be read.
    pub(super) unread: Unread,
}

impl Content {
    /// The notice of a product.
    pub(super) fn entity(self, id: u64, updated_at: Timestamp) -> EntityNotice {
        let Self { title, status, variants, images, unread } = self;
        let (id, at) = (id.to_string(), updated_at.to_string());
        let product = Product { id: id.clone(), title, status, updated_at: at, variants, images };
        EntityNotice {
            // No `inventory_levels/update` tells of the levels that a new product has.
            brings: Some(STOCK),
            occurred_at: Some(updated_at),
            unread: unread.into_paths(),
            source: Some(PRODUCTS),
            ..EntityNotice::new(
                Kind::Product,
                id,
                Version::from_time(updated_at),
                State::Present(Document::Product(Box::new(product))),
            )
        }
    }
}

/// The deletion of a product. Shopify never reuses ids, so nothing comes after it.
pub(super) fn deleted(id: u64, at: Option<Timestamp>) -> EntityNotice {
    EntityNotice {
        occurred_at: at,
        source: Some(PRODUCTS),
        ..EntityNotice::new(Kind::Product, id.to_string(), Version::FINAL, State::Deleted)
    }
}

/// The variants of a product, one by one.
pub(super) fn variants(variants: Lenient<Vec<Lenient<Object<ShopifyVariant>>>>, unread: &mut Unread) -> Vec<Variant> {
    let mut read = Vec::new();
    for (at, variant) in variants.items_or_note(unread, "variants").into_iter().enumerate() {
        let Some(Object(variant)) = variant.value_or_note(unread, format_args!("variants[{at}]")) else { continue };
        let Some(id) = variant.id.read() else {
            unread.note(format_args!("variants[{at}].id"));
            continue;
        };
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        read.push(Variant {
            id: id.to_string(),
            sku: given(variant.sku.sent_or_note(unread, format_args!("variants[{at}].sku"))),
            barcode: given(variant.barcode.sent_or_note(unread, format_args!("variants[{at}].barcode"))),
            price: variant.price.sent_or_note(unread, format_args!("variants[{at}].price")),
            currency: None,
            stock: variant.inventory_quantity.sent_or_note(unread, format_args!("variants[{at}].inventory_quantity")),
        });
    }
    read
}
