//! Whatnot: Standard Webhooks; the body names the seller, and what changed is fetched. See the README beside this file.

mod webhooks;

use std::time::Duration;

use crate::protocols::signed_message::{self, Names};
use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Need, Profile, Proof, Scheme, Topic};

const SECRET: &str = "secret";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "whatnot",
    needs: &[Need::required(
        SECRET,
        "the webhook secret that the app's developer dashboard shows (base64, with or without whsec_)",
    )
    .checked(signed_message::check_secret)],
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
    // The seller is in the body.
    signs_account: true,
    headers: &[Names::STANDARD.id],
    needed: &["type", "seller_id"],
    sample_account: "1234567",
    sample_secrets: &[(SECRET, "whsec_aHVzaC13aGF0bm90LXdlYmhvb2stc2VjcmV0")],
    settings: &["region"],
    ..Profile::PLAIN
};

provider!(Whatnot: webhooks, api);

impl Api for Whatnot {
    fn base(&self) -> Base {
        Base::Fixed("https://api.whatnot.com/seller-api/rest/v2")
    }
}
