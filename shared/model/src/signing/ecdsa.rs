//! ECDSA on the curve P-256: public keys and signatures in one strict form each.

use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash of the message that an ECDSA signature is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, only for the providers that sign with nothing else.
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

/// The bytes before the point in the DER form (`SubjectPublicKeyInfo`) of every public key on the curve P-256.
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

/// Signs with the private key of this scalar on the curve P-256, in DER; `None` if the scalar is not a private key.
pub fn sign_p256(scalar: &[u8], hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
    let key = SigningKey::from_slice(scalar).ok()?;
    let signature: Signature = key.sign_prehash(&hash.of(message)).ok()?;
    Some(signature.to_der().as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

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
}
