//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use hooktide_model::signing;

/// How many ids a store's samples have: the last nine digits are the sample's number.
const IDS_OF_A_STORE: u64 = 1_000_000_000;

/// The id of a store's sample. Real stores all count from one; samples of two must not be taken for one entity.
fn id_of(sample: &Sample<'_>) -> u64 {
    let digest = signing::sha256(&[sample.account.as_bytes()]);
    let store = u64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 100_000);
    (100_000 + store) * IDS_OF_A_STORE + sample.number % IDS_OF_A_STORE
}

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let id = id_of(sample);
    let value = match topic {
        "product.created" | "product.updated" | "product.restored" | "product.published" => product(id, sample),
        super::DELETED | "coupon.deleted" | "customer.deleted" | "order.deleted" => json!({ "id": id }),
        "coupon.created" | "coupon.updated" | "coupon.restored" => json!({
            "id": id,
            "code": format!("spring-{}", sample.number),
            "amount": "10.00",
            "discount_type": "percent",
            "date_modified_gmt": gmt(sample),
            "usage_count": 0,
        }),
        "customer.created" | "customer.updated" => json!({
            "id": id,
            "date_modified_gmt": gmt(sample),
            "email": "john@example.com",
            "first_name": "John",
            "last_name": "Doe",
            "role": "customer",
            "username": "john.doe",
        }),
        "order.created" | "order.updated" | "order.restored" => json!({
            "id": id,
            "number": id.to_string(),
            "status": "processing",
            "currency": "EUR",
            "date_modified_gmt": gmt(sample),
            "total": "39.00",
            "line_items": [{ "id": 1, "name": "First flush", "product_id": 799, "quantity": 1, "total": "39.00" }],
        }),
        _ => return None,
    };
    serde_json::to_vec(&value).ok().map(Bytes::from)
}

/// The sample's time as a store writes it: in UTC, in whole seconds, and without saying so.
fn gmt(sample: &Sample<'_>) -> String {
    sample.updated_at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn product(id: u64, sample: &Sample<'_>) -> Value {
    let number = sample.number;
    json!({
        "id": id,
        "name": format!("First flush No. {number}"),
        "slug": format!("first-flush-{number}"),
        "permalink": format!("https://{}/product/first-flush-{number}/", sample.account),
        "date_created": "2026-01-05T11:00:00",
        "date_created_gmt": "2026-01-05T10:00:00",
        "date_modified": gmt(sample),
        "date_modified_gmt": gmt(sample),
        "type": "simple",
        "status": "publish",
        "description": "<p>Hand-rolled, from one garden.</p>",
        "sku": format!("TEA-{number}"),
        "price": "19.00",
        "regular_price": "19.00",
        "sale_price": "",
        "manage_stock": true,
        "stock_quantity": sample.updated_at.as_second().rem_euclid(50),
        "stock_status": "instock",
        "parent_id": 0,
        "categories": [{ "id": 9, "name": "Tea", "slug": "tea" }],
        "images": [{
            "id": id + 1,
            "src": format!("https://{}/wp-content/uploads/{number}.jpg", sample.account),
            "name": "First flush",
            "alt": "",
        }],
        "variations": [],
        "global_unique_id": format!("40{number:011}"),
    })
}
