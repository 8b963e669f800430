//! The parameters of a request to a simulated API.

use bytes::Bytes;
use http::Request;

use crate::protocols::query::decoded;

/// The parameters of a request's query.
pub(crate) fn parameters(request: &Request<Bytes>) -> Vec<(String, String)> {
    pairs(request.uri().query().unwrap_or_default())
}

/// A form.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The form in the body of a request.
    pub(crate) fn of(body: &Bytes) -> Self {
        Self(pairs(std::str::from_utf8(body).unwrap_or_default()))
    }

    /// The value under a name; empty if there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str())
    }
}

/// The pairs of a query, or of a form.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name)?, decoded(value)?))
    };
    text.split('&').filter(|pair| !pair.is_empty()).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let pairs = pairs("a=1+2&b&&c%3D=%C3%A4");
        let texts: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(texts, [("a", "1 2"), ("b", ""), ("c=", "ä")]);
    }
}
