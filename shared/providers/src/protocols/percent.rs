//! Percent-encoding, as RFC 3986 has it.

/// Encodes all but letters, digits and `-._~`.
pub(crate) fn encoded(text: &str) -> String {
    encoded_but(text.as_bytes(), |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Encodes all but these bytes, which are to be of ASCII.
pub(crate) fn encoded_but(bytes: &[u8], stays: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |number: u8| char::from(DIGITS[usize::from(number & 15)]);
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        match stays(*byte) {
            true => encoded.push(char::from(*byte)),
            false => encoded.extend(['%', digit(byte >> 4), digit(*byte)]),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn only_unreserved_characters_stay() {
        for (text, expected) in [
            ("", ""),
            ("aZ0-._~", "aZ0-._~"),
            ("a b+c", "a%20b%2Bc"),
            ("=&%/?:,", "%3D%26%25%2F%3F%3A%2C"),
            ("ä№", "%C3%A4%E2%84%96"),
        ] {
            assert_eq!(encoded(text), expected, "{text}");
        }
    }
}
