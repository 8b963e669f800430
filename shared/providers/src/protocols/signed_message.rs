//! The scheme of Standard Webhooks, which several providers share: id, time and body are signed together, and one
//! signature of a list suffices.
//!
//! `v1` is HMAC-SHA256 keyed with the decoded bytes of a `whsec_` secret, `v1a` is Ed25519 with a `whpk_` public key. Both
//! are given under one name, and other versions are passed over. However long the list is, a live secret costs one MAC.

use bytes::Bytes;
use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use http::{HeaderMap, Request};
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::sample::sent;
use crate::{Arrival, Proved, Unsigned};
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::secret::Secret;
use hooktide_model::signing;

/// How far the time of an attempt may be from now, both ways: as in the reference libraries.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// The longest id of a message, in bytes.
const LONGEST_ID: usize = 255;
/// The longest time in Unix seconds, in digits.
const LONGEST_TIME: usize = 12;

const SECRET: &str = "whsec_";
/// The text that some dashboards show before a shared secret: the version of the signatures that it makes.
const SHARED_VERSION: &str = "v1,";
const PUBLIC_KEY: &str = "whpk_";
const PRIVATE_KEY: &str = "whsk_";

/// The names of the three headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    /// The id of the message: the same whenever it is tried again.
    pub(crate) id: &'static str,
    /// When it was sent, this time, in Unix seconds.
    pub(crate) timestamp: &'static str,
    /// The signatures, separated by spaces.
    pub(crate) signature: &'static str,
}

impl Names {
    /// As the specification has them.
    pub(crate) const STANDARD: Self =
        Self { id: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" };

    /// Whether a request has any of them.
    pub(crate) fn any(&self, headers: &HeaderMap) -> bool {
        [self.id, self.timestamp, self.signature].iter().any(|name| headers.contains_key(*name))
    }
}

/// Finds the live secret of `name` that one of the signatures fits.
pub(crate) fn verify(arrival: &Arrival<'_>, names: &Names, name: &str) -> Result<Proved, AuthFault> {
    let live = arrival.secrets.live(name, arrival.now);
    let keys = live.filter_map(|live| Some((&live.id, Key::read(&live.secret).ok()?))).collect::<Vec<_>>();
    if keys.is_empty() {
        return Err(AuthFault::NoSecret);
    }
    let signatures = Signatures::read(arrival.signature(names.signature)?)?;
    let id = arrival.signature(names.id)?;
    let timestamp = arrival.signature(names.timestamp)?;
    if !is_id(id) {
        return Err(AuthFault::Malformed);
    }
    // Before any work that whoever sends an old message again could cause.
    signing::signed_lately(time(timestamp)?, arrival.now, TOLERANCE)?;

    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", arrival.body()];
    // Ed25519 needs the message in one piece.
    let message = if signatures.ed25519.is_empty() { Vec::new() } else { parts.concat() };
    let mut verified = None;
    for (id, key) in keys {
        let fits = match key {
            Key::Shared(key) => {
                let mac = signing::hmac_sha256(&key, &parts);
                signatures.macs.iter().fold(false, |fits, given| fits | signing::equal(&mac, given))
            }
            Key::Public(key) => signatures.ed25519.iter().any(|given| key.verify_strict(&message, given).is_ok()),
        };
        if fits && verified.is_none() {
            verified = Some(Proved::from(id.clone()));
        }
    }
    verified.ok_or(AuthFault::Mismatch)
}

/// Whether a secret is a key of the scheme; the text says what is wrong with it.
pub(crate) fn check_secret(secret: &Secret) -> Result<(), &'static str> {
    Key::read(secret).map(drop)
}

/// A sample, signed with the newest live secret of `name`: `v1` with a shared secret, `v1a` with a `whsk_` private key.
pub(crate) fn sign(unsigned: Unsigned<'_>, name: &'static str) -> Result<Request<Bytes>, Fault> {
    let timestamp = unsigned.now.as_second().to_string();
    let parts: [&[u8]; 5] = [unsigned.delivery.as_bytes(), b".", timestamp.as_bytes(), b".", unsigned.body.as_ref()];
    let no_key = |what: &str| Fault::permanent(ErrorClass::Unreadable, format!("secret `{name}`: {what}"));
    let secret = &unsigned.secret(name)?.secret;
    let signature = match secret.expose_text().and_then(|text| text.strip_prefix(PRIVATE_KEY)) {
        Some(seed) => {
            let seed = Zeroizing::new(bytes_of::<32>(seed).ok_or_else(|| no_key("not the seed of an Ed25519 key"))?);
            format!("v1a,{}", BASE64.encode(&SigningKey::from_bytes(&seed).sign(&parts.concat()).to_bytes()))
        }
        None => match Key::read(secret).map_err(no_key)? {
            Key::Shared(key) => format!("v1,{}", BASE64.encode(&signing::hmac_sha256(&key, &parts))),
            Key::Public(_) => return Err(no_key("a public key cannot sign; give the `whsk_` key that it belongs to")),
        },
    };
    let request = Request::post(unsigned.url)
        .header("content-type", "application/json")
        .header(Names::STANDARD.id, unsigned.delivery)
        .header(Names::STANDARD.timestamp, timestamp)
        .header(Names::STANDARD.signature, signature);
    sent(request, unsigned.body)
}

