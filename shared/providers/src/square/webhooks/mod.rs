//! Square's webhooks: the proof is of the address and the body, which says all that counts.

mod payload;
mod sample;

use bytes::Bytes;
use http::Request;

use self::payload::Counts;
use super::{PROFILE, SECRET, SIGNATURE, STOCK, Square};
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Becomes, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::{EntityNotice, Notice, What};
use hooktide_model::signing;

impl Webhooks for Square {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let signature = signing::strict_base64(arrival.signature(SIGNATURE)?)?;
        // Nothing separates the two: without an address, a body could begin with it.
        if arrival.url.is_empty() {
            return Err(AuthFault::Mismatch);
        }
        let mac = |key: &[u8]| signing::hmac_sha256(key, &[arrival.url.as_bytes(), arrival.body()]);
        arrival.verify_mac(SECRET, &signature, mac)
    }

    fn label(&self, verified: &Verified) -> Label {
        let Ok(event) = payload::event(verified) else { return Label::default() };
        Label { topic: Some(event.topic.into_owned()), delivery: Some(event.event_id.into_owned()), priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let event = payload::event(verified)?;
        let one =
            |identity: String, what: What| Notice { account: Some(event.merchant_id.to_string()), identity, what };
        let what = match PROFILE.becomes(&event.topic) {
            Some(Becomes::Kind(_)) => match payload::counts(&event) {
                Counts::These(counts, odd) => {
                    let told =
                        |entity: EntityNotice| one(format!("{}/{}", event.event_id, entity.id), What::Entity(entity));
                    // Which counts cannot be read is told; what they are, the seller's stock says.
                    let ask = (!odd.is_empty()).then(|| one(event.event_id.to_string(), What::hint(STOCK)));
                    let unread = |(at, fault): (usize, Fault)| {
                        one(format!("{}/{at}", event.event_id), What::ignored(format!("{fault}; a sync asks for it")))
                    };
                    return Ok(counts.into_iter().map(told).chain(ask).chain(odd.into_iter().map(unread)).collect());
                }
                Counts::Unknown => What::hint(STOCK),
            },
            None => reading::unknown(&event.topic),
            other => reading::told(other),
        };
        Ok(vec![one(event.event_id.to_string(), what)])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let key = unsigned.secret(SECRET)?.secret.expose();
        let mac = signing::hmac_sha256(key, &[unsigned.url.as_bytes(), &unsigned.body]);
        let request = Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header("square-environment", "Production")
            .header("square-initial-delivery-timestamp", unsigned.now.to_string());
        sent(request, unsigned.body)
    }
}
