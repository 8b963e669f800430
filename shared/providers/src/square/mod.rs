//! Square: base64 HMAC-SHA256 over the notification URL and the body; everything that counts is in the body. See the
//! README beside this file.

mod api;
#[cfg(feature = "simulators")]
mod simulator;
mod stock;
mod webhooks;

use std::time::Duration;

use crate::profile::OAUTH_WITH_SECRET;
use crate::provider::provider;
use crate::{Becomes, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;

/// The older `x-square-signature` (HMAC-SHA1) is sent beside it and never looked at.
const SIGNATURE: &str = "x-square-hmacsha256-signature";
const SECRET: &str = "signature_key";
const ACCESS_TOKEN: &str = "access_token";
const APPLICATION_TOKEN: &str = "application_token";
/// The version of the API whose requests and answers the README describes.
const API_VERSION: &str = "2026-09-16";
/// The header that asks for that version.
const VERSION_HEADER: &str = "square-version";
/// The resource that is asked for items.
const CATALOG: &str = "catalog";
/// The resource that is asked for counts.
const STOCK: &str = "stock";
/// The topic of changes of the catalog.
const CATALOG_UPDATED: &str = "catalog.version.updated";
/// The topic of changes of the stock.
const COUNT_UPDATED: &str = "inventory.count.updated";
/// The longest id or name, in bytes: those of Square are far shorter, and they become parts of keys.
const LONGEST: usize = 192;

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "square",
    // Where we subscribe ourselves, it comes with the subscription.
    needs: &[Need::optional(
        SECRET,
        "the signature key of the webhook subscription, as the Developer Console shows it; not needed where Hooktide makes \
         the subscription",
    )],
    credentials: &[
        OAUTH_WITH_SECRET[0],
        OAUTH_WITH_SECRET[1],
        OAUTH_WITH_SECRET[2],
        OAUTH_WITH_SECRET[3],
        Need::optional(APPLICATION_TOKEN, "the application's own access token, with which webhooks are subscribed to"),
    ],
    topics: {
        const fn catalog(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Sync(CATALOG))
        }
        // A transfer order moves goods, not money.
        const fn moved(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored("what a transfer order moves is counted, and the counts are sent"))
        }
        const TOPICS: &[Topic] = &[
            catalog(CATALOG_UPDATED),
            Topic::new(COUNT_UPDATED, Becomes::Kind(Kind::Stock)),
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
    sample_credentials: &[
        (ACCESS_TOKEN, "hush-square-access-token"),
        (APPLICATION_TOKEN, "hush-square-application-token"),
        ("refresh_token", "hush-square-refresh-token"),
        ("client_id", "sq0idp-sample"),
        ("client_secret", "hush-square-client-secret"),
    ],
    resources: &[(Kind::Product, CATALOG), (Kind::Stock, STOCK)],
    // Square documents no number.
    calls_per_minute: Some(300),
    settings: &["locations"],
    ..Profile::PLAIN
};

provider!(Square: webhooks, api, source, subscriptions, simulator);
