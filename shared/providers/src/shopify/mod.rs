//! Shopify: base64 HMAC-SHA256 over the body; topic, shop and ids are not signed. See the README beside this file.

mod payload;
mod sample;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::Value;

use super::{Becomes, Covers, Label, Need, Profile, Provider, Sample, Scheme, Topic, Unsigned, reading};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Notice, What};
use hooktide_model::secret::{KeyId, Secrets};
use hooktide_model::signing;

const SIGNATURE: &str = "x-shopify-hmac-sha256";
const TOPIC: &str = "x-shopify-topic";
const SHOP: &str = "x-shopify-shop-domain";
const DELIVERY: &str = "x-shopify-webhook-id";
const TRIGGERED_AT: &str = "x-shopify-triggered-at";
const SECRET: &str = "client_secret";
/// The version of the API whose payloads the README describes, and samples are of.
const API_VERSION: &str = "2026-07";

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "shopify",
    needs: &[Need {
        name: SECRET,
        required: true,
        about: "the app's client secret (API secret key), which signs its webhooks",
    }],
    topics: &[
        Topic::new("products/create", Becomes::Kind(Kind::Product)),
        Topic::new("products/update", Becomes::Kind(Kind::Product)),
        Topic::new("products/delete", Becomes::Kind(Kind::Product)),
        Topic::new("inventory_levels/update", Becomes::Sync("stock")),
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
    // The shop stands in a header, which is not signed.
    signs_account: false,
    headers: &[TOPIC, SHOP, DELIVERY, TRIGGERED_AT],
    needed: &["id", "updated_at", "customer"],
    optional: &[],
    items: &[],
    own_marks: &["updated_at"],
    sample_account: "demo.myshopify.com",
    sample_secrets: &[(SECRET, "hush-shopify-client-secret")],
};

/// The provider.
pub(super) struct Shopify;

impl Provider for Shopify {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn shares_secret(&self) -> bool {
        true
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
        signing::verify_mac(secrets, SECRET, now, &signature, |key| signing::hmac_sha256(key, &[request.body()]))
    }

    /// `detail.payload` is the body, `detail.metadata` has the headers by name.
    fn read_event(&self, event: &Value) -> Option<(BTreeMap<String, String>, Bytes)> {
        if event["detail-type"] != "shopifyWebhook" {
            return None;
        }
        let body = serde_json::to_vec(event["detail"].get("payload")?).ok()?;
        let metadata = event["detail"]["metadata"].as_object()?;
        let header = |(name, value): (&String, &Value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()));
        Some((metadata.iter().filter_map(header).collect(), body.into()))
    }

    fn label(&self, verified: &Verified) -> Label {
        let header = |name| verified.header(name).map(str::to_owned);
        Label { topic: header(TOPIC), delivery: header(DELIVERY), priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let name = verified.header(TOPIC).unwrap_or_default();
        let mut dated = false;
        let mut told = Vec::with_capacity(2);
        match PROFILE.becomes(name) {
            Some(Becomes::Kind(_)) if name == "products/delete" => told.push(payload::deleted_product(verified)?),
            Some(Becomes::Kind(_)) => {
                let (what, lacks_variants) = payload::product(verified)?;
                told.push(what);
                if lacks_variants {
                    told.push(What::hint(payload::PRODUCTS));
                    dated = true;
                }
            }
            Some(Becomes::Sync(resource)) => {
                let (what, says_time) = payload::stock(verified, resource)?;
                told.push(what);
                dated = says_time;
            }
            Some(Becomes::Privacy) => told.push(payload::privacy(verified, name)?),
            None => told.push(reading::unknown(name)),
            other @ Some(Becomes::Ignored(_)) => told.push(reading::told(other)),
        }
        // Some bodies name the shop; what is signed counts more than the header, which is not.
        let shop = payload::shop(verified).or_else(|| verified.header(SHOP).map(str::to_owned));
        let account = shop.map(|shop| self.normalise_account(&shop));
        // The id is not signed: on its own, a made-up one could pass a new body off as a repeat.
        let body = signing::sha256_hex(verified.body());
        let delivery = verified.header(DELIVERY).unwrap_or_default();
        let notice = |what| Notice {
            account: account.clone(),
            // A hint that says its own time is known again by what was signed, whatever id somebody makes up for it.
            identity: match what {
                What::Hint { .. } if dated => format!("/{body}"),
                _ => format!("{delivery}/{body}"),
            },
            what,
        };
        Ok(told.into_iter().map(notice).collect())
    }

    fn normalise_account(&self, account: &str) -> String {
        account.trim().to_ascii_lowercase()
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let mac = signing::hmac_sha256(unsigned.secret(SECRET)?.secret.expose(), &[&unsigned.body]);
        Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header(TOPIC, unsigned.topic)
            .header(SHOP, unsigned.account)
            .header("x-shopify-api-version", API_VERSION)
            .header(DELIVERY, unsigned.delivery)
            .header("x-shopify-event-id", unsigned.delivery)
            .header(TRIGGERED_AT, unsigned.now.to_string())
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}
