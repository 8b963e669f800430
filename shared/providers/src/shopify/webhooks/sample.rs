//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use hooktide_model::signing;

/// How many ids a shop's samples have: the last nine digits are the sample's number.
const IDS_OF_A_SHOP: u64 = 1_000_000_000;

/// The id of a shop's sample. As at Shopify, no two shops have the same: the shop's name is in the digits before.
fn id_of(sample: &Sample<'_>) -> u64 {
    let digest = signing::sha256(&[sample.account.as_bytes()]);
    let shop = u64::from(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 100_000);
    (700_000 + shop) * IDS_OF_A_SHOP + sample.number % IDS_OF_A_SHOP
}

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let id = id_of(sample);
    let value = match topic {
        "products/create" | "products/update" => product(id, sample),
        "products/delete" => json!({ "id": id }),
        "inventory_levels/update" => json!({
            "inventory_item_id": id + 200_000_000_000,
            "location_id": 655_441_491,
            "available": sample.updated_at.as_second().rem_euclid(100),
            "updated_at": sample.updated_at.to_string(),
            "admin_graphql_api_id": format!("gid://shopify/InventoryLevel/655441491?inventory_item_id={}", id + 200_000_000_000),
        }),
        "customers/data_request" => json!({
            "shop_id": 954_889,
            "shop_domain": sample.account,
            "orders_requested": [],
            "customer": customer(id),
            "data_request": { "id": id },
        }),
        "customers/redact" => json!({
            "shop_id": 954_889,
            "shop_domain": sample.account,
            "customer": customer(id),
            "orders_to_redact": [],
        }),
        "shop/redact" => json!({ "shop_id": 954_889, "shop_domain": sample.account }),
        "app/uninstalled" => json!({ "id": 954_889, "name": "Sample shop", "myshopify_domain": sample.account }),
        "collections/update" => json!({
            "id": id,
            "handle": format!("spring-{}", sample.number),
            "title": format!("Spring No. {}", sample.number),
            "updated_at": sample.updated_at.to_string(),
            "body_html": "<p>Picked in March.</p>",
            "published_at": "2026-01-05T10:00:00Z",
            "sort_order": "manual",
            "template_suffix": null,
            "published_scope": "web",
            "admin_graphql_api_id": format!("gid://shopify/Collection/{id}"),
        }),
        "bulk_operations/finish" => json!({
            "admin_graphql_api_id": format!("gid://shopify/BulkOperation/{id}"),
            "completed_at": sample.updated_at.to_string(),
            "created_at": "2026-01-05T10:00:00Z",
            "error_code": null,
            "status": "completed",
            "type": "query",
        }),
        "orders/create" => json!({
            "id": id,
            "admin_graphql_api_id": format!("gid://shopify/Order/{id}"),
            "created_at": "2026-01-05T10:00:00Z",
            "currency": "CAD",
            "email": "john@example.com",
            "financial_status": "paid",
            "name": format!("#{}", sample.number),
            "total_price": "59.00",
            "updated_at": sample.updated_at.to_string(),
            "line_items": [],
        }),
        _ => return None,
    };
    serde_json::to_vec(&value).ok().map(Bytes::from)
}

fn customer(id: u64) -> Value {
    json!({ "id": id, "email": "john@example.com", "phone": "555-625-1199" })
}

fn product(id: u64, sample: &Sample<'_>) -> Value {
    let number = sample.number;
    let updated_at = sample.updated_at.to_string();
    let variant = |index: u64, title: &str| {
        json!({
            "id": id * 10 + index,
            "product_id": id,
            "title": title,
            "price": format!("{}.00", 19 + index),
            "sku": format!("TEA-{number}-{index}"),
            "barcode": format!("40{number:010}{index}"),
            "inventory_item_id": id * 10 + index + 200_000_000_000,
            // Another one at every time: what differs only in the time is no change.
            "inventory_quantity": sample.updated_at.as_millisecond().rem_euclid(9_973) + i64::try_from(index).unwrap_or(0),
            "updated_at": updated_at,
        })
    };
    json!({
        "admin_graphql_api_id": format!("gid://shopify/Product/{id}"),
        "body_html": "<p>Hand-rolled, from one garden.</p>",
        "created_at": "2026-01-05T10:00:00Z",
        "handle": format!("first-flush-{number}"),
        "id": id,
        "product_type": "Tea",
        "published_at": "2026-01-05T10:00:00Z",
        "status": "active",
        "tags": "tea, spring",
        "title": format!("First flush No. {number}"),
        "updated_at": updated_at,
        "vendor": "Sample Tea House",
        "variants": [variant(1, "50 g"), variant(2, "100 g")],
        "images": [{
            "id": id * 10 + 5,
            "product_id": id,
            "position": 1,
            "src": format!("https://cdn.example.com/products/{number}.jpg"),
            "updated_at": updated_at,
        }],
        "options": [{ "id": id * 10 + 7, "name": "Weight", "position": 1, "values": ["50 g", "100 g"] }],
    })
}
