//! Clover's webhooks: two products, each with its own proof.

mod payload;
mod sample;

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};

use self::payload::{Checkout, Message, Named};
use super::{AUTH, AUTH_CODE, Clover, PROFILE, SIGNATURE, SIGNING_SECRET};
use crate::lenient::Object;
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, HandshakeReply, Label, Proved, Sample, Unsigned, Webhooks};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;

/// The beginning of the topics of Hosted Checkout; its `type` comes after it.
const CHECKOUT: &str = "hosted-checkout/";
/// How far the signed time may be from ours.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

impl Webhooks for Clover {
    fn handshake(&self, arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        let has = |name| arrival.headers().contains_key(name);
        if arrival.request.method() != Method::POST || has(AUTH) || has(SIGNATURE) {
            return None;
        }
        payload::verification_code(arrival.body()).map(HandshakeReply::Keep)
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let headers = arrival.headers();
        let has_code = headers.contains_key(AUTH);
        match arrival.signature(SIGNATURE) {
            // Hashed, so that neither the time nor the length tells anything of the code.
            Err(AuthFault::Missing) if !headers.contains_key(SIGNATURE) => {
                let code = signing::sha256(&[arrival.signature(AUTH)?.as_bytes()]);
                arrival.verify_mac(AUTH_CODE, &code, |own| signing::sha256(&[own]))
            }
            _ if has_code => Err(AuthFault::Malformed),
            signature => {
                let (time, signed_at, signature) = parts(signature?)?;
                let signature = signing::strict_hex(signature)?;
                let mac = |key: &[u8]| signing::hmac_sha256(key, &[time.as_bytes(), b".", arrival.body()]);
                let proved = arrival.verify_mac(SIGNING_SECRET, &signature, mac)?;
                signing::signed_lately(signed_at, arrival.now, TOLERANCE)?;
                Ok(proved)
            }
        }
    }

    fn label(&self, verified: &Verified) -> Label {
        if verified.header(SIGNATURE).is_some() {
            return verified.json::<Object<Named<'_>>>().map(|Object(named)| named.label()).unwrap_or_default();
        }
        let message = Message::read(verified).ok();
        let priority = message.as_ref().is_some_and(Message::has_payment);
        Label { topic: message.and_then(|message| message.topic()), delivery: None, priority }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        // What the code lets in must never pass for a signed payment, whatever it looks like.
        match signed_at(verified) {
            Some(signed_at) => Ok(vec![verified.json::<Object<Checkout<'_>>>()?.0.notice(signed_at)?]),
            None => Ok(Message::read(verified)?.notices(verified.body())),
        }
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        let known = PROFILE.becomes(topic).is_some();
        if known { sample::body(topic, sample) } else { None }
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let (code, secret) = (unsigned.secret(AUTH_CODE), unsigned.secret(SIGNING_SECRET));
        // An endpoint of one product signs with what it has.
        let signs = if unsigned.topic.starts_with(CHECKOUT) { secret.is_ok() } else { code.is_err() };
        let request = Request::post(unsigned.url).header("content-type", "application/json");
        let request = if signs {
            let time = unsigned.now.as_second().to_string();
            let mac = signing::hmac_sha256(secret?.secret.expose(), &[time.as_bytes(), b".", &unsigned.body]);
            request.header(SIGNATURE, format!("t={time},v1={}", data_encoding::HEXLOWER.encode(&mac)))
        } else {
            request.header(AUTH, code?.secret.expose())
        };
        sent(request, unsigned.body)
    }
}

/// The parts of `t=<seconds>,v1=<hexadecimal>`: the time as it is signed, the time, the MAC as it is written.
fn parts(header: &str) -> Result<(&str, Timestamp, &str), AuthFault> {
    let parts = header.strip_prefix("t=").and_then(|rest| rest.split_once(','));
    let parts = parts.and_then(|(time, rest)| Some((time, rest.strip_prefix("v1=")?)));
    let (time, mac) = parts.ok_or(AuthFault::Malformed)?;
    if time.is_empty() || !time.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(AuthFault::Malformed);
    }
    let seconds = time.parse().map_err(|_| AuthFault::Malformed)?;
    let signed_at = Timestamp::from_second(seconds).map_err(|_| AuthFault::Malformed)?;
    Ok((time, signed_at, mac))
}

/// When it was signed; `None` if it came with the code, which signs nothing.
fn signed_at(verified: &Verified) -> Option<Timestamp> {
    parts(verified.header(SIGNATURE)?).ok().map(|(_, signed_at, _)| signed_at)
}
