//! MACs and hashes over exact bytes, and their comparison in constant time.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::fault::AuthFault;
use crate::secret::{KeyId, Secrets};

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
    if left.len() != right.len() {
        return false;
    }
    // By words, since every single comparison has a price: it hides its result from the compiler.
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks(), right.as_chunks());
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    let words = left
        .iter()
        .zip(right)
        .fold(left_rest.ct_eq(right_rest), |same, (left, right)| same & word(left).ct_eq(&word(right)));
    words.into()
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
    use crate::secret::{LiveSecret, Secret};

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
}