/// A key that signatures are checked with.
enum Key {
    Shared(Zeroizing<Vec<u8>>),
    Public(Box<VerifyingKey>),
}

impl Key {
    fn read(secret: &Secret) -> Result<Self, &'static str> {
        let text = secret.expose_text().ok_or("must be text: `whsec_` and base64")?;
        if text.starts_with(PRIVATE_KEY) {
            return Err(
                "a `whsk_` key is the sender's own; give the public key that belongs to it, `whpk_` and base64",
            );
        }
        if let Some(key) = text.strip_prefix(PUBLIC_KEY) {
            let key = bytes_of::<32>(key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
            let key = key.filter(|key| !key.is_weak());
            return key
                .map(|key| Self::Public(Box::new(key)))
                .ok_or("must be `whpk_` and the base64 of an Ed25519 key");
        }
        // The reference libraries take it without the prefix as well, and some dashboards show it with the version before it.
        let text = text.strip_prefix(SHARED_VERSION).filter(|text| text.starts_with(SECRET)).unwrap_or(text);
        let key = signing::strict_base64(text.strip_prefix(SECRET).unwrap_or(text)).map(Zeroizing::new);
        let key = key.ok().filter(|key| (24..=64).contains(&key.len()));
        key.map(Self::Shared).ok_or("must be `whsec_` and the base64 of 24 to 64 bytes, as the sender shows it")
    }
}

/// The signatures of a header that we know how to check. The header's length bounds them.
struct Signatures {
    macs: Vec<[u8; 32]>,
    ed25519: Vec<Signature>,
}

impl Signatures {
    /// Passes over what is of another version or not strictly encoded; one that can be read must be left.
    fn read(header: &str) -> Result<Self, AuthFault> {
        let (mut macs, mut ed25519) = (Vec::new(), Vec::new());
        for (version, signature) in header.split(' ').filter_map(|entry| entry.split_once(',')) {
            match version {
                "v1" => macs.extend(bytes_of(signature)),
                "v1a" => ed25519.extend(bytes_of(signature).map(|bytes| Signature::from_bytes(&bytes))),
                _ => {}
            }
        }
        if macs.is_empty() && ed25519.is_empty() { Err(AuthFault::Malformed) } else { Ok(Self { macs, ed25519 }) }
    }
}

/// Exactly so many bytes, in strict base64.
fn bytes_of<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    signing::strict_base64(text).ok()?.try_into().ok()
}

/// With a dot in it, the same bytes could be another id with another time.
fn is_id(text: &str) -> bool {
    text.len() <= LONGEST_ID && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

/// Unix seconds, in digits only: what is signed is the text.
fn time(text: &str) -> Result<Timestamp, AuthFault> {
    let digits = text.len() <= LONGEST_TIME && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits && !text.starts_with('0'));
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or(AuthFault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_a_secret() {
        let said = |text: &str| check_secret(&Secret::new(text)).err().unwrap_or("right");
        let bytes = |prefix: &str, count: usize| format!("{prefix}{}", BASE64.encode(&vec![7; count]));
        for right in [bytes("whsec_", 24), bytes("whsec_", 64), bytes("", 32), bytes("v1,whsec_", 32)] {
            assert_eq!(said(&right), "right", "{right}");
        }
        assert_eq!(said("whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g="), "right");
        let short = bytes("whsec_", 23);
        for wrong in [
            "",
            "whsec_",
            &short,
            &bytes("whsec_", 65),
            &bytes("WHSEC_", 32),
            &bytes("v1,", 32),
            &bytes("v1a,whsec_", 32),
            "hush",
            &format!("{short}\n"),
        ] {
            assert!(said(wrong).contains("24 to 64 bytes"), "{wrong}");
        }
        assert!(said(&bytes("whsk_", 32)).contains("the public key"));
        let identity = format!("whpk_{}", BASE64.encode(&[[1].as_slice(), &[0; 31]].concat()));
        for wrong in ["whpk_", &bytes("whpk_", 31), &identity] {
            assert!(said(wrong).contains("Ed25519"), "{wrong}");
        }
    }

    #[test]
    fn an_id_has_no_dot_and_a_time_is_digits() {
        assert!(is_id("msg_p5jXN8AQM9LWM0D4loKWxJek") && is_id(&"x".repeat(LONGEST_ID)));
        for text in ["a.b", "a b", "a\tb", &"x".repeat(LONGEST_ID + 1)] {
            assert!(!is_id(text), "{text:?}");
        }
        assert_eq!(time("1614265330"), Ok(Timestamp::constant(1_614_265_330, 0)));
        for text in ["", "0", "+1614265330", "-1614265330", "01614265330", "1614265330.0", "1e9", "9999999999999"] {
            assert_eq!(time(text), Err(AuthFault::Malformed), "{text:?}");
        }
    }
}
