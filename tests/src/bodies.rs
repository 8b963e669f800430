//! Bodies of exact sizes and odd forms.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How many ids a shop's samples have.
const IDS_OF_A_SHOP: u64 = 1_000_000_000;
/// The shop that bodies of this file are of.
const FIRST_ID: u64 = 7_880 * IDS_OF_A_SHOP;

/// The number of the sample that a change is about.
pub fn number_of(change: &Value) -> Option<u64> {
    let id = change["entity"].as_str()?.rsplit('/').next()?;
    id.parse::<u64>().ok().map(|id| id % IDS_OF_A_SHOP)
}

/// Text that does not compress below three quarters of its length; the same for the same seed.
pub fn noise(seed: u64, length: usize) -> String {
    // SplitMix64: fast without optimisation, and random enough to have no pattern.
    let word = |nth: u64| {
        let mut word = seed.wrapping_add(nth).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    let words = (length as u64 / 10) + 1;
    let bytes: Vec<u8> = (0..words).flat_map(|nth| word(nth + (seed << 32)).to_be_bytes()).collect();
    let mut text = BASE64URL_NOPAD.encode(&bytes);
    text.truncate(length);
    text
}

/// A product with this title.
pub fn product(number: u64, updated_at: Timestamp, title: &str) -> Value {
    let id = FIRST_ID + number;
    json!({ "id": id, "title": title, "updated_at": updated_at.to_string(), "status": "active", "variants": [] })
}

/// The text of a product, of exactly so many bytes, whose title does not compress.
pub fn product_of_size(number: u64, updated_at: Timestamp, size: usize) -> String {
    let frame = product(number, updated_at, "").to_string().len();
    let title = noise(number, size.checked_sub(frame).expect("more than the frame"));
    product(number, updated_at, &title).to_string()
}

/// The same product with a title so long that its document has no room in its entity.
pub fn enlarged(product: &[u8], seed: u64) -> Bytes {
    let mut product: Value = serde_json::from_slice(product).expect("a product");
    product["title"] = noise(seed, 1500).into();
    product.to_string().into()
}

/// Arrays in arrays.
pub fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}
