//! Percent-encoding of parameters, as RFC 3986 has it.

/// Encodes all but letters, digits and `-._~`.
pub(crate) fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |number: u8| char::from(DIGITS[usize::from(number & 15)]);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.extend(['%', digit(byte >> 4), digit(byte)]),
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
