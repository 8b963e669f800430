//! Signatures: MACs over exact bytes, strict encodings, comparison in constant time, several live keys.
//!
//! Nothing else in the project compares a signature, a token or a key.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::fault::AuthFault;
use crate::secret::{KeyId, LiveSecret, Secrets};

/// The longest signature header that is looked at, in bytes.
const LONGEST_HEADER: usize = 512;

/// HMAC-SHA256 over the parts, one after the other.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// SHA-256 over the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 as lower-case hexadecimal text.
pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&sha256(&[bytes]))
}

/// Whether two texts or keys are equal, in time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// The one value of a signature header: there, once, not empty, plain ASCII, not overlong.
pub fn signature_header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, AuthFault> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(AuthFault::Missing)?;
    if values.next().is_some() || value.len() > LONGEST_HEADER {
        return Err(AuthFault::Malformed);
    }
    let value = value.to_str().map_err(|_| AuthFault::Malformed)?;
    if value.is_empty() { Err(AuthFault::Missing) } else { Ok(value) }
}

/// Decodes strict base64: canonical padding, no white space, no stray bits.
pub fn strict_base64(text: &str) -> Result<Vec<u8>, AuthFault> {
    // The library also takes several padded texts, one after the other.
    if text.trim_end_matches('=').contains('=') {
        return Err(AuthFault::Malformed);
    }
    BASE64.decode(text.as_bytes()).map_err(|_| AuthFault::Malformed)
}

/// Decodes strict lower-case hexadecimal.
pub fn strict_hex(text: &str) -> Result<Vec<u8>, AuthFault> {
    HEXLOWER.decode(text.as_bytes()).map_err(|_| AuthFault::Malformed)
}

/// Refuses what was signed longer than `tolerance` ago or ahead.
pub fn signed_lately(signed_at: Timestamp, now: Timestamp, tolerance: SignedDuration) -> Result<(), AuthFault> {
    if signed_at.duration_since(now).abs() > tolerance { Err(AuthFault::Expired) } else { Ok(()) }
}

/// The token of a subscription: which key it is derived from, and a MAC of the subscription's id.
pub fn subscription_token(key: &LiveSecret, subscription: &str) -> String {
    let mac = hmac_sha256(key.secret.expose(), &[subscription.as_bytes()]);
    format!("{}.{}", key.id, HEXLOWER.encode(&mac))
}

/// Finds the key among the live secrets of `name` that the token of a subscription was derived from.
pub fn verify_token(
    secrets: &Secrets,
    name: &str,
    now: Timestamp,
    token: &str,
    subscription: &str,
) -> Result<KeyId, AuthFault> {
    let mut keys = secrets.live(name, now).filter(|live| !live.secret.expose().is_empty()).peekable();
    keys.peek().ok_or(AuthFault::NoSecret)?;
    let (id, mac) = token.split_once('.').ok_or(AuthFault::Malformed)?;
    let mac = strict_hex(mac)?;
    let key = keys.find(|live| live.id.0 == id).ok_or(AuthFault::Mismatch)?;
    let expected = hmac_sha256(key.secret.expose(), &[subscription.as_bytes()]);
    if equal(&expected, &mac) { Ok(key.id.clone()) } else { Err(AuthFault::Mismatch) }
}

/// Finds the live secret of `name` whose MAC is `signature`; each live secret costs one MAC.
///
/// Refuses when there is none: nothing is ever accepted unverified.
pub fn verify_mac(
    secrets: &Secrets,
    name: &str,
    now: Timestamp,
    signature: &[u8],
    mac: impl Fn(&[u8]) -> [u8; 32],
) -> Result<KeyId, AuthFault> {
    let mut verified = None;
    let mut any = false;
    // An empty secret would let everybody sign.
    for live in secrets.live(name, now).filter(|live| !live.secret.expose().is_empty()) {
        any = true;
        if equal(&mac(live.secret.expose()), signature) && verified.is_none() {
            verified = Some(live.id.clone());
        }
    }
    if any { verified.ok_or(AuthFault::Mismatch) } else { Err(AuthFault::NoSecret) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn secrets(texts: &[&str]) -> Secrets {
        Secrets::new(
            texts
                .iter()
                .map(|text| LiveSecret {
                    name: "client_secret".into(),
                    id: KeyId((*text).into()),
                    secret: Secret::new(*text),
                    retires_at: None,
                })
                .collect(),
        )
    }

    #[test]
    fn hmac_agrees_with_rfc_4231_case_2() {
        let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(HEXLOWER.encode(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_secret_that_signed_is_named() {
        let mac = |key: &[u8]| hmac_sha256(key, &[b"body"]);
        let verified = verify_mac(&secrets(&["new", "old"]), "client_secret", NOW, &mac(b"old"), mac);
        assert_eq!(verified, Ok(KeyId("old".into())));
    }

    #[test]
    fn without_a_secret_everything_is_refused() {
        let mac = |key: &[u8]| hmac_sha256(key, &[b"body"]);
        assert_eq!(verify_mac(&secrets(&[]), "client_secret", NOW, &mac(b""), mac), Err(AuthFault::NoSecret));
    }

    #[test]
    fn base64_that_is_not_canonical_is_malformed() {
        for text in ["YQ", "YQ=", "YR==", " YQ==", "YQ==\n", "Y Q==", "YQ==YQ=="] {
            assert_eq!(strict_base64(text), Err(AuthFault::Malformed), "{text:?}");
        }
        assert_eq!(strict_base64("YQ=="), Ok(b"a".to_vec()));
    }

    #[test]
    fn a_signature_header_is_there_once_and_not_empty() {
        let mut headers = HeaderMap::new();
        assert_eq!(signature_header(&headers, "x-s"), Err(AuthFault::Missing));
        headers.append("x-s", http::HeaderValue::from_static(""));
        assert_eq!(signature_header(&headers, "x-s"), Err(AuthFault::Missing));
        headers.append("x-s", http::HeaderValue::from_static("YQ=="));
        assert_eq!(signature_header(&headers, "x-s"), Err(AuthFault::Malformed));
    }
}
