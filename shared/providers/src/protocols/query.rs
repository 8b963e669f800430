//! Query parameters of handshakes, read strictly, since their sender is unproven.

use http::Uri;

/// The longest query that is read, in bytes.
const LONGEST: usize = 4096;

/// The value that a query has under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    /// The parameter is absent.
    None,
    /// The parameter occurs once.
    One(String),
    /// The parameter occurs more than once, or is not encoded correctly.
    Odd,
}

impl Parameter {
    /// Whether the parameter occurs in any form.
    pub(crate) fn is_there(&self) -> bool {
        *self != Self::None
    }

    /// The value, if the parameter occurs once and the value passes this check.
    pub(crate) fn fitting(&self, fits: impl Fn(&str) -> bool) -> Option<&str> {
        match self {
            Self::One(value) if fits(value) => Some(value),
            Self::One(_) | Self::None | Self::Odd => None,
        }
    }
}

/// The parameter of that name.
pub(crate) fn parameter(uri: &Uri, name: &str) -> Parameter {
    let query = uri.query().unwrap_or_default();
    if query.len() > LONGEST {
        return Parameter::Odd;
    }
    let mut found = Parameter::None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decoded(key).as_deref() != Some(name) {
            continue;
        }
        found = match (found, decoded(value)) {
            (Parameter::None, Some(value)) => Parameter::One(value),
            _ => return Parameter::Odd,
        };
    }
    found
}

/// Whether a text has 1 to `most` characters, all of them letters, digits, `-` or `_`: safe to send back unchanged.
pub(crate) fn is_plain(text: &str, most: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=most).contains(&text.len()) && text.bytes().all(plain)
}

/// Decodes a part of a path, in which `+` stands for itself; `None` if the text is malformed or not UTF-8.
pub(crate) fn decoded_path(text: &str) -> Option<String> {
    decoded(&text.replace('+', "%2B"))
}

/// Decodes percent-encoding, and `+` as a space; `None` if the text is malformed or not UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => (digit(bytes.next()?)? << 4) | digit(bytes.next()?)?,
            b'+' => b' ',
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_there_once_and_well_encoded() {
        let one = |value: &str| Parameter::One(value.to_owned());
        for (query, expected) in [
            ("a.b=1", one("1")),
            ("x=2&a.b=1", one("1")),
            ("a%2Eb=1%2D2", one("1-2")),
            ("a.b=x+y%2By", one("x y+y")),
            ("a.b=1=2", one("1=2")),
            ("a.b=%C3%A4", one("ä")),
            ("a.b=", one("")),
            ("a.b", one("")),
            ("", Parameter::None),
            ("a_b=1", Parameter::None),
            ("A.B=1", Parameter::None),
            ("a.b=1&a.b=1", Parameter::Odd),
            ("a.b=1&a%2eb=1", Parameter::Odd),
            ("a.b=%2", Parameter::Odd),
            ("a.b=%g0", Parameter::Odd),
            ("a.b=%+1", Parameter::Odd),
            ("a.b=%ff", Parameter::Odd),
            (format!("a.b={}", "1".repeat(LONGEST)).as_str(), Parameter::Odd),
        ] {
            let uri: Uri = format!("/webhook?{query}").parse().unwrap();
            assert_eq!(parameter(&uri, "a.b"), expected, "{query:.80}");
        }
        assert_eq!(parameter(&Uri::from_static("/webhook"), "a.b"), Parameter::None);
    }

    #[test]
    fn a_plain_text_is_safe_to_send_back() {
        for (text, expected) in
            [("aZ0-_", true), ("", false), ("a b", false), ("<", false), ("ä", false), ("toolong", false)]
        {
            assert_eq!(is_plain(text, 6), expected, "{text:?}");
        }
    }
}
