//! WooCommerce's webhooks: the proof is of the body; topic and store are in headers that are not signed.

mod entities;
mod payload;
mod sample;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response};

use super::{DELETED, DELIVERY, PROFILE, SECRET, SIGNATURE, SOURCE, TOPIC, WooCommerce, normalise_account};
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Becomes, HandshakeReply, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;

/// The beginning of the names of headers that every delivery has, and no ping.
const HEADERS_OF_A_DELIVERY: &str = "x-wc-webhook-";
/// The digits of the largest number that a database gives a webhook.
const LONGEST_NUMBER: usize = 20;

impl Webhooks for WooCommerce {
    /// The ping that a store sends when a webhook is saved: it wants exactly 200.
    fn handshake(&self, arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        is_ping(arrival.request).then(|| HandshakeReply::Answer(Response::new(Bytes::new())))
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let signature = signing::strict_base64(arrival.signature(SIGNATURE)?)?;
        let mac = |key: &[u8]| signing::hmac_sha256(&entities::decoded(key), &[arrival.body()]);
        arrival.verify_mac(SECRET, &signature, mac)
    }

    fn label(&self, verified: &Verified) -> Label {
        let header = |name| verified.header(name).map(str::to_owned);
        Label { topic: header(TOPIC), delivery: header(DELIVERY), priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let name = verified.header(TOPIC).unwrap_or_default();
        let told = match PROFILE.becomes(name) {
            Some(Becomes::Kind(_)) if name == DELETED => payload::deleted_product(verified)?,
            Some(Becomes::Kind(_)) => payload::product(verified, name)?,
            None => vec![reading::unknown(name)],
            other => vec![reading::told(other)],
        };
        let account = verified.header(SOURCE).map(normalise_account);
        let account = account.filter(|account| !account.is_empty());
        // The id is of a webhook and a second: two products that change in one share it. And it is not signed.
        let body = signing::sha256_hex(verified.body());
        let delivery = verified.header(DELIVERY).unwrap_or_default();
        let notice = |what| Notice { account: account.clone(), identity: format!("{delivery}/{body}"), what };
        Ok(told.into_iter().map(notice).collect())
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let key = entities::decoded(unsigned.secret(SECRET)?.secret.expose());
        let mac = signing::hmac_sha256(&key, &[&unsigned.body]);
        let (resource, event) = unsigned.topic.split_once('.').unwrap_or((unsigned.topic, ""));
        let request = Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header("user-agent", "WooCommerce/10.3.0 Hookshot (WordPress/6.9)")
            .header(SOURCE, format!("https://{}/", unsigned.account))
            .header(TOPIC, unsigned.topic)
            .header("x-wc-webhook-resource", resource)
            .header("x-wc-webhook-event", event)
            .header(SIGNATURE, data_encoding::BASE64.encode(&mac))
            .header("x-wc-webhook-id", "1")
            .header(DELIVERY, unsigned.delivery);
        sent(request, unsigned.body)
    }
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
