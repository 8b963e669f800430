//! Objects of the catalog: items with their variations, and images.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::lenient::{Lenient, Minor, Object, Unread, fields};
use crate::protocols::amounts;
use crate::square::CATALOG;
use crate::square::stock::is_id;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Document, EntityNotice, State, Version};
use hooktide_model::product::{Image, Product, Variant};

fields! {
    /// An object of the catalog.
    pub(super) struct CatalogObject {
        pub(super) sort: Lenient<String> = "type",
        pub(super) id: Lenient<String>,
        version: Lenient<i64>,
        updated_at: Lenient<Timestamp>,
        is_deleted: Lenient<bool>,
        item_data: Lenient<Object<ItemData>>,
        item_variation_data: Lenient<Object<VariationData>>,
        image_data: Lenient<Object<ImageData>>,
    }
}

fields! {
    struct ItemData {
        name: Lenient<String>,
        is_archived: Lenient<bool>,
        image_ids: Lenient<Vec<Lenient<String>>>,
        variations: Lenient<Vec<Lenient<Object<CatalogObject>>>>,
    }
}

fields! {
    struct VariationData {
        item_id: Lenient<String>,
        sku: Lenient<String>,
        upc: Lenient<String>,
        price_money: Lenient<Object<Money>>,
    }
}

fields! {
    struct Money {
        amount: Lenient<Minor>,
        currency: Lenient<String>,
    }
}

fields! {
    struct ImageData {
        url: Lenient<String>,
    }
}

/// The sort of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Item,
    Variation,
    Image,
    Other,
}

/// The addresses of images, by their ids.
pub(super) type Images = HashMap<String, String>;

impl CatalogObject {
    /// The sort of it.
    pub(super) fn sort(&self) -> Sort {
        match self.sort.as_ref().map(String::as_str) {
            Some("ITEM") => Sort::Item,
            Some("ITEM_VARIATION") => Sort::Variation,
            Some("IMAGE") => Sort::Image,
            Some(_) | None => Sort::Other,
        }
    }

    /// Its id, if that can be one.
    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_ref().map(String::as_str).filter(|id| is_id(id))
    }

    /// The item that a variation belongs to.
    pub(super) fn item(&self) -> Option<&str> {
        let Object(data) = self.item_variation_data.as_ref()?;
        data.item_id.as_ref().map(String::as_str).filter(|id| is_id(id))
    }

    /// The images that an item names.
    pub(super) fn images(&self) -> impl Iterator<Item = &str> {
        let ids = self.item_data.as_ref().and_then(|Object(data)| data.image_ids.as_ref());
        ids.into_iter().flatten().filter_map(|id| id.as_ref().map(String::as_str))
    }

    /// The id and the address of an image.
    pub(super) fn image(self) -> Option<(String, String)> {
        Some((self.id.read()?, self.image_data.read()?.0.url.read()?))
    }

    fn is_deleted(&self) -> bool {
        self.is_deleted.as_ref().copied().unwrap_or_default()
    }

    /// An item, with the images that it names; the error says why it cannot be read.
    pub(super) fn item_told(self, images: &Images) -> Result<EntityNotice, &'static str> {
        let id = self.id().ok_or("it has no id")?.to_owned();
        let version = self.version.as_ref().copied().ok_or("it has no version")?;
        let updated_at = self.updated_at.as_ref().copied();
        let gone = self.is_deleted();
        let mut unread = Unread::default();
        let state = if gone {
            State::Deleted
        } else {
            let updated_at = updated_at.ok_or("it has no `updated_at`")?;
            let Object(data) = self.item_data.read().ok_or("it has no `item_data`")?;
            State::Present(Document::Product(Box::new(data.told(&id, updated_at, images, &mut unread))))
        };
        Ok(EntityNotice {
            occurred_at: updated_at,
            unread: unread.into_paths(),
            source: Some(CATALOG),
            ..EntityNotice::new(Kind::Product, id, Version(version), state)
        })
    }
}

impl ItemData {
    fn told(self, id: &str, updated_at: Timestamp, images: &Images, unread: &mut Unread) -> Product {
        let archived = self.is_archived.or_note(unread, "item_data.is_archived").unwrap_or_default();
        let mut variants = Vec::new();
        let variations = self.variations.or_note(unread, "item_data.variations").unwrap_or_default();
        for (at, variation) in variations.into_iter().enumerate() {
            let path = format!("item_data.variations[{at}]");
            let variation = variation.value_or_note(unread, &path).map(|Object(variation)| variation);
            let Some(variation) = variation.filter(|variation| !variation.is_deleted()) else { continue };
            variants.extend(variation.variant(unread, &path));
        }
        let mut shown = Vec::new();
        let ids = self.image_ids.or_note(unread, "item_data.image_ids").unwrap_or_default();
        for (at, image) in ids.into_iter().enumerate() {
            let path = format!("item_data.image_ids[{at}]");
            let Some(id) = image.value_or_note(unread, &path) else { continue };
            match images.get(&id) {
                Some(url) => shown.push(Image { url: url.clone(), id }),
                None => unread.note(path),
            }
        }
        Product {
            id: id.to_owned(),
            title: self.name.value_or_note(unread, "item_data.name"),
            status: Some(if archived { "archived" } else { "active" }.to_owned()),
            updated_at: updated_at.to_string(),
            variants,
            images: shown,
        }
    }
}

impl CatalogObject {
    /// A variation, at `path` in its item.
    fn variant(self, unread: &mut Unread, path: &str) -> Option<Variant> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let id = self.id.fitting(|id| is_id(id)).value_or_note(unread, format_args!("{path}.id"))?;
        let path = format!("{path}.item_variation_data");
        let Object(data) = self.item_variation_data.value_or_note(unread, &path).unwrap_or(Object(Default::default()));
        let money = data.price_money.or_note(unread, format_args!("{path}.price_money"));
        let (mut price, mut currency) = (None, None);
        if let Some(Object(money)) = money {
            currency = money.currency.value_or_note(unread, format_args!("{path}.price_money.currency"));
            let amount = money.amount.value_or_note(unread, format_args!("{path}.price_money.amount"));
            price = amount.zip(currency.as_ref()).map(|(Minor(amount), currency)| amounts::decimal(amount, currency));
        }
        Some(Variant {
            id,
            sku: given(data.sku.or_note(unread, format_args!("{path}.sku"))),
            barcode: given(data.upc.or_note(unread, format_args!("{path}.upc"))),
            price,
            currency,
            stock: None,
        })
    }
}
