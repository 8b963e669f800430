//! Standard Webhooks: id, time and body are signed together; the bodies are our own documents, so that whoever sends in
//! this form can feed Hooktide. See the README beside this file.

mod payload;
mod sample;
mod written;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;

use super::signed_message::{self, Names};
use super::{Becomes, Covers, Label, Need, Profile, Proof, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secret, Secrets};

/// The names that Svix gives the same headers, unless its customer pays for the neutral ones.
const SVIX: Names = Names { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };
const SECRET: &str = "secret";
/// The longest name of a topic that is told of, in bytes.
const LONGEST_TOPIC: usize = 255;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "standard-webhooks",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the signing secret (whsec_...) or the public key (whpk_...) that the sender shows for this address",
    }],
    topics: {
        const fn topic(name: &'static str, kind: Kind) -> Topic {
            Topic::new(name, Becomes::Kind(kind))
        }
        const TOPICS: &[Topic] = &[
            topic("product.created", Kind::Product),
            topic("product.updated", Kind::Product),
            topic("product.deleted", Kind::Product),
            topic("stock.updated", Kind::Stock),
            topic("payment.created", Kind::Transaction),
            topic("payment.updated", Kind::Transaction),
            topic("transaction.created", Kind::Transaction),
            topic("transaction.updated", Kind::Transaction),
            topic("account.created", Kind::Account),
            topic("account.updated", Kind::Account),
        ];
        TOPICS
    },
    // The schedule that the specification suggests ends after 75 h 35 min, without its jitter.
    window: Duration::from_secs(96 * 3600),
    identity: "message id, which is signed",
    schemes: {
        const fn scheme(names: Names) -> Scheme {
            Scheme { proof: Proof::Header(names.signature), covers: Covers::BODY_AND_TIME, list: true }
        }
        const SCHEMES: &[Scheme] = &[scheme(Names::STANDARD), scheme(SVIX)];
        SCHEMES
    },
    // It stands in the body.
    signs_account: true,
    headers: &[Names::STANDARD.id, SVIX.id],
    needed: &[
        "type",
        "account",
        "timestamp",
        "data.id",
        "data.updated_at",
        "data.variant",
        "data.location",
        "data.state",
        "data.quantity",
        "data.kind",
        "data.status",
        "data.amount",
        "data.currency",
    ],
    optional: &[
        "data.updated_at",
        "data.location",
        "data.state",
        "data.amount",
        "data.currency",
        "data.payment_type",
        "data.reference",
        "data.account",
        "data.variants[].sku",
        "data.variants[].barcode",
        "data.variants[].price",
        "data.variants[].currency",
        "data.variants[].stock",
    ],
    items: &[],
    own_marks: &[],
    sample_account: "demo",
    sample_secrets: &[(SECRET, "whsec_aHVzaC1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ=")],
};

/// The provider.
pub(super) struct StandardWebhooks;

impl Provider for StandardWebhooks {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    /// One set of names or the other, never a header of each.
    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let headers = request.headers();
        let of_svix = SVIX.any(headers) && !Names::STANDARD.any(headers);
        signed_message::verify(request, if of_svix { &SVIX } else { &Names::STANDARD }, secrets, SECRET, now)
    }

    fn label(&self, verified: &Verified) -> Label {
        let topic = payload::topic(verified).filter(|topic| topic.len() <= LONGEST_TOPIC);
        let becomes = topic.as_deref().and_then(|topic| PROFILE.becomes(topic));
        let priority = becomes == Some(Becomes::Kind(Kind::Transaction));
        Label { topic, delivery: id(verified).map(str::to_owned), priority }
    }

    fn check_secret(&self, _name: &str, secret: &Secret) -> Result<(), &'static str> {
        signed_message::check_secret(secret)
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let event = payload::Event::read(verified)?;
        let topic = event.topic.as_deref().unwrap_or_default();
        let what = match PROFILE.becomes(topic) {
            Some(Becomes::Kind(kind)) if topic.ends_with(".deleted") => event.deleted(kind)?,
            Some(Becomes::Kind(kind)) => event.document(kind)?,
            None => reading::unknown(topic),
            other => reading::told(other),
        };
        // The id is signed, and the same whenever the message is tried again.
        Ok(vec![Notice { account: event.account, identity: id(verified).unwrap_or_default().to_owned(), what }])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        signed_message::sign(unsigned, SECRET)
    }
}

/// The id that was signed: of the names that [`Provider::verify`] went by.
fn id(verified: &Verified) -> Option<&str> {
    verified.header(Names::STANDARD.id).or_else(|| verified.header(SVIX.id))
}
