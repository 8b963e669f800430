//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let data = match topic {
        "product.created" | "product.updated" => product(sample),
        "product.deleted" => json!({ "id": product_id(sample), "updated_at": sample.updated_at.to_string() }),
        "stock.updated" => json!({
            "variant": variant_id(sample, 1),
            "location": "warehouse",
            "quantity": count(sample, 1).to_string(),
            "updated_at": sample.updated_at.to_string(),
        }),
        "payment.created" | "transaction.created" => transaction(sample, "PENDING"),
        "payment.updated" | "transaction.updated" => transaction(sample, "COMPLETED"),
        "account.created" => account(sample, "PENDING"),
        "account.updated" => account(sample, "ENABLED"),
        _ => return None,
    };
    let event = json!({
        "type": topic,
        "timestamp": sample.updated_at.to_string(),
        "account": sample.account,
        "data": data,
    });
    serde_json::to_vec(&event).ok().map(Bytes::from)
}

fn product_id(sample: &Sample<'_>) -> String {
    format!("prod_{}", sample.number)
}

fn variant_id(sample: &Sample<'_>, index: i64) -> String {
    format!("var_{}_{index}", sample.number)
}

fn count(sample: &Sample<'_>, index: i64) -> i64 {
    sample.updated_at.as_second().rem_euclid(50) + index
}

fn product(sample: &Sample<'_>) -> Value {
    let number = sample.number;
    let variant = |index: i64| {
        json!({
            "id": variant_id(sample, index),
            "sku": format!("TEA-{number}-{index}"),
            "barcode": format!("40{number:010}{index}"),
            "price": format!("{}.00", 19 + index),
            "currency": "EUR",
            "stock": count(sample, index),
        })
    };
    json!({
        "id": product_id(sample),
        "title": format!("First flush No. {number}"),
        "status": "active",
        "updated_at": sample.updated_at.to_string(),
        "variants": [variant(1), variant(2)],
        "images": [{ "id": format!("img_{number}"), "url": format!("https://cdn.example.com/products/{number}.jpg") }],
    })
}

fn transaction(sample: &Sample<'_>, status: &str) -> Value {
    json!({
        "id": format!("txn_{}", sample.number),
        "kind": "PAYMENT",
        "status": status,
        "amount": 1_000 + i64::try_from(sample.number % 9_000).unwrap_or(0),
        "currency": "EUR",
        "payment_type": "CARD",
        "reference": format!("order-{}", sample.number),
        "account": "acct_1",
        "updated_at": sample.updated_at.to_string(),
    })
}

fn account(sample: &Sample<'_>, status: &str) -> Value {
    json!({
        "id": format!("acct_{}", sample.number),
        "status": status,
        "reference": format!("merchant-{}", sample.number),
        "updated_at": sample.updated_at.to_string(),
    })
}
