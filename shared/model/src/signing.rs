//! Signatures: MACs over exact bytes, strict encodings, comparison in constant time, several live keys.
//!
//! Nothing else in the project compares a signature, a token or a key.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha1::Sha1;
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

/// What an ECDSA signature is over: this hash of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1. Nobody may choose it anew; some providers sign with nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Hash {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
        }
    }
}

/// What every public key on the curve P-256 begins with as a `SubjectPublicKeyInfo` in DER, up to its point.
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key on the curve P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct P256Key(VerifyingKey);

impl P256Key {
    /// Reads a `SubjectPublicKeyInfo` in DER, with its point uncompressed; nothing else.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        let point = der.strip_prefix(P256_SPKI)?;
        // The library takes other forms of a point too.
        let uncompressed = point.len() == 65 && point.first() == Some(&4);
        if uncompressed { VerifyingKey::from_sec1_bytes(point).ok().map(Self) } else { None }
    }

    /// Whether `signature`, an ECDSA signature in DER, is this key's over the message.
    pub fn verifies(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_der(signature)
            .is_ok_and(|signature| self.0.verify_prehash(&hash.of(message), &signature).is_ok())
    }
}

/// An ECDSA signature in DER by the private key of this scalar on the curve P-256, if it is one.
pub fn sign_p256(scalar: &[u8], hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
    let key = SigningKey::from_slice(scalar).ok()?;
    let signature: Signature = key.sign_prehash(&hash.of(message)).ok()?;
    Some(signature.to_der().as_bytes().to_vec())
}

/// Whether two texts or keys are equal, in time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    // Eight bytes at once, where the library takes one after the other.
    let (left, left_rest) = left.as_chunks();
    let (right, right_rest) = right.as_chunks();
    let words =
        left.iter().zip(right).map(|(left, right)| u64::from_ne_bytes(*left).ct_eq(&u64::from_ne_bytes(*right)));
    words.fold(left_rest.ct_eq(right_rest), |equal, word| equal & word).into()
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

/// The name of the keys that tokens of subscriptions are derived from, among an endpoint's secrets.
pub const SUBSCRIPTION_KEY: &str = "subscription_key";

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

/// The token of a subscription whose id is the provider's to choose, so that it is not known yet when the token is given:
/// it is derived from a `reference` of ours without a dot, which it carries.
pub fn carried_token(key: &LiveSecret, reference: &str) -> String {
    format!("{reference}.{}", subscription_token(key, reference))
}

