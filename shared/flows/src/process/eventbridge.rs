//! Deliveries that come through Amazon EventBridge instead of HTTP. They are trusted because of the template's rule, which
//! names the provider's own event source: the queue takes such messages from that rule only.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind};
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use hooktide_providers::verified;
use hooktide_store::bodies;
use hooktide_store::ports::Blobs;

/// A message that the rule puts on the queue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Through {
    provider: String,
    endpoint: String,
    event: Value,
}

/// The bound of an event's kept headers, the same as that of a request's.
const LONGEST_HEADER: usize = 1024;

/// The envelope of a message that is a provider's event; `None` for any other message.
pub(super) async fn envelope(message: &str, blobs: &dyn Blobs, now: Timestamp) -> Result<Option<Envelope>, Fault> {
    let Ok(Through { provider, endpoint, event }) = serde_json::from_str(message) else { return Ok(None) };
    let Some(webhooks) = hooktide_providers::webhooks_by_id(&provider) else { return Ok(None) };
    let read = webhooks.profile().bus.and_then(|form| form.read(&event));
    let (Some(id), Some((headers, body))) = (event["id"].as_str(), read) else {
        return Ok(None);
    };
    // The same for every delivery of the event.
    let id = signing::sha256_hex(id.as_bytes())[..26].to_owned();
    let received_at = event["time"].as_str().and_then(|time| time.parse().ok()).unwrap_or(now);
    let payload = bodies::pack(&body, webhooks.id(), &id, blobs).await?;
    let kept = |(name, value): &(String, String)| {
        webhooks.profile().headers.contains(&name.as_str()) && value.len() <= LONGEST_HEADER
    };
    let mut delivery = Delivery {
        provider: webhooks.id().to_owned(),
        endpoint,
        tenant: None,
        key_id: None,
        topic: None,
        delivery: None,
        headers: headers.into_iter().filter(kept).collect::<BTreeMap<_, _>>(),
        dropped: Vec::new(),
        oversized: None,
        payload,
        sha256: signing::sha256_hex(&body),
    };
    let label = webhooks.label(&verified::reopen(&delivery, body, received_at));
    (delivery.topic, delivery.delivery) = (label.topic, label.delivery);
    Ok(Some(Envelope::new(id, EnvelopeKind::Notice(delivery), received_at)))
}
