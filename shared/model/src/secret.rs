//! Secrets in memory: wiped on drop, redacted in `Debug`, never serialised.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret text or key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes. Only what signs, seals or sends may look at them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are UTF-8.
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The id of one of several secrets of a name: a short random text, given when the secret is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret with its id and expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSecret {
    /// The name that the provider's needs give it: `client_secret`.
    pub name: String,
    /// The id among the secrets of that name.
    pub id: KeyId,
    /// The secret itself.
    pub secret: Secret,
    /// When it expires, if it does.
    pub retires_at: Option<Timestamp>,
}

/// The opened secrets of one endpoint, newest first within a name.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<LiveSecret>);

impl Secrets {
    /// Collects opened secrets.
    pub fn new(secrets: Vec<LiveSecret>) -> Self {
        Self(secrets)
    }

    /// Secrets of these names, none of which was ever stored: for samples and tests.
    pub fn named(texts: &[(&str, &str)]) -> Self {
        let live = |(name, text): &(&str, &str)| LiveSecret {
            name: (*name).to_owned(),
            id: KeyId("own".to_owned()),
            secret: Secret::new(*text),
            retires_at: None,
        };
        Self(texts.iter().map(live).collect())
    }

    /// Adds other secrets to these.
    pub fn with(mut self, others: impl IntoIterator<Item = LiveSecret>) -> Self {
        self.0.extend(others);
        self
    }

    /// All of them, in their order.
    pub fn into_all(self) -> Vec<LiveSecret> {
        self.0
    }

    /// The ids of all secrets that are live at `now`.
    pub fn ids(&self, now: Timestamp) -> impl Iterator<Item = &KeyId> {
        self.0.iter().filter(move |secret| secret.retires_at.is_none_or(|at| now < at)).map(|secret| &secret.id)
    }

    /// The secrets of `name` that are live at `now`.
    pub fn live<'a>(&'a self, name: &'a str, now: Timestamp) -> impl Iterator<Item = &'a LiveSecret> {
        self.0
            .iter()
            .filter(move |secret| secret.name == name && secret.retires_at.is_none_or(|retires_at| now < retires_at))
    }
}