/// Finds the key among the live secrets of `name` that a [`carried_token`] was derived from.
pub fn verify_carried_token(secrets: &Secrets, name: &str, now: Timestamp, token: &str) -> Result<KeyId, AuthFault> {
    let (reference, token) = token.split_once('.').unwrap_or_default();
    verify_token(secrets, name, now, token, reference)
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

    /// From RFC 6979, A.2.5: the key, and its signatures of "sample".
    const RFC_6979_KEY: &[u8] = &[
        0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1, 0xd6, 0x93, 0x4e, 0x50,
        0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21,
    ];
    const RFC_6979_POINT: &str = concat!(
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    );
    const RFC_6979_SHA1: &str = concat!(
        "304402",
        "20",
        "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32",
        "0220",
        "6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
    );
    const RFC_6979_SHA256: &str = concat!(
        "3046022100",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        "022100",
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    );

    fn rfc_6979_key() -> P256Key {
        let point = HEXLOWER.decode(RFC_6979_POINT.as_bytes()).unwrap();
        P256Key::from_spki(&[P256_SPKI, b"\x04", &point].concat()).unwrap()
    }

    #[test]
    fn ecdsa_agrees_with_rfc_6979() {
        for (hash, signature) in [(Hash::Sha1, RFC_6979_SHA1), (Hash::Sha256, RFC_6979_SHA256)] {
            let signature = HEXLOWER.decode(signature.as_bytes()).unwrap();
            assert!(rfc_6979_key().verifies(hash, b"sample", &signature), "{hash:?}");
            assert!(!rfc_6979_key().verifies(hash, b"simple", &signature), "{hash:?}");
            let other = if hash == Hash::Sha1 { Hash::Sha256 } else { Hash::Sha1 };
            assert!(!rfc_6979_key().verifies(other, b"sample", &signature), "{other:?}");
        }
        let signed = sign_p256(RFC_6979_KEY, Hash::Sha256, b"sample").unwrap();
        assert_eq!(HEXLOWER.encode(&signed), RFC_6979_SHA256);
        assert!(rfc_6979_key().verifies(Hash::Sha1, b"test", &sign_p256(RFC_6979_KEY, Hash::Sha1, b"test").unwrap()));
    }

    #[test]
    fn an_ecdsa_signature_is_strict_der() {
        let signature = HEXLOWER.decode(RFC_6979_SHA1.as_bytes()).unwrap();
        let (r, s) = (&signature[4..36], &signature[38..]);
        let padded = [b"\x30\x45\x02\x21\0", r, b"\x02\x20", s].concat();
        let long_form = [b"\x30\x81\x44", &signature[2..]].concat();
        let raw = [r, s].concat();
        let zero = b"\x30\x06\x02\x01\0\x02\x01\0".to_vec();
        let followed = [&signature[..], b"\0"].concat();
        for wrong in [padded, long_form, raw, zero, followed, Vec::new(), signature[..signature.len() - 1].to_vec()] {
            assert!(!rfc_6979_key().verifies(Hash::Sha1, b"sample", &wrong), "{}", HEXLOWER.encode(&wrong));
        }
    }

    #[test]
    fn a_public_key_is_a_point_on_its_curve_in_one_form() {
        let point = HEXLOWER.decode(RFC_6979_POINT.as_bytes()).unwrap();
        let off_the_curve = [&point[..63], &[point[63] ^ 1]].concat();
        let longer = [&point[..], b"\0"].concat();
        for (form, point) in
            [(3, &point[..32]), (4, &off_the_curve), (4, &longer), (4, &point[..32]), (6, &point[..]), (0, &[])]
        {
            assert_eq!(P256Key::from_spki(&[P256_SPKI, &[form], point].concat()), None, "{form}");
        }
        assert_eq!(P256Key::from_spki(&[b"\x04", &point[..]].concat()), None);
        assert_eq!(sign_p256(&[0; 32], Hash::Sha256, b""), None);
        assert_eq!(sign_p256(b"short", Hash::Sha256, b""), None);
    }

    #[test]
    fn a_carried_token_stands_for_its_own_reference_only() {
        let keys = secrets(&["key"]);
        let token = carried_token(keys.live("client_secret", NOW).next().unwrap(), "ours");
        let verify = |token: &str| verify_carried_token(&keys, "client_secret", NOW, token);
        assert_eq!(verify(&token), Ok(KeyId("key".into())));
        assert_eq!(verify(&token.replace("ours", "our")), Err(AuthFault::Mismatch));
        for malformed in ["", ".", "ours", "ours.key", &format!("x.{token}"), &token.replace("ours.", "")] {
            assert_eq!(verify(malformed), Err(AuthFault::Malformed), "{malformed}");
        }
        assert_eq!(verify_carried_token(&keys, "another", NOW, ""), Err(AuthFault::NoSecret));
    }

    #[test]
    fn a_difference_of_a_bit_counts_wherever_it_stands() {
        let text = b"0123456789abcdefghijklmnopqrstuvwxyz";
        for length in 0..=text.len() {
            let same = text[..length].to_vec();
            assert!(equal(&text[..length], &same), "{length}");
            for (at, bit) in (0..length).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
                let mut other = same.clone();
                other[at] ^= 1 << bit;
                assert!(!equal(&text[..length], &other), "{length}, {at}, {bit}");
            }
            assert!(!equal(&text[..length], &[&same[..], b"0"].concat()), "{length}");
        }
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
