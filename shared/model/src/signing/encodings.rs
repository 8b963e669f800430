//! The written form of signatures: one header, strictly encoded, signed recently.

use data_encoding::{BASE64, HEXLOWER};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use crate::fault::AuthFault;

/// The longest signature header that is read, in bytes.
const LONGEST_HEADER: usize = 512;

/// The value of a signature header that must occur once and be plain ASCII, neither empty nor too long.
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

/// Refuses a signing time more than `tolerance` before or after now.
pub fn signed_lately(signed_at: Timestamp, now: Timestamp, tolerance: SignedDuration) -> Result<(), AuthFault> {
    if signed_at.duration_since(now).abs() > tolerance { Err(AuthFault::Expired) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

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
