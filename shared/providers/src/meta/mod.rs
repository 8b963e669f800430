//! Meta (Facebook, Instagram, WhatsApp): hexadecimal HMAC-SHA256 over the body. See the README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;

use super::query;
use super::{Covers, Handshake, Label, Need, Profile, Provider, Sample, Scheme, Unsigned};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use hooktide_model::signing;

const SIGNATURE: &str = "x-hub-signature-256";
const APP_SECRET: &str = "app_secret";
const VERIFY_TOKEN: &str = "verify_token";
/// What stands before the MAC.
const SORT: &str = "sha256=";
/// The longest challenge that is sent back; Meta's have about ten digits.
const LONGEST_CHALLENGE: usize = 256;

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "meta",
    needs: &[
        Need { name: APP_SECRET, required: true, about: "the app's secret, which signs its webhooks" },
        Need {
            name: VERIFY_TOKEN,
            required: true,
            about: "the text that you made up for the app's webhooks; Meta sends it when the address is set",
        },
    ],
    topics: payload::TOPICS,
    // Most objects are tried for 36 hours, WhatsApp's for 7 days.
    window: Duration::from_secs(7 * 24 * 3600),
    identity: "a hash of object, entry, field and value; where the value is always the same, with the time",
    schemes: &[Scheme::header(SIGNATURE, Covers::BODY)],
    signs_account: true,
    headers: &[],
    needed: &[
        "object",
        "entry[].id",
        "entry[].changes[].field",
        "entry[].changed_fields[]",
        "entry[].messaging",
        "entry[].standby",
    ],
    optional: &[],
    items: &["entry", "entry[].changes"],
    own_marks: &[],
    sample_account: "104582371493610",
    sample_secrets: &[(APP_SECRET, "hush-meta-app-secret"), (VERIFY_TOKEN, "hush-meta-verify-token")],
};

/// The provider.
pub(super) struct Meta;

impl Provider for Meta {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn handshake(&self, request: &Request<Bytes>, _url: &str, secrets: &Secrets, now: Timestamp) -> Option<Handshake> {
        if request.method() != Method::GET {
            return None;
        }
        let [mode, token, challenge] =
            ["hub.mode", "hub.verify_token", "hub.challenge"].map(|name| query::parameter(request.uri(), name));
        if ![&mode, &token, &challenge].into_iter().any(query::Parameter::is_there) {
            return None;
        }
        let is_ours = |token: &str| {
            let tokens = secrets.live(VERIFY_TOKEN, now).filter(|live| !live.secret.expose().is_empty());
            // All of them, so that the time does not say which one it was.
            tokens.fold(false, |found, live| signing::equal(live.secret.expose(), token.as_bytes()) | found)
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
        Some(Handshake::Answer(answer))
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let header = signing::signature_header(request.headers(), SIGNATURE)?;
        let signature = signing::strict_hex(header.strip_prefix(SORT).ok_or(AuthFault::Malformed)?)?;
        signing::verify_mac(secrets, APP_SECRET, now, &signature, |key| signing::hmac_sha256(key, &[request.body()]))
    }

    fn label(&self, verified: &Verified) -> Label {
        Label { topic: payload::topic(verified), ..Label::default() }
    }

    fn check_secret(&self, _name: &str, secret: &Secret) -> Result<(), &'static str> {
        // A space at an end comes from copying, and is never seen again.
        let fits = secret.expose_text().is_some_and(|text| !text.is_empty() && text.trim() == text);
        if fits { Ok(()) } else { Err("must be a text without white space around it") }
    }

    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault> {
        payload::notices(verified)
    }

    fn normalise_account(&self, account: &str) -> String {
        payload::account(account)
    }

    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes> {
        sample::body(topic, sample)
    }

    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault> {
        let mac = signing::hmac_sha256(unsigned.secret(APP_SECRET)?.secret.expose(), &[&unsigned.body]);
        Request::post(unsigned.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, format!("{SORT}{}", data_encoding::HEXLOWER.encode(&mac)))
            .body(unsigned.body)
            .map_err(|error| Fault::failed(format!("the sample request: {error}")))
    }
}
