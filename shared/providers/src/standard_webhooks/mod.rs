//! Standard Webhooks: id, time and body are signed together. The bodies are Hooktide's own documents, so anyone who sends
//! in this form can feed Hooktide. See the README beside this file.

mod webhooks;

use std::time::Duration;

use crate::protocols::signed_message::{self, Names};
use crate::provider::provider;
use crate::{Becomes, Covers, Need, Profile, Proof, Scheme, Topic};
use hooktide_model::names::Kind;

/// The names that Svix gives the same headers, unless its customer pays for the neutral ones.
const SVIX: Names = Names { id: "svix-id", timestamp: "svix-timestamp", signature: "svix-signature" };
const SECRET: &str = "secret";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "standard-webhooks",
    needs: &[Need::required(
        SECRET,
        "the signing secret (whsec_...) or the public key (whpk_...) that the sender shows for this address",
    )
    .checked(signed_message::check_secret)],
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
    // The account is in the body.
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
    sample_account: "demo",
    sample_secrets: &[(SECRET, "whsec_aHVzaC1zdGFuZGFyZC13ZWJob29rcy1zZWNyZXQ=")],
    ..Profile::PLAIN
};

provider!(StandardWebhooks: webhooks);
