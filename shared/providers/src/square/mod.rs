//! Square: base64 HMAC-SHA256 over the notification URL and the body; everything that counts is in the body. See the
//! README beside this file.

mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;

/// The older `x-square-signature` (HMAC-SHA1) is sent beside it and never looked at.
const SIGNATURE: &str = "x-square-hmacsha256-signature";
const SECRET: &str = "signature_key";
/// The resource that is asked for counts.
const STOCK: &str = "stock";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "square",
    needs: &[Need::required(
        SECRET,
        "the signature key of the webhook subscription, as the Developer Console shows it",
    )],
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
    // `merchant_id` is in the body.
    signs_account: true,
    needed: &[
        "merchant_id",
        "type",
        "event_id",
        "data.object.inventory_counts[].catalog_object_id",
        "data.object.inventory_counts[].location_id",
        "data.object.inventory_counts[].state",
        "data.object.inventory_counts[].calculated_at",
    ],
    items: &["data.object.inventory_counts"],
    own_marks: &["event_id"],
    sample_account: "SAMPLEMERCHANT1",
    sample_secrets: &[(SECRET, "hush-square-signature-key")],
    resources: &[(Kind::Stock, STOCK)],
    settings: &["locations"],
    ..Profile::PLAIN
};

provider!(Square: webhooks, api);

impl Api for Square {
    fn base(&self) -> Base {
        Base::Fixed("https://connect.squareup.com")
    }
}
