//! Whatnot: Standard Webhooks; the body names the seller, and what changed is fetched. See the README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::signed_message::{self, Names};
use super::{Becomes, Covers, Label, Need, Profile, Proof, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secret, Secrets};

const SECRET: &str = "secret";
/// The longest name of a topic that is told of, in bytes.
const LONGEST_TOPIC: usize = 255;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "whatnot",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the webhook secret that the app's developer dashboard shows (base64, with or without whsec_)",
    }],
    topics: {
        const ORDERS: Becomes = Becomes::Sync("orders");
        const PRODUCTS: Becomes = Becomes::Sync("products");
        const SHOWS: Becomes = Becomes::Ignored("shows are not kept");
        const SHIPMENTS: Becomes = Becomes::Ignored("shipments are not kept");
        const TOPICS: &[Topic] = &[
            Topic::new("orders.created", ORDERS),
            Topic::new("orders.updated", ORDERS),
            Topic::new("products.created", PRODUCTS),
            Topic::new("products.updated", PRODUCTS),
            Topic::new("products.deleted", PRODUCTS),
            Topic::new("shows.created", SHOWS),
            Topic::new("shows.updated", SHOWS),
            Topic::new("shows.started", SHOWS),
            Topic::new("shows.ended", SHOWS),
            Topic::new("shows.cancelled", SHOWS),
            Topic::new("merchandising.products.added_to_show", SHOWS),
            Topic::new("merchandising.products.removed_from_show", SHOWS),
            Topic::new("shipments.created", SHIPMENTS),
            Topic::new("shipments.label_generated", SHIPMENTS),
            Topic::new("shipments.tracking_code_added", SHIPMENTS),
            Topic::new("shipments.parcel_updated", SHIPMENTS),
            Topic::new("shipments.items.added", SHIPMENTS),
            Topic::new("shipments.items.removed", SHIPMENTS),
            Topic::new("shipments.replaced", SHIPMENTS),
            Topic::new("shipments.cancelled", SHIPMENTS),
        ];
        TOPICS
    },
    // Whatnot does not say for how long it retries: longer than the schedule that Standard Webhooks suggests.
    window: Duration::from_secs(96 * 3600),
    identity: "`webhook-id`, which is signed",
    schemes: {
        const SCHEMES: &[Scheme] =
            &[Scheme { proof: Proof::Header(Names::STANDARD.signature), covers: Covers::BODY_AND_TIME, list: true }];
        SCHEMES
    },
    // The seller stands in the body.
    signs_account: true,
    headers: &[Names::STANDARD.id],
    needed: &["type", "seller_id"],
    optional: &[],
    items: &[],
    own_marks: &[],
    sample_account: "1234567",
    sample_secrets: &[(SECRET, "whsec_aHVzaC13aGF0bm90LXdlYmhvb2stc2VjcmV0")],
};

/// The provider.
pub(super) struct Whatnot;

impl Provider for Whatnot {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://api.whatnot.com/seller-api/rest/v2")
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
        let what = match PROFILE.becomes(&event.topic) {
            None => reading::unknown(&event.topic),
            becomes => reading::told(becomes),
        };
        // The id is signed, and the same whenever the message is tried again.
        let identity = verified.header(Names::STANDARD.id).unwrap_or_default().to_owned();
        Ok(vec![Notice { account: event.seller, identity, what }])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        signed_message::sign(unsigned, SECRET)
    }
}
