//! Shopify: base64 HMAC-SHA256 over the body; topic, shop and ids are not signed. See the README beside this file.

mod api;
mod product;
#[cfg(feature = "simulators")]
mod simulator;
mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Becomes, BusEvent, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;

const SIGNATURE: &str = "x-shopify-hmac-sha256";
const TOPIC: &str = "x-shopify-topic";
const SHOP: &str = "x-shopify-shop-domain";
const DELIVERY: &str = "x-shopify-webhook-id";
const TRIGGERED_AT: &str = "x-shopify-triggered-at";
const SECRET: &str = "client_secret";
const ACCESS_TOKEN: &str = "access_token";
/// The header with the token that the API is called with.
const TOKEN_HEADER: &str = "x-shopify-access-token";
/// The version of the API that is called.
const VERSION: &str = "2026-10";
/// The resource that is asked for what a delivery does not say.
const PRODUCTS: &str = "products";
/// The resource that is asked for levels.
const STOCK: &str = "stock";
/// What the id of a level begins with that is named by its inventory item, as webhooks name it: `item:<item>/<location>`.
const OF_ITEM: &str = "item:";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "shopify",
    needs: &[Need::required(SECRET, "the app's client secret (API secret key), which signs its webhooks")],
    topics: &[
        Topic::new("products/create", Becomes::Kind(Kind::Product)),
        Topic::new("products/update", Becomes::Kind(Kind::Product)),
        Topic::new("products/delete", Becomes::Kind(Kind::Product)),
        Topic::new("inventory_levels/update", Becomes::Sync(STOCK)),
        Topic::new("customers/data_request", Becomes::Privacy),
        Topic::new("customers/redact", Becomes::Privacy),
        Topic::new("shop/redact", Becomes::Privacy),
        Topic::new("app/uninstalled", Becomes::Ignored("connections are removed by their owner")),
        Topic::new("bulk_operations/finish", Becomes::Ignored("what was asked in bulk is fetched by whoever asked")),
        Topic::new("collections/update", Becomes::Ignored("collections are not used")),
        Topic::new("orders/create", Becomes::Ignored("orders are not used")),
    ],
    // Shopify retries for 4 hours, and a delivery may start a day late.
    window: Duration::from_secs(28 * 3600),
    identity: "webhook id, which is not signed, and a hash of the body; of hints whose body says its time, the hash alone",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    // The shop is in a header, which is not signed.
    signs_account: false,
    headers: &[TOPIC, SHOP, DELIVERY, TRIGGERED_AT],
    needed: &["id", "updated_at", "customer"],
    own_marks: &["updated_at"],
    sample_account: "demo.myshopify.com",
    sample_secrets: &[(SECRET, "hush-shopify-client-secret")],
    shares_secret: true,
    normalise_account,
    sample_credentials: &[
        (ACCESS_TOKEN, "hush-shopify-access-token"),
        ("refresh_token", "hush-shopify-refresh-token"),
        ("client_id", "hush-shopify-client-id"),
    ],
    resources: &[(Kind::Product, PRODUCTS), (Kind::Stock, STOCK)],
    // The points of the smallest plan, where each call costs as much as ours do; Shopify says when there are none left.
    calls_per_minute: Some(240),
    bus: Some(BusEvent { detail_type: "shopifyWebhook", headers: "/detail/metadata", body: "/detail/payload" }),
    ..Profile::PLAIN
};

provider!(Shopify: webhooks, api, source, subscriptions, simulator);

/// The domain of a shop, in lower case.
fn normalise_account(account: &str) -> String {
    account.trim().to_ascii_lowercase()
}
