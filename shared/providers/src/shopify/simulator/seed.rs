//! The shop as it is in the beginning.

use jiff::{SignedDuration, Timestamp};

use super::shop::{Product, Shop, Variant};
use crate::simulator::drawn;

/// A product: its title, its status, and the title and price of each variant.
type Good = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// When the shop was set up: 1 November 2026, in seconds.
const BEGINNING: i64 = 1_793_491_200;
/// The goods, and the prices of their sorts.
const GOODS: &[Good] = &[
    ("Hollow mug", "ACTIVE", &[("Moss", "29.50"), ("Slate", "28.00")]),
    ("First flush Darjeeling", "ACTIVE", &[("50 g", "12.50"), ("100 g", "23.00"), ("250 g", "52.00")]),
    ("Tea strainer", "ACTIVE", &[("Default Title", "7.20")]),
    ("Cast iron pot", "DRAFT", &[("0.8 l", "64.00"), ("1.2 l", "79.00")]),
    ("Winter blend", "ARCHIVED", &[("Default Title", "9.90")]),
    ("Gift card", "ACTIVE", &[("Default Title", "25.00")]),
];

/// A shop with three locations, of which nothing is stocked at the last.
pub(super) fn shop(seed: u64) -> Shop {
    let mut shop = Shop::default();
    shop.locations = (0..3).map(|_| shop.fresh_id()).collect();
    let mut now = Timestamp::from_second(BEGINNING).unwrap_or_default();
    for (number, (title, status, sorts)) in GOODS.iter().enumerate() {
        now = now.checked_add(SignedDuration::from_mins(11)).unwrap_or(now);
        let (id, image) = (shop.fresh_id(), shop.fresh_id());
        let mut variants = Vec::new();
        for (at, (sort, price)) in sorts.iter().enumerate() {
            let (id, item) = (shop.fresh_id(), shop.fresh_id());
            variants.push(Variant {
                id,
                item,
                title: (*sort).to_owned(),
                sku: Some(format!("SHOP-{}-{}", number + 1, at + 1)),
                barcode: Some(format!("59{:011}", drawn::number(seed, &format!("barcode {id}"), 100_000_000_000))),
                price: (*price).to_owned(),
                quantity: 0,
            });
        }
        let items: Vec<u64> = variants.iter().map(|variant| variant.item).collect();
        let file = title.to_lowercase().replace(' ', "-");
        shop.write(
            Product {
                id,
                title: (*title).to_owned(),
                status: (*status).to_owned(),
                vendor: "Hush & Hollow".to_owned(),
                description: format!("<p>{title}, from one hand.</p>"),
                variants,
                images: vec![(image, format!("https://cdn.shopify.com/s/files/1/0612/0337/7000/files/{file}.jpg?v=1"))],
                ..Product::default()
            },
            now,
        );
        // What is no goods is not counted.
        let counted = *title != "Gift card";
        let stocked = shop.locations.iter().take(2).copied().collect::<Vec<_>>();
        for item in items {
            if !counted {
                shop.untracked.push(item);
            }
            for location in stocked.iter().take(if counted { 2 } else { 1 }) {
                let available = drawn::number(seed, &format!("{item} {location}"), 40);
                shop.count((item, *location), (i64::try_from(available).unwrap_or_default(), true), now);
            }
        }
    }
    shop
}
