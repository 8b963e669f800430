//! Fields of a JSON merge patch that can be removed.

use serde::{Deserialize, Deserializer};

/// A field of a JSON merge patch (RFC 7396): left alone, removed by `null`, or set. Needs `#[serde(default)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patched<T> {
    /// The field is absent.
    #[default]
    Kept,
    /// The field is `null`.
    Removed,
    /// The field has a value.
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|given| given.map_or(Self::Removed, Self::Set))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_removes_and_absence_keeps() {
        #[derive(Deserialize)]
        struct Patch {
            #[serde(default)]
            account: Patched<String>,
        }
        for (text, expected) in [
            ("{}", Patched::Kept),
            (r#"{"account":null}"#, Patched::Removed),
            (r#"{"account":"a"}"#, Patched::Set("a".to_owned())),
        ] {
            assert_eq!(serde_json::from_str::<Patch>(text).unwrap().account, expected, "{text}");
        }
    }
}
