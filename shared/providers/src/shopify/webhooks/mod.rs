//! Shopify's webhooks: the proof is of the body; topic and shop are in headers that are not signed.

mod payload;
mod sample;

use bytes::Bytes;
use http::Request;

use super::{DELIVERY, PRODUCTS, PROFILE, SECRET, SHOP, SIGNATURE, Shopify, TOPIC, TRIGGERED_AT, normalise_account};
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Becomes, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::{Notice, What};
use hooktide_model::signing;

/// The version of the API whose payloads the README describes, and samples are of.
const API_VERSION: &str = "2026-07";

impl Webhooks for Shopify {
    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let signature = signing::strict_base64(arrival.signature(SIGNATURE)?)?;
        arrival.verify_mac(SECRET, &signature, |key| signing::hmac_sha256(key, &[arrival.body()]))
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
                let product = if let What::Entity(entity) = &what { Some(entity.id.clone()) } else { None };
                told.push(what);
                if let Some(product) = product.filter(|_| lacks_variants) {
                    told.push(What::hint_at(PRODUCTS, product));
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
        let account = shop.map(|shop| normalise_account(&shop));
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

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let mac = signing::hmac_sha256(unsigned.secret(SECRET)?.secret.expose(), &[&unsigned.body]);
        let request = Request::post(unsigned.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header(TOPIC, unsigned.topic)
            .header(SHOP, unsigned.account)
            .header("x-shopify-api-version", API_VERSION)
            .header(DELIVERY, unsigned.delivery)
            .header("x-shopify-event-id", unsigned.delivery)
            .header(TRIGGERED_AT, unsigned.now.to_string());
        sent(request, unsigned.body)
    }
}
