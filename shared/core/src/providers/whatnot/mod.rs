//! Whatnot: Standard Webhooks; the body names the seller, and what changed is fetched. See the README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::signed_message::{self, Names};
use super::{Becomes, Covers, Label, Need, Proof, Provider, Sample, Scheme, Topic, Unsigned};
use crate::fault::{AuthFault, Fault};
use crate::notice::{Notice, What};
use crate::secret::{KeyId, Secret, Secrets};
use crate::verified::Verified;

const SECRET: &str = "secret";
/// The longest name of a topic that is told of, in bytes.
const LONGEST_TOPIC: usize = 255;

/// The provider.
pub(super) struct Whatnot;

impl Provider for Whatnot {
    fn id(&self) -> &'static str {
        "whatnot"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need {
            name: SECRET,
            required: true,
            about: "the webhook secret that the app's developer dashboard shows (base64, with or without whsec_)",
        }]
    }

    fn topics(&self) -> &'static [Topic] {
        const fn topic(name: &'static str, becomes: Becomes) -> Topic {
            Topic { name, becomes }
        }
        const ORDERS: Becomes = Becomes::Sync("orders");
        const PRODUCTS: Becomes = Becomes::Sync("products");
        const SHOWS: Becomes = Becomes::Ignored("shows are not kept");
        const SHIPMENTS: Becomes = Becomes::Ignored("shipments are not kept");
        const TOPICS: &[Topic] = &[
            topic("orders.created", ORDERS),
            topic("orders.updated", ORDERS),
            topic("products.created", PRODUCTS),
            topic("products.updated", PRODUCTS),
            topic("products.deleted", PRODUCTS),
            topic("shows.created", SHOWS),
            topic("shows.updated", SHOWS),
            topic("shows.started", SHOWS),
            topic("shows.ended", SHOWS),
            topic("shows.cancelled", SHOWS),
            topic("merchandising.products.added_to_show", SHOWS),
            topic("merchandising.products.removed_from_show", SHOWS),
            topic("shipments.created", SHIPMENTS),
            topic("shipments.label_generated", SHIPMENTS),
            topic("shipments.tracking_code_added", SHIPMENTS),
            topic("shipments.parcel_updated", SHIPMENTS),
            topic("shipments.items.added", SHIPMENTS),
            topic("shipments.items.removed", SHIPMENTS),
            topic("shipments.replaced", SHIPMENTS),
            topic("shipments.cancelled", SHIPMENTS),
        ];
        TOPICS
    }

    /// Whatnot does not say for how long it retries: longer than the schedule that Standard Webhooks suggests.
    fn window(&self) -> Duration {
        Duration::from_secs(96 * 3600)
    }

    fn identity(&self) -> &'static str {
        "`webhook-id`, which is signed"
    }

    fn schemes(&self) -> &'static [Scheme] {
        const SCHEMES: &[Scheme] =
            &[Scheme { proof: Proof::Header(Names::STANDARD.signature), covers: Covers::BODY_AND_TIME, list: true }];
        SCHEMES
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://api.whatnot.com/seller-api/rest/v2")
    }

    /// The seller stands in the body.
    fn signs_account(&self) -> bool {
        true
    }

    fn headers(&self) -> &'static [&'static str] {
        const HEADERS: &[&str] = &[Names::STANDARD.id];
        HEADERS
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        signed_message::verify(request, &Names::STANDARD, secrets, SECRET, now)
    }

    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::Event::read(verified).ok().map(|event| event.topic);
        Label {
            topic: topic.filter(|topic| topic.len() <= LONGEST_TOPIC),
            delivery: verified.header(Names::STANDARD.id).map(str::to_owned),
            priority: false,
        }
    }

    fn check_secret(&self, _name: &str, secret: &Secret) -> Result<(), &'static str> {
        signed_message::check_secret(secret)
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let event = payload::Event::read(verified)?;
        let becomes = self.topics().iter().find(|topic| topic.name == event.topic).map(|topic| topic.becomes);
        let what = match becomes {
            Some(Becomes::Sync(resource)) => What::hint(resource),
            Some(Becomes::Ignored(reason)) => What::ignored(reason),
            _ => What::ignored("unknown topic"),
        };
        // The id is signed, and the same whenever the message is tried again.
        let identity = verified.header(Names::STANDARD.id).unwrap_or_default().to_owned();
        Ok(vec![Notice { account: event.seller(), identity, what }])
    }

    fn sample_account(&self) -> &'static str {
        "1234567"
    }

    fn sample_secrets(&self) -> &'static [(&'static str, &'static str)] {
        &[(SECRET, "whsec_aHVzaC13aGF0bm90LXdlYmhvb2stc2VjcmV0")]
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        signed_message::sign(unsigned, SECRET)
    }
}
