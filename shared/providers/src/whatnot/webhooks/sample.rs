//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let number = sample.number;
    let data = match topic {
        "orders.created" => order(sample, "pending"),
        "orders.updated" => order(sample, "pending_fulfillment"),
        "products.created" | "products.updated" => json!({
            "id": number.to_string(),
            "title": format!("First flush No. {number}"),
            "updated_at": sample.updated_at.to_string(),
        }),
        "products.deleted" => json!({ "product_id": number.to_string() }),
        "shows.created" | "shows.updated" => json!({
            "id": number.to_string(),
            "title": format!("Tea night No. {number}"),
            "updated_at": sample.updated_at.to_string(),
        }),
        "shows.started" | "shows.ended" | "shows.cancelled" => json!({ "show_id": number.to_string() }),
        "merchandising.products.added_to_show" | "merchandising.products.removed_from_show" => {
            json!({ "product_id": number.to_string(), "show_id": "5550001" })
        }
        "shipments.items.added" | "shipments.items.removed" => {
            json!({ "shipment_id": number.to_string(), "shipment_item_ids": ["1", "2"] })
        }
        "shipments.replaced" => {
            json!({ "previous_shipment": shipment(number), "shipment": shipment(number.wrapping_add(1)) })
        }
        "shipments.created"
        | "shipments.label_generated"
        | "shipments.tracking_code_added"
        | "shipments.parcel_updated"
        | "shipments.cancelled" => shipment(number),
        _ => return None,
    };
    let event = json!({
        "type": topic,
        "timestamp": sample.updated_at.to_string(),
        "data": data,
        "version": "v2",
        "seller_id": sample.account,
    });
    serde_json::to_vec(&event).ok().map(Bytes::from)
}

fn order(sample: &Sample<'_>, status: &str) -> Value {
    json!({
        "id": sample.number.to_string(),
        "status": status,
        "transaction_type": "buy_it_now",
        "show_id": null,
        "buyer": null,
        "cancelled_at": null,
        "created_at": "2026-01-05T10:00:00Z",
        "updated_at": sample.updated_at.to_string(),
    })
}

fn shipment(number: u64) -> Value {
    json!({
        "id": number.to_string(),
        "dimensions": { "height": 1, "length": 6, "unit": "inch", "width": 4 },
        "fulfillment_method": "shipping",
        "hazardous_material": "not_hazardous",
    })
}
