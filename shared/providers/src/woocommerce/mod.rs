//! WooCommerce: base64 HMAC-SHA256 over the body; topic, store and ids are not signed, and a ping comes unsigned. See the
//! README beside this file.

mod api;
mod product;
#[cfg(feature = "simulators")]
mod simulator;
mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Becomes, Covers, Need, Profile, Scheme, Topic};
use hooktide_model::names::Kind;

const SIGNATURE: &str = "x-wc-webhook-signature";
const TOPIC: &str = "x-wc-webhook-topic";
const SOURCE: &str = "x-wc-webhook-source";
const DELIVERY: &str = "x-wc-webhook-delivery-id";
const SECRET: &str = "secret";
const CONSUMER_KEY: &str = "consumer_key";
const CONSUMER_SECRET: &str = "consumer_secret";
/// The topic of deletions.
const DELETED: &str = "product.deleted";
/// The topic of products that came back from the bin.
const RESTORED: &str = "product.restored";
/// The resource that is asked for what a delivery does not say.
const PRODUCTS: &str = "products";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "woocommerce",
    needs: &[Need::required(
        SECRET,
        "the webhook's secret, as it was given to the store; best letters and digits only",
    )],
    credentials: &[
        Need::optional(CONSUMER_KEY, "the key of the store's REST API: WooCommerce, Settings, Advanced, REST API"),
        Need::optional(CONSUMER_SECRET, "the secret of that key, which the store shows once"),
        Need::optional("database_password", "the password of the user who may read the store's database"),
    ],
    topics: {
        const fn product(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Kind(Kind::Product))
        }
        const fn unused(name: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored("coupons, customers and orders are not used"))
        }
        const TOPICS: &[Topic] = &[
            product("product.created"),
            product("product.updated"),
            product(RESTORED),
            product("product.published"),
            product(DELETED),
            unused("coupon.created"),
            unused("coupon.updated"),
            unused("coupon.deleted"),
            unused("coupon.restored"),
            unused("customer.created"),
            unused("customer.updated"),
            unused("customer.deleted"),
            unused("order.created"),
            unused("order.updated"),
            unused("order.deleted"),
            unused("order.restored"),
        ];
        TOPICS
    },
    // A store sends a delivery once; how long a plugin or a host may send it again is not known.
    window: Duration::from_secs(72 * 3600),
    identity: "delivery id, which is not signed, and a hash of the body",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    // The store is in a header, which is not signed.
    signs_account: false,
    headers: &[TOPIC, SOURCE, DELIVERY],
    needed: &["id", "date_modified_gmt", "status"],
    // Stores of before 2024 have none.
    optional: &["global_unique_id"],
    // The date does not move when the stock does, so the same body may tell of another change.
    sample_account: "demo.example",
    sample_secrets: &[(SECRET, "hush-woocommerce-secret")],
    sample_credentials: &[
        (CONSUMER_KEY, "ck_0000000000000000000000000000000000sample"),
        (CONSUMER_SECRET, "cs_0000000000000000000000000000000000sample"),
    ],
    normalise_account,
    // A shop serves its customers with the same machine.
    calls_per_minute: Some(240),
    resources: &[(Kind::Product, PRODUCTS)],
    settings: &["site", "database"],
    ..Profile::PLAIN
};

provider!(WooCommerce: webhooks, api, source, subscriptions, simulator);

/// The address of a store, without what differs from one way of writing it to another.
fn normalise_account(account: &str) -> String {
    let mut account = account.to_owned();
    // What is left of an odd address may be an address again.
    loop {
        let bare = bare(&account);
        if bare == account {
            return account;
        }
        account = bare;
    }
}

/// `https://Shop.Example/store/` is `shop.example/store`.
fn bare(account: &str) -> String {
    let account = account.trim();
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| account.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let rest = &account[scheme.map_or(0, str::len)..];
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.to_ascii_lowercase();
    let host = host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(&host);
    // Letter case counts in a path.
    let path = path.trim_matches('/');
    if path.is_empty() { host.to_owned() } else { format!("{host}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_has_one_account_however_its_address_is_written() {
        for (address, account) in [
            ("https://shop.example/", "shop.example"),
            ("http://shop.example", "shop.example"),
            (" HTTPS://Shop.Example:443// ", "shop.example"),
            ("shop.example:80", "shop.example"),
            ("shop.example:8080/", "shop.example:8080"),
            ("https://Shop.Example/Store/?lang=en#top", "shop.example/Store"),
            ("https://blogs.example/tea/", "blogs.example/tea"),
            ("https://läden.example/ü", "läden.example/ü"),
            ("http", "http"),
            ("shop.example:443:80", "shop.example"),
            ("https:// Shop.Example", "shop.example"),
            ("http://https://shop.example/", "https:/shop.example"),
            ("https://", ""),
            ("", ""),
        ] {
            assert_eq!(normalise_account(address), account, "{address}");
            assert_eq!(normalise_account(account), account, "{account}");
        }
    }
}
