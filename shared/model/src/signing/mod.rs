//! Signatures: MACs over exact bytes, strict encodings, comparison in constant time, several live keys.
//!
//! Nothing else in the project compares a signature, a token or a key.

mod ecdsa;
mod encodings;
mod mac;
mod tokens;

pub use self::ecdsa::{Hash, P256Key, sign_p256};
pub use self::encodings::{signature_header, signed_lately, strict_base64, strict_hex};
pub use self::mac::{equal, hmac_sha256, sha256, sha256_hex, verify_mac};
pub use self::tokens::{SUBSCRIPTION_KEY, carried_token, subscription_token, verify_carried_token, verify_token};
