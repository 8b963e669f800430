//! Clover: apps are told with a fixed code, Hosted Checkout with an HMAC-SHA256 over the time and the body. See the
//! README beside this file.

mod payload;
mod sample;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};

use self::payload::{Checkout, Message, Named};
use super::lenient::Object;
use super::{Becomes, Covers, Handshake, Label, Need, Profile, Provider, Sample, Scheme, Topic, Unsigned};
use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use hooktide_model::signing;

const AUTH: &str = "x-clover-auth";
const SIGNATURE: &str = "clover-signature";
const AUTH_CODE: &str = "auth_code";
const SIGNING_SECRET: &str = "signing_secret";

/// What Hosted Checkout tells of is called so, with its `type` after it.
const CHECKOUT: &str = "hosted-checkout/";
/// How far the signed time may be from ours.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What it is, as data.
const PROFILE: Profile = Profile {
    id: "clover",
    needs: &[
        Need {
            name: AUTH_CODE,
            required: false,
            about: "for apps: the Clover Auth Code, which the developer dashboard shows once the webhook URL is \
                        verified",
        },
        Need {
            name: SIGNING_SECRET,
            required: false,
            about: "for Hosted Checkout: the signing secret from the merchant's Hosted Checkout settings",
        },
    ],
    topics: {
        const fn sync(name: &'static str, resource: &'static str) -> Topic {
            Topic::new(name, Becomes::Sync(resource))
        }
        const fn ignored(name: &'static str, reason: &'static str) -> Topic {
            Topic::new(name, Becomes::Ignored(reason))
        }
        const TOPICS: &[Topic] = &[
            sync("I", "catalog"),
            sync("IA", "catalog"),
            sync("IC", "catalog"),
            sync("IG", "catalog"),
            sync("IM", "catalog"),
            sync("IS", "stock"),
            sync("O", "orders"),
            sync(payload::PAYMENT_KEY, payload::PAYMENTS),
            ignored("A", "connections are removed by their owner"),
            ignored("C", "customers are not used"),
            ignored("CA", "cash adjustments are not used"),
            ignored("E", "employees are not used"),
            ignored("M", "properties of merchants are not used"),
            ignored("SH", "service hours are not used"),
            Topic::new("hosted-checkout/PAYMENT", Becomes::Kind(Kind::Transaction)),
        ];
        TOPICS
    },
    // Clover publishes no schedule of retries.
    window: Duration::from_secs(72 * 3600),
    identity: "merchant, object, operation and time; of Hosted Checkout: merchant, type, id and status",
    schemes: {
        const SCHEMES: &[Scheme] =
            &[Scheme::header(AUTH, Covers::NOTHING), Scheme::header(SIGNATURE, Covers::BODY_AND_TIME)];
        SCHEMES
    },
    // The weaker of the schemes counts: the code signs nothing. And each merchant has a signing secret of its own,
    // with which it can name any other.
    signs_account: false,
    // Kept to tell later that it was the signature that was verified; never the code, which is a secret.
    headers: &[SIGNATURE],
    needed: &["merchants.*[].objectId", "type", "id", "status", "merchantId", "Type", "Id", "Status", "MerchantId"],
    optional: &[],
    items: &["merchants.*"],
    own_marks: &[],
    sample_account: "SAMPLEMERCH01",
    sample_secrets: &[(AUTH_CODE, "hush-clover-auth-code"), (SIGNING_SECRET, "hush-clover-signing-secret")],
};

/// The provider.
pub(super) struct Clover;

impl Provider for Clover {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn shares_secret(&self) -> bool {
        true
    }

    fn api(&self) -> Option<&'static str> {
        Some("https://api.clover.com")
    }

    fn handshake(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        _secrets: &Secrets,
        _now: Timestamp,
    ) -> Option<Handshake> {
        let has = |name| request.headers().contains_key(name);
        if request.method() != Method::POST || has(AUTH) || has(SIGNATURE) {
            return None;
        }
        payload::verification_code(request.body()).map(Handshake::Keep)
    }

    fn source(&self, kind: Kind) -> Option<&'static str> {
        (kind == Kind::Transaction).then_some(payload::PAYMENTS)
    }

    fn verify(
        &self,
        request: &Request<Bytes>,
        _url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault> {
        let headers = request.headers();
        let has_code = headers.contains_key(AUTH);
        match signing::signature_header(headers, SIGNATURE) {
            // Hashed, so that neither the time nor the length tells anything of the code.
            Err(AuthFault::Missing) if !headers.contains_key(SIGNATURE) => {
                let code = signing::sha256(&[signing::signature_header(headers, AUTH)?.as_bytes()]);
                signing::verify_mac(secrets, AUTH_CODE, now, &code, |own| signing::sha256(&[own]))
            }
            _ if has_code => Err(AuthFault::Malformed),
            signature => {
                let (time, signed_at, signature) = parts(signature?)?;
                let signature = signing::strict_hex(signature)?;
                let mac = |key: &[u8]| signing::hmac_sha256(key, &[time.as_bytes(), b".", request.body()]);
                let key = signing::verify_mac(secrets, SIGNING_SECRET, now, &signature, mac)?;
                signing::signed_lately(signed_at, now, TOLERANCE)?;
                Ok(key)
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

    fn check_secret(&self, name: &str, secret: &Secret) -> Result<(), &'static str> {
        let sendable = |code: &[u8]| (8..=512).contains(&code.len()) && code.iter().all(u8::is_ascii_graphic);
        if name == AUTH_CODE && !sendable(secret.expose()) {
            return Err("it must be the code as the developer dashboard shows it, without white space");
        }
        Ok(())
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
        request.body(unsigned.body).map_err(|error| Fault::failed(format!("the sample request: {error}")))
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
