//! What a store begins with, from its seed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::document::fields;
use super::shop::Shop;
use crate::simulator::drawn;

/// When the store was opened.
const OPENED: Timestamp = Timestamp::constant(1_767_607_200, 0);
/// How much later each product was made than the one before, in seconds.
const APART: i64 = 3_600;

const TEAS: &[&str] = &["First flush", "Second flush", "Oolong", "Sencha", "Gunpowder", "Lapsang", "Matcha", "Pu-erh"];
const PLACES: &[&str] = &["Himmelsgarten", "Upper Valley", "Long Bridge", "Three Rocks", "Cloud Hill"];

/// A store with a handful of products: simple ones, a variable one, a draft, and one in the bin.
pub(super) fn shop(home: String, seed: u64) -> Shop {
    let mut shop = Shop::new(home);
    let below = |purpose: &str, number: u64, most: u64| drawn::number(seed, &format!("{purpose} {number}"), most);
    let one_of = |texts: &[&'static str], purpose: &str, number: u64| {
        let at = usize::try_from(below(purpose, number, texts.len() as u64)).unwrap_or_default();
        texts.get(at).copied().unwrap_or_default()
    };
    let mut made = 0;
    let mut make = |shop: &mut Shop, parent: u64, given: Value| {
        made += 1;
        let at = Timestamp::from_second(OPENED.as_second() + APART * made).unwrap_or(OPENED);
        shop.make(parent, &fields(given), at).unwrap_or_default()
    };
    for number in 1..=6 {
        let name = format!("{} {}", one_of(TEAS, "tea", number), one_of(PLACES, "place", number));
        make(
            &mut shop,
            0,
            json!({
                "name": name,
                "sku": format!("TEA-{number:03}"),
                "regular_price": format!("{}.{}0", 4 + below("euros", number, 40), below("cents", number, 10)),
                "manage_stock": true,
                "stock_quantity": below("stock", number, 60),
                "description": "<p>Hand rolled.</p>\n\nFrom one garden",
                "global_unique_id": format!("40{:011}", below("barcode", number, 100_000_000)),
                "categories": [{ "id": 16 + below("category", number, 2) }],
                "images": [{ "src": format!("https://cdn.example/tea-{number}.jpg"), "name": "tea", "alt": "" }],
                "status": if number == 6 { "draft" } else { "publish" },
            }),
        );
    }
    let options = ["50 g", "100 g", "250 g"];
    let variable = make(
        &mut shop,
        0,
        json!({
            "name": "Assam, in sizes",
            "type": "variable",
            "attributes": [{ "name": "Size", "visible": true, "variation": true, "options": options }],
        }),
    );
    for (at, option) in (0..).zip(options) {
        make(
            &mut shop,
            variable,
            json!({
                "sku": format!("ASSAM-{}", at + 1),
                "regular_price": format!("{}.50", 5 + below("size", at, 4) + 6 * at),
                "manage_stock": true,
                "stock_quantity": below("sizes", at, 30),
                "attributes": [{ "name": "Size", "option": option }],
            }),
        );
    }
    let binned = make(&mut shop, 0, json!({ "name": "Old stock", "sku": "OLD-1", "regular_price": "5" }));
    shop.bin(binned, OPENED);
    shop.happened.clear();
    shop
}
