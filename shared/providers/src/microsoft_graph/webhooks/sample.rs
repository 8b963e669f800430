//! Realistic bodies, for samples and simulations.

use bytes::Bytes;
use hooktide_model::signing::SUBSCRIPTION_KEY;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::payload::{self, Proof};
use crate::microsoft_graph::PROOF;
use crate::{Sample, Unsigned};
use hooktide_model::fault::Fault;
use hooktide_model::signing;

/// The life of a subscription to a calendar: the longest that Graph gives.
const LIFE: SignedDuration = SignedDuration::from_mins(10_080);

/// Characters of a reference: as many as our own ids have.
const REFERENCE: usize = 22;

/// A body of `topic`, without what proves it.
pub(super) fn body(topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
    let notification = match topic {
        "created" | "updated" | "deleted" => change(topic, sample),
        "reauthorizationRequired" | "subscriptionRemoved" | "missed" => lifecycle(topic, sample),
        _ => return None,
    };
    serde_json::to_vec(&json!({ "value": [notification] })).ok().map(Bytes::from)
}

/// An id in the form of a UUID, the same for the same text.
fn uuid(text: &str) -> String {
    let hash = signing::sha256_hex(text.as_bytes());
    format!("{}-{}-{}-{}-{}", &hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32])
}

fn subscription(account: &str) -> String {
    uuid(&format!("subscription of {account}"))
}

fn expiration(time: Timestamp) -> String {
    time.checked_add(LIFE).unwrap_or(time).to_string()
}

fn change(topic: &str, sample: &Sample<'_>) -> Value {
    let (user, tenant) = (uuid(sample.account), uuid(&format!("tenant of {}", sample.account)));
    let event = format!("AAMkAD{:020}AAA=", sample.number);
    json!({
        "subscriptionId": subscription(sample.account),
        "subscriptionExpirationDateTime": expiration(sample.updated_at),
        "changeType": topic,
        "resource": format!("Users/{user}/Events/{event}"),
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Event",
            "@odata.id": format!("Users/{user}/Events/{event}"),
            "@odata.etag": format!("W/\"{}\"", sample.updated_at.as_millisecond()),
            "id": event,
        },
        "tenantId": tenant,
    })
}

fn lifecycle(topic: &str, sample: &Sample<'_>) -> Value {
    json!({
        "subscriptionId": subscription(sample.account),
        "subscriptionExpirationDateTime": expiration(sample.updated_at),
        "tenantId": uuid(&format!("tenant of {}", sample.account)),
        "lifecycleEvent": topic,
    })
}

/// The body with the proof of each item in it; as it is, where it has them already or is of another form.
pub(super) fn signed(unsigned: &Unsigned<'_>) -> Result<Bytes, Fault> {
    let key = unsigned.secret(SUBSCRIPTION_KEY)?;
    let proves = |item: Option<Proof<'_>>| payload::prove(item, unsigned.secrets, unsigned.now).is_ok();
    if payload::items(&unsigned.body).unwrap_or_default().into_iter().all(proves) {
        return Ok(unsigned.body.clone());
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&unsigned.body) else { return Ok(unsigned.body.clone()) };
    for item in body.get_mut("value").and_then(Value::as_array_mut).into_iter().flatten() {
        if proves(Proof::deserialize(&*item).ok()) {
            continue;
        }
        let Some(item) = item.as_object_mut() else { continue };
        if let Some(subscription) = item.get("subscriptionId").and_then(Value::as_str) {
            let reference = signing::sha256_hex(subscription.as_bytes());
            let token = signing::carried_token(key, &reference[..REFERENCE]);
            item.insert(PROOF.to_owned(), token.into());
        }
    }
    let body = serde_json::to_vec(&body).map_err(|error| Fault::failed(format!("the sample body: {error}")))?;
    Ok(body.into())
}
