//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::Sample;
use hooktide_model::signing;

/// A body of `topic`.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let (object, _) = topic.split_once('/').unwrap_or((topic, ""));
    let mut entry = update(topic, sample)?;
    if let Value::Object(entry) = &mut entry {
        entry.insert("id".into(), sample.account.into());
        entry.insert("time".into(), sample.updated_at.as_second().into());
    }
    // Meta writes what is not ASCII with escapes; there is none here.
    serde_json::to_vec(&json!({ "object": object, "entry": [entry] })).ok().map(Bytes::from)
}

fn update(topic: &str, sample: &Sample<'_>) -> Option<Value> {
    let number = sample.number;
    let seconds = sample.updated_at.as_second();
    let unique = signing::sha256_hex(format!("{}/{number}/{seconds}", sample.account).as_bytes());
    let change = |field: &str, value: Value| json!({ "changes": [{ "field": field, "value": value }] });
    Some(match topic {
        "catalog/items_batch" => {
            change("items_batch", json!({ "catalog_id": sample.account, "handle": unique, "status": "Finished" }))
        }
        "catalog/product_feed" => change(
            "product_feed",
            json!({ "catalog_id": sample.account, "product_feed_id": number.to_string(), "status": "Finished" }),
        ),
        "page" => change(
            "feed",
            json!({
                "item": "status",
                "verb": "add",
                "post_id": format!("{}_{number}", sample.account),
                "message": "The first flush is here.",
                "created_time": seconds,
                "from": { "id": sample.account, "name": "Sample Tea House" },
            }),
        ),
        "instagram" => change(
            "comments",
            json!({ "id": format!("178{number:014}"), "text": "How long do you steep it?", "media": { "id": "1789" } }),
        ),
        "whatsapp_business_account" => change(
            "messages",
            json!({
                "messaging_product": "whatsapp",
                "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106540352242922" },
                "messages": [{
                    "from": "16505551234",
                    "id": format!("wamid.{unique}"),
                    "timestamp": seconds.to_string(),
                    "type": "text",
                    "text": { "body": "Do you have it in stock?" },
                }],
            }),
        ),
        "permissions" => change("catalog_management", json!({ "verb": "revoked", "target_ids": ["1"] })),
        "user" => json!({ "uid": sample.account, "changed_fields": ["photos"] }),
        "ad_account" => change("with_issues_ad_objects", json!({ "id": number.to_string(), "level": "AD" })),
        "application" => {
            change("async_requests", json!({ "category": "report", "verb": "complete", "report_id": number }))
        }
        "payments" => json!({ "changed_fields": ["actions"] }),
        _ => return None,
    })
}
