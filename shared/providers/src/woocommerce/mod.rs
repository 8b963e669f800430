//! WooCommerce: base64 HMAC-SHA256 over the body; topic, store and ids are not signed, and a ping comes unsigned. See the
//! README beside this file.

mod entities;
mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::{Becomes, Covers, Handshake, Label, Need, Profile, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

const SIGNATURE: &str = "x-wc-webhook-signature";
const TOPIC: &str = "x-wc-webhook-topic";
const SOURCE: &str = "x-wc-webhook-source";
const DELIVERY: &str = "x-wc-webhook-delivery-id";
const SECRET: &str = "secret";

/// What the names of the headers of every delivery begin with, and of none of a ping.
const HEADERS_OF_A_DELIVERY: &str = "x-wc-webhook-";
/// The digits of the largest number that a database gives a webhook.
const LONGEST_NUMBER: usize = 20;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "woocommerce",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the webhook's secret, as it was given to the store; best letters and digits only",
    }],
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
            product(payload::RESTORED),
            product("product.published"),
            product(payload::DELETED),
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
    // The store stands in a header, which is not signed.
    signs_account: false,
    headers: &[TOPIC, SOURCE, DELIVERY],
    needed: &["id", "date_modified_gmt", "status"],
    // Stores of before 2024 have none.
    optional: &["global_unique_id"],
    items: &[],
    // The date does not move when the stock does, so the same body may tell of another change.
    own_marks: &[],
    sample_account: "demo.example",
    sample_secrets: &[(SECRET, "hush-woocommerce-secret")],
};

/// The provider.
pub(super) struct WooCommerce;

impl Provider for WooCommerce {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    /// The ping that a store sends when a webhook is saved: it wants exactly 200.
    fn handshake(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        _secrets: &Secrets,
        _now: Timestamp,
    ) -> Option<Handshake> {
        is_ping(request).then(|| Handshake::Answer(Response::new(Bytes::new())))
    }

    fn source(&self, kind: Kind) -> Option<&'static str> {
        (kind == Kind::Product).then_some(payload::PRODUCTS)
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let signature = signing::strict_base64(signing::signature_header(request.headers(), SIGNATURE)?)?;
        let mac = |key: &[u8]| signing::hmac_sha256(&entities::decoded(key), &[request.body()]);
        signing::verify_mac(secrets, SECRET, now, &signature, mac)
    }

    fn label(&self, verified: &Verified) -> Label {
        let header = |name| verified.header(name).map(str::to_owned);
        Label { topic: header(TOPIC), delivery: header(DELIVERY), priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let name = verified.header(TOPIC).unwrap_or_default();
        let told = match PROFILE.becomes(name) {
            Some(Becomes::Kind(_)) if name == payload::DELETED => payload::deleted_product(verified)?,
            Some(Becomes::Kind(_)) => payload::product(verified, name)?,
            None => vec![reading::unknown(name)],
            other => vec![reading::told(other)],
        };
        let account = verified.header(SOURCE).map(|source| self.normalise_account(source));
        let account = account.filter(|account| !account.is_empty());
        // The id is of a webhook and a second: two products that change in one share it. And it is not signed.
        let body = signing::sha256_hex(verified.body());
        let delivery = verified.header(DELIVERY).unwrap_or_default();
        let notice = |what| Notice { account: account.clone(), identity: format!("{delivery}/{body}"), what };
        Ok(told.into_iter().map(notice).collect())
    }

    fn normalise_account(&self, account: &str) -> String {
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

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let key = entities::decoded(unsigned.secret(SECRET)?.secret.expose());
        let mac = signing::hmac_sha256(&key, &[&unsigned.body]);
        let (resource, event) = unsigned.topic.split_once('.').unwrap_or((unsigned.topic, ""));
        Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header("user-agent", "WooCommerce/10.3.0 Hookshot (WordPress/6.9)")
            .header(SOURCE, format!("https://{}/", unsigned.account))
            .header(TOPIC, unsigned.topic)
            .header("x-wc-webhook-resource", resource)
            .header("x-wc-webhook-event", event)
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header("x-wc-webhook-id", "1")
            .header(DELIVERY, unsigned.delivery)
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
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

/// Whether a request is a ping, and nothing but one: whatever else is not signed is refused.
fn is_ping(request: &Request<Bytes>) -> bool {
    let headers = request.headers();
    let form = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = form.and_then(|value| value.split(';').next()).map(str::trim);
    let number = request.body().strip_prefix(b"webhook_id=").unwrap_or_default();
    *request.method() == Method::POST
        && form.is_some_and(|form| form.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        && !headers.keys().any(|name| name.as_str().starts_with(HEADERS_OF_A_DELIVERY))
        && (1..=LONGEST_NUMBER).contains(&number.len())
        && number.iter().all(u8::is_ascii_digit)
        && number.first() != Some(&b'0')
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
            assert_eq!(WooCommerce.normalise_account(address), account, "{address}");
            assert_eq!(WooCommerce.normalise_account(account), account, "{account}");
        }
    }
}
