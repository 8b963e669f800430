//! The shop that an account begins with.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::catalog::{Catalog, text, variations};
use super::stock::Stock;
use crate::simulator::drawn;

/// When the shop was set up: 1 November 2026, in seconds.
const BEGINNING: i64 = 1_793_491_200;
/// The goods, and their prices in cents.
const GOODS: &[(&str, &[(&str, i64)])] = &[
    ("First flush Darjeeling", &[("50 g", 1250), ("100 g", 2300)]),
    ("Sencha", &[("Regular", 990)]),
    ("Smoky Lapsang", &[("50 g", 850), ("100 g", 1550), ("250 g", 3400)]),
    ("Chamomile", &[("Regular", 650)]),
    ("Stoneware cup", &[("White", 1800), ("Grey", 1800)]),
    ("Tea strainer", &[("Regular", 720)]),
    ("Gift card design", &[("Regular", 0)]),
];

/// The catalog and the stock of a new account.
pub(super) fn shop(seed: u64) -> (Catalog, Stock) {
    let mut catalog = Catalog::new(seed);
    let mut stock = Stock::new(drawn::id(seed, "location", 13));
    let mut now = Timestamp::from_second(BEGINNING).unwrap_or_default();
    for (number, (name, sorts)) in GOODS.iter().enumerate() {
        now = now.checked_add(SignedDuration::from_mins(7)).unwrap_or(now);
        let image = catalog.fresh_id();
        let url = format!("https://items-images-production.s3.us-west-2.amazonaws.com/files/{image}/original.jpeg");
        catalog.put(json!({ "type": "IMAGE", "id": image, "image_data": { "name": name, "url": url } }), now);
        let mut item = json!({
            "type": "ITEM",
            "id": catalog.fresh_id(),
            "present_at_all_locations": true,
            "item_data": {
                "name": name,
                "product_type": "REGULAR",
                "image_ids": [image],
                "variations": sorts.iter().map(|sort| variation(seed, number, sort)).collect::<Vec<_>>(),
            },
        });
        catalog.name_variations(&mut item);
        for sort in variations(&item).filter(|sort| sort["item_variation_data"]["track_inventory"] == true) {
            let place = (text(&sort["id"]), stock.location.clone(), "IN_STOCK".to_owned());
            let quantity = drawn::number(seed, &place.0, 40).to_string();
            stock.count(place, quantity, now);
        }
        catalog.put(item, now);
    }
    (catalog, stock)
}

fn variation(seed: u64, number: usize, (name, amount): &(&str, i64)) -> Value {
    let sku = format!("TEA-{}-{}", number + 1, name.split(' ').next().unwrap_or_default().to_uppercase());
    // A gift card is not counted.
    let counted = *amount > 0;
    json!({
        "item_variation_data": {
            "name": name,
            "sku": sku,
            "upc": format!("40{:011}", drawn::number(seed, &sku, 100_000_000_000)),
            "pricing_type": "FIXED_PRICING",
            "price_money": { "amount": amount, "currency": "USD" },
            "track_inventory": counted,
        },
    })
}
