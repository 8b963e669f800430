//! eBay's webhooks: the proof is of the body, by a key that the signature names.

mod payload;
mod sample;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};

use super::secrets::{PUBLIC_KEY, SAMPLE_KEY, VERIFICATION_TOKEN};
use super::{Ebay, PROFILE, SIGNATURE};
use crate::ebay::key::{Proof, PublicKey, SampleKey};
use crate::protocols::query::{self, Parameter};
use crate::sample::sent;
use crate::verified::Verified;
use crate::{Arrival, Becomes, HandshakeReply, Label, Proved, Sample, Unsigned, Webhooks, reading};
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::signing;

pub(super) use self::sample::{KEY as SAMPLE_PRIVATE_KEY, PUBLIC_KEY as SAMPLE_PUBLIC_KEY};

/// The longest challenge code; eBay sends 64 characters.
const LONGEST_CODE: usize = 256;

impl Webhooks for Ebay {
    fn handshake(&self, arrival: &Arrival<'_>) -> Option<HandshakeReply> {
        if arrival.request.method() != Method::GET {
            return None;
        }
        let code = query::parameter(arrival.request.uri(), "challenge_code");
        if code == Parameter::None {
            return None;
        }
        // The newest token is the one that was given to eBay last.
        let token = arrival.live(VERIFICATION_TOKEN).next();
        let mut answer = Response::new(Bytes::new());
        match (code.fitting(|code| query::is_plain(code, LONGEST_CODE)), token) {
            (Some(code), Some(token)) => {
                let hash = signing::sha256(&[code.as_bytes(), token.secret.expose(), arrival.url.as_bytes()]);
                let hash = data_encoding::HEXLOWER.encode(&hash);
                answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
                *answer.body_mut() = format!(r#"{{"challengeResponse":"{hash}"}}"#).into();
            }
            (None, _) => *answer.status_mut() = StatusCode::BAD_REQUEST,
            (Some(_), None) => *answer.status_mut() = StatusCode::FORBIDDEN,
        }
        Some(HandshakeReply::Answer(answer))
    }

    fn verify(&self, arrival: &Arrival<'_>) -> Result<Proved, AuthFault> {
        let proof = Proof::read(arrival.headers())?;
        let mut keys = arrival.live(PUBLIC_KEY).peekable();
        keys.peek().ok_or(AuthFault::NoSecret)?;
        let by = |key: PublicKey| proof.is_by(&key, arrival.body());
        let key = keys.find(|live| PublicKey::of(live).is_some_and(by));
        key.map(|live| live.id.clone().into()).ok_or(AuthFault::Mismatch)
    }

    fn label(&self, verified: &Verified) -> Label {
        let message = payload::message(verified).ok();
        let (topic, delivery) = message.map(|message| (message.topic, message.id)).unzip();
        Label { topic, delivery, priority: false }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let message = payload::message(verified)?;
        let becomes = PROFILE.becomes(&message.topic);
        let (account, what) = match becomes {
            // Such a request may be about any user of eBay, not only about a connected seller.
            Some(Becomes::Privacy) => (None, message.privacy()?),
            Some(Becomes::Sync(_)) => (message.account()?, reading::told(becomes)),
            Some(Becomes::Ignored(_)) => (message.account().unwrap_or_default(), reading::told(becomes)),
            Some(Becomes::Kind(_)) => (None, reading::told(becomes)),
            None => (None, reading::unknown(&message.topic)),
        };
        Ok(vec![Notice { account, identity: message.id, what }])
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let secret = &unsigned.secret(SAMPLE_KEY)?.secret;
        let proof = SampleKey::of(secret).and_then(|key| key.proof(&unsigned.body));
        let unusable = || Fault::permanent(ErrorClass::Unreadable, format!("the secret `{SAMPLE_KEY}` is no such key"));
        let request = Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, proof.ok_or_else(unusable)?);
        sent(request, unsigned.body)
    }
}
