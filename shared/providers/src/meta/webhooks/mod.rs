//! Meta's webhooks: the proof is of the body, and a text that we made up is sent when the address is set.

mod payload;
mod sample;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};

use super::{APP_SECRET, Meta, SIGNATURE, VERIFY_TOKEN};
use crate::protocols::query;
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, HandshakeReply, Label, Proved, Sample, Unsigned, Webhooks};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;

/// The text before the MAC.
const SORT: &str = "sha256=";
/// The longest challenge that is sent back; Meta's have about ten digits.
const LONGEST_CHALLENGE: usize = 256;

impl Webhooks for Meta {
    fn handshake(&self, arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        if arrival.request.method() != Method::GET {
            return None;
        }
        let [mode, token, challenge] =
            ["hub.mode", "hub.verify_token", "hub.challenge"].map(|name| query::parameter(arrival.request.uri(), name));
        if ![&mode, &token, &challenge].into_iter().any(query::Parameter::is_there) {
            return None;
        }
        let is_ours = |token: &str| {
            let equals = |own: &[u8]| signing::equal(own, token.as_bytes());
            // All of them, so that the time does not say which one it was.
            arrival.live(VERIFY_TOKEN).fold(false, |found, live| equals(live.secret.expose()) | found)
        };
        let subscribes = mode.fitting(|mode| mode == "subscribe").is_some();
        let challenge = challenge.fitting(|challenge| query::is_plain(challenge, LONGEST_CHALLENGE));
        let mut answer = Response::new(Bytes::new());
        match challenge {
            Some(challenge) if subscribes && token.fitting(is_ours).is_some() => {
                answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("text/plain"));
                *answer.body_mut() = Bytes::copy_from_slice(challenge.as_bytes());
            }
            _ => *answer.status_mut() = StatusCode::FORBIDDEN,
        }
        Some(HandshakeReply::Answer(answer))
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let header = arrival.signature(SIGNATURE)?;
        let signature = signing::strict_hex(header.strip_prefix(SORT).ok_or(AuthFault::Malformed)?)?;
        arrival.verify_mac(APP_SECRET, &signature, |key| signing::hmac_sha256(key, &[arrival.body()]))
    }

    fn label(&self, verified: &Verified) -> Label {
        Label { topic: payload::topic(verified), ..Label::default() }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        payload::notices(verified)
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let mac = signing::hmac_sha256(unsigned.secret(APP_SECRET)?.secret.expose(), &[&unsigned.body]);
        let request = Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, format!("{SORT}{}", data_encoding::HEXLOWER.encode(&mac)));
        sent(request, unsigned.body)
    }
}
