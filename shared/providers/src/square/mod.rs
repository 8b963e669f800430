//! Square: base64 HMAC-SHA256 over the notification URL and the body; everything that counts is in the body. See the
//! README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use self::payload::Counts;
use super::{Becomes, Covers, Label, Need, Profile, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::{EntityNotice, Notice, What};
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

/// The older `x-square-signature` (HMAC-SHA1) is sent beside it and never looked at.
const SIGNATURE: &str = "x-square-hmacsha256-signature";
const SECRET: &str = "signature_key";

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "square",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the signature key of the webhook subscription, as the Developer Console shows it",
    }],
    topics: {
        const fn catalog(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Sync("catalog"))
        }
        // A transfer order moves goods, not money.
        const fn moved(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored("what a transfer order moves is counted, and the counts are sent"))
        }
        const TOPICS: &[Topic] = &[
            catalog("catalog.version.updated"),
            Topic::new("inventory.count.updated", Becomes::Kind(Kind::Stock)),
            Topic::new("webhooks.test_notification", Becomes::Ignored("a test that somebody asked for")),
            moved("transfer_order.created"),
            moved("transfer_order.updated"),
            moved("transfer_order.deleted"),
            // Square has no topics of these names; programs of others use them.
            catalog("catalog.object.created"),
            catalog("catalog.object.updated"),
            catalog("catalog.object.deleted"),
            catalog("item.created"),
            catalog("item.updated"),
            catalog("item.deleted"),
        ];
        TOPICS
    },
    // The longest time that a page of Square's gave for its retries.
    window: Duration::from_secs(72 * 3600),
    identity: "`event_id`, which is signed; of counts, with what is counted",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY_AND_URL)],
    // `merchant_id` stands in the body.
    signs_account: true,
    headers: &[],
    needed: &[
        "merchant_id",
        "type",
        "event_id",
        "data.object.inventory_counts[].catalog_object_id",
        "data.object.inventory_counts[].location_id",
        "data.object.inventory_counts[].state",
        "data.object.inventory_counts[].calculated_at",
    ],
    optional: &[],
    items: &["data.object.inventory_counts"],
    own_marks: &["event_id"],
    sample_account: "SAMPLEMERCHANT1",
    sample_secrets: &[(SECRET, "hush-square-signature-key")],
};

/// The provider.
pub(super) struct Square;

impl Provider for Square {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://connect.squareup.com")
    }

    fn source(&self, kind: Kind) -> Option<&'static str> {
        (kind == Kind::Stock).then_some(payload::STOCK)
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let signature = signing::strict_base64(signing::signature_header(request.headers(), SIGNATURE)?)?;
        // Nothing stands between the two: without an address, a body could begin with it.
        if url.is_empty() {
            return Err(AuthFault::Mismatch);
        }
        let mac = |key: &[u8]| signing::hmac_sha256(key, &[url.as_bytes(), request.body()]);
        signing::verify_mac(secrets, SECRET, now, &signature, mac)
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
                    let ask = (!odd.is_empty()).then(|| one(event.event_id.to_string(), What::hint(payload::STOCK)));
                    let unread = |(at, fault): (usize, Fault)| {
                        one(format!("{}/{at}", event.event_id), What::ignored(format!("{fault}; a sync asks for it")))
                    };
                    return Ok(counts.into_iter().map(told).chain(ask).chain(odd.into_iter().map(unread)).collect());
                }
                Counts::Unknown => What::hint(payload::STOCK),
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
        Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header("square-environment", "Production")
            .header("square-initial-delivery-timestamp", unsigned.now.to_string())
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}
