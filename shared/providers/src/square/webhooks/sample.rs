//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use hooktide_model::signing;

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let number = sample.number;
    let updated_at = sample.updated_at.to_string();
    let data = match topic {
        "catalog.version.updated" => json!({
            "type": "catalog_version",
            "id": "",
            "object": { "catalog_version": { "updated_at": updated_at } },
        }),
        "inventory.count.updated" => json!({
            "type": "inventory_counts",
            "id": uuid(&[b"data", topic.as_bytes(), &number.to_be_bytes(), updated_at.as_bytes()]),
            "object": { "inventory_counts": [count(sample)] },
        }),
        "webhooks.test_notification" => json!({
            "type": "webhooks",
            "id": uuid(&[b"data", topic.as_bytes(), &number.to_be_bytes()]),
        }),
        "transfer_order.created" | "transfer_order.updated" | "transfer_order.deleted" => json!({
            "type": "transfer_order",
            "id": format!("SAMPLETRANSFER{number:010}"),
        }),
        "catalog.object.created" | "catalog.object.updated" | "catalog.object.deleted" => json!({
            "type": "catalog_object",
            "id": format!("SAMPLEITEM{number:014}"),
        }),
        "item.created" | "item.updated" | "item.deleted" => json!({
            "type": "item",
            "id": format!("SAMPLEITEM{number:014}"),
        }),
        _ => return None,
    };
    let event = json!({
        "merchant_id": sample.account,
        "type": topic,
        // The same sample is the same event.
        "event_id": uuid(&[topic.as_bytes(), sample.account.as_bytes(), &number.to_be_bytes(), updated_at.as_bytes()]),
        "created_at": updated_at,
        "data": data,
    });
    serde_json::to_vec(&event).ok().map(Bytes::from)
}

fn count(sample: &Sample<'_>) -> Value {
    json!({
        "calculated_at": sample.updated_at.to_string(),
        "catalog_object_id": format!("SAMPLEVARIATION{:09}", sample.number),
        "catalog_object_type": "ITEM_VARIATION",
        "location_id": "LSAMPLE000001",
        "quantity": sample.updated_at.as_second().rem_euclid(100).to_string(),
        "state": "IN_STOCK",
    })
}

/// An id in the form of Square's, always the same of the same parts.
fn uuid(parts: &[&[u8]]) -> String {
    let hex = signing::sha256_hex(&parts.join(&b'\0'));
    format!("{}-{}-3{}-8{}-{}", &hex[..8], &hex[8..12], &hex[12..15], &hex[15..18], &hex[18..30])
}
