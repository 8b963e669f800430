//! eBay: ECDSA over the body by a key that eBay publishes under the id that the signature names. See the README beside
//! this file.

mod fetch;
mod key;
mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;

use self::key::{Proof, PublicKey, SampleKey};
use super::query::{self, Parameter};
use super::{
    Becomes, Covers, Handshake, Label, Need, Profile, Provider, RemoteKeys, Sample, Scheme, Unsigned, reading,
};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use hooktide_model::signing;

const SIGNATURE: &str = "x-ebay-signature";
const VERIFICATION_TOKEN: &str = "verification_token";
const PUBLIC_KEY: &str = "public_key";
const SAMPLE_KEY: &str = "sample_key";
const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";
/// The longest challenge code; eBay sends 64 characters.
const LONGEST_CODE: usize = 256;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "ebay",
    needs: {
        const fn need(name: &'static str, required: bool, about: &'static str) -> Need {
            Need { name, required, about }
        }
        const NEEDS: &[Need] = &[
            need(
                VERIFICATION_TOKEN,
                true,
                "the token that you made up for the endpoint: 32 to 80 letters, digits, `-` and `_`",
            ),
            need(CLIENT_ID, false, "the app's id (App ID), with which the keys of signatures are fetched"),
            need(CLIENT_SECRET, false, "the app's secret (Cert ID), with which the keys of signatures are fetched"),
            need(
                PUBLIC_KEY,
                false,
                "a key that is not fetched: eBay's answer to getPublicKey, with the key's id beside it as `kid`",
            ),
            need(
                SAMPLE_KEY,
                false,
                "signs samples and demos, verifies nothing: `kid` and, as `key`, a private key's 64 hexadecimal digits",
            ),
        ];
        NEEDS
    },
    topics: payload::TOPICS,
    // eBay tries three times, and does not say over how long.
    window: Duration::from_secs(72 * 3600),
    identity: "`notificationId`, which is signed",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    signs_account: true,
    headers: &[],
    needed: &[
        "metadata.topic",
        "notification.notificationId",
        "notification.data.userId",
        "notification.data.username",
        "notification.data.eiasToken",
        "notification.data.user.userId",
        "notification.data.user.username",
        "notification.data.seller.userId",
        "notification.data.seller.username",
        "notification.data.itemMarkedShipped.username",
    ],
    optional: &[],
    items: &[],
    own_marks: &["notification.notificationId"],
    sample_account: "sampleseller",
    sample_secrets: &[
        (VERIFICATION_TOKEN, "hush-ebay-verification-token-of-the-samples"),
        (SAMPLE_KEY, sample::KEY),
        (PUBLIC_KEY, sample::PUBLIC_KEY),
    ],
};

/// The provider.
pub(super) struct Ebay;

impl Provider for Ebay {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://api.ebay.com")
    }

    fn handshake(&self, request: &Request<Bytes>, url: &str, secrets: &Secrets, now: Timestamp) -> Option<Handshake> {
        if request.method() != Method::GET {
            return None;
        }
        let code = query::parameter(request.uri(), "challenge_code");
        if code == Parameter::None {
            return None;
        }
        // The newest: it is the one that was given to eBay last.
        let token = secrets.live(VERIFICATION_TOKEN, now).find(|live| !live.secret.expose().is_empty());
        let mut answer = Response::new(Bytes::new());
        match (code.fitting(|code| query::is_plain(code, LONGEST_CODE)), token) {
            (Some(code), Some(token)) => {
                let hash = signing::sha256(&[code.as_bytes(), token.secret.expose(), url.as_bytes()]);
                let hash = data_encoding::HEXLOWER.encode(&hash);
                answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
                *answer.body_mut() = format!(r#"{{"challengeResponse":"{hash}"}}"#).into();
            }
            (None, _) => *answer.status_mut() = StatusCode::BAD_REQUEST,
            (Some(_), None) => *answer.status_mut() = StatusCode::FORBIDDEN,
        }
        Some(Handshake::Answer(answer))
    }

    fn remote_keys(&self) -> Option<&dyn RemoteKeys> {
        Some(&fetch::Keys)
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let proof = Proof::read(request.headers())?;
        let mut keys = secrets.live(PUBLIC_KEY, now).filter(|live| !live.secret.expose().is_empty()).peekable();
        keys.peek().ok_or(AuthFault::NoSecret)?;
        let by = |key: PublicKey| proof.is_by(&key, request.body());
        let key = keys.find(|live| PublicKey::of(live).is_some_and(by));
        key.map(|live| live.id.clone()).ok_or(AuthFault::Mismatch)
    }

    fn label(&self, verified: &Verified) -> Label {
        let message = payload::message(verified).ok();
        let (topic, delivery) = message.map(|message| (message.topic, message.id)).unzip();
        Label { topic, delivery, priority: false }
    }

    fn check_secret(&self, name: &str, secret: &Secret) -> Result<(), &'static str> {
        let text = secret.expose_text().unwrap_or_default();
        let (fits, form) = match name {
            VERIFICATION_TOKEN => {
                (text.len() >= 32 && query::is_plain(text, 80), "must be 32 to 80 letters, digits, `-` and `_`")
            }
            PUBLIC_KEY => (
                key::is_pinned(secret),
                "must be JSON with `kid`, `key`, `algorithm` and `digest`, the last three as eBay gives them",
            ),
            SAMPLE_KEY => (
                SampleKey::of(secret).is_some(),
                "must be JSON with `kid` and, as `key`, the 64 hexadecimal digits of a P-256 private key",
            ),
            _ => (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()), "must be plain text"),
        };
        if fits { Ok(()) } else { Err(form) }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        let message = payload::message(verified)?;
        let becomes = PROFILE.becomes(&message.topic);
        let (account, what) = match becomes {
            // It comes about any user of eBay, not about a seller who is connected.
            Some(Becomes::Privacy) => (None, message.privacy()?),
            Some(Becomes::Sync(_)) => (message.account()?, reading::told(becomes)),
            Some(Becomes::Ignored(_)) => (message.account().unwrap_or_default(), reading::told(becomes)),
            Some(Becomes::Kind(_)) => (None, reading::told(becomes)),
            None => (None, reading::unknown(&message.topic)),
        };
        Ok(vec![Notice { account, identity: message.id, what }])
    }

    fn normalise_account(&self, account: &str) -> String {
        payload::account(account)
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let secret = &unsigned.secret(SAMPLE_KEY)?.secret;
        let proof = SampleKey::of(secret).and_then(|key| key.proof(&unsigned.body));
        let unusable = || Fault::permanent(ErrorClass::Unreadable, format!("the secret `{SAMPLE_KEY}` is no such key"));
        Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, proof.ok_or_else(unusable)?)
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}
