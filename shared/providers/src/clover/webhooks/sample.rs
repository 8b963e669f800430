//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use serde_json::json;

use super::CHECKOUT;
use crate::Sample;
use hooktide_model::signing;

/// A body of `topic`, which is one of ours.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let (number, time) = (sample.number, sample.updated_at.as_millisecond());
    let digest = signing::sha256_hex(sample.account.as_bytes());
    let value = if let Some(sort) = topic.strip_prefix(CHECKOUT) {
        let uuid = |of: &str| format!("{}-{of}-4000-8000-{number:012x}", &digest[..8]);
        let status = if number % 10 == 9 { "DECLINED" } else { "APPROVED" };
        json!({
            "createdTime": time,
            "message": if status == "APPROVED" { "Approved for 2150" } else { "Decline for 2150" },
            "status": status,
            "type": sort,
            "id": uuid("0001"),
            "merchantId": sample.account,
            "data": uuid("0002"),
        })
    } else {
        let id = format!("{}{number:07}", digest[..6].to_ascii_uppercase());
        json!({
            "appId": "SAMPLEAPP0001",
            "merchants": { sample.account: [{ "objectId": format!("{topic}:{id}"), "type": "UPDATE", "ts": time }] },
        })
    };
    serde_json::to_vec(&value).ok().map(Bytes::from)
}
