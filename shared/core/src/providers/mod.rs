//! Providers: one folder of pure functions each, with its evidence (README, recorded requests, snapshots).

mod shopify;

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde::Serialize;

use crate::fault::{AuthFault, ErrorClass, Fault};
use crate::names::Kind;
use crate::notice::Notice;
use crate::secret::{KeyId, Secret, Secrets};
use crate::verified::Verified;

/// How deep the JSON of a body may nest: as deep as serde_json reads what it does not ignore.
const DEEPEST: usize = 127;

/// All providers, in alphabetical order, one line each.
pub const ALL: &[&dyn Provider] = &[
    &shopify::Shopify, //
];

/// The provider of that id.
pub fn by_id(id: &str) -> Option<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| provider.id() == id)
}

/// A provider of webhooks. Pure: no clock, no socket, no store.
pub trait Provider: Send + Sync {
    /// Its id in URLs, function names and logs: `shopify`.
    fn id(&self) -> &'static str;

    /// The secrets and settings that it needs.
    fn needs(&self) -> &'static [Need];

    /// The topics that it is known to send.
    fn topics(&self) -> &'static [Topic];

    /// How long a delivery without an entity of its own is remembered: longer than the provider retries.
    fn window(&self) -> Duration;

    /// What its signature binds.
    fn covers(&self) -> Covers;

    /// Whether the signature binds the account that a notice names. Where it does not, somebody who saw a signed
    /// delivery could send it again for another account; on an endpoint with many accounts, a thing then stays with
    /// the account that it was first told of for.
    fn signs_account(&self) -> bool;

    /// The headers that [`Provider::label`] and [`Provider::parse`] read, in lower case; only these are kept.
    fn headers(&self) -> &'static [&'static str];

    /// Finds the secret that signed the request, over its exact bytes and the `url` that the provider was told.
    fn verify(
        &self,
        request: &Request<Bytes>,
        url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault>;

    /// The topic and delivery id as the request names them, and whether it must overtake others; cheap.
    fn label(&self, verified: &Verified) -> Label;

    /// Whether the body is of the form that the provider sends at all; cheap. The default: JSON, not nested too deep.
    fn readable(&self, verified: &Verified) -> Result<(), Fault> {
        let unreadable = |detail: String| Err(Fault::permanent(ErrorClass::Unreadable, detail));
        match serde_json::from_slice::<serde::de::IgnoredAny>(verified.body()) {
            Err(error) => unreadable(format!("the body is not JSON: {error}")),
            // What is ignored is not counted by serde_json.
            Ok(_) if depth(verified.body()) > DEEPEST => unreadable(format!("the body nests more than {DEEPEST} deep")),
            Ok(_) => Ok(()),
        }
    }

    /// What the request tells us. A [`Fault::Permanent`] if it is not what the provider documents.
    fn parse(&self, verified: &Verified) -> Result<Vec<Notice>, Fault>;

    /// The account as routes know it: letter case and the like made the same.
    fn normalise_account(&self, account: &str) -> String {
        account.to_owned()
    }

    /// A realistic body of `topic`; `None` if there is no such topic. For samples, never for judging `verify`.
    fn sample(&self, topic: &str, sample: &Sample<'_>) -> Option<Bytes>;

    /// The request as the provider would send it. For samples, never for judging `verify`.
    fn sign(&self, unsigned: Unsigned<'_>) -> Result<Request<Bytes>, Fault>;
}

/// A secret or setting that a provider needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Its name in `secrets` or `settings`.
    pub name: &'static str,
    /// What it is and where to find it.
    pub about: &'static str,
}

/// A topic that a provider is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub becomes: Becomes,
}

/// What becomes of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Becomes {
    /// A change of this kind.
    Kind(Kind),
    /// A sync of this resource.
    Sync(&'static str),
    /// A request to disclose or erase.
    Privacy,
    /// Nothing, because.
    Ignored(&'static str),
}

/// What a signature binds. What it does not bind may be made up by whoever saw one signed delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Covers {
    /// The exact bytes of the body.
    pub body: bool,
    /// The address it was sent to.
    pub url: bool,
    /// The time of sending.
    pub time: bool,
}

/// What a request says about itself, cheap to find.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The topic.
    pub topic: Option<String>,
    /// The provider's id of the delivery.
    pub delivery: Option<String>,
    /// Whether it must not wait behind others.
    pub priority: bool,
}

/// What a sample should be about.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Which of many things; the same number is the same thing.
    pub number: u64,
    /// The time of its version.
    pub updated_at: Timestamp,
    /// Whose.
    pub account: &'a str,
}

/// A delivery to be signed.
#[derive(Debug)]
pub struct Unsigned<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The body.
    pub body: Bytes,
    /// Whose.
    pub account: &'a str,
    /// The provider's id of the delivery.
    pub delivery: &'a str,
    /// The secret to sign with.
    pub secret: &'a Secret,
    /// Where it will be sent.
    pub url: &'a str,
    /// The time of sending.
    pub now: Timestamp,
}

/// API credentials that a connection may have besides what verifies its deliveries.
pub const CREDENTIALS: &[Need] = &[
    Need { name: "access_token", about: "the token that the provider's API is called with" },
    Need { name: "refresh_token", about: "the token that new access tokens are got with" },
    Need { name: "client_id", about: "the app's id at the provider" },
];

/// How deep a JSON text nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_texts_nest() {
        for (json, expected) in
            [("7", 0), ("[]", 1), (r#"{"a":[{}],"b":[]}"#, 3), (r#"["[[[{"]"#, 1), (r#"["\"[[", "\\", [[]]]"#, 3)]
        {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
        }
    }

    #[test]
    fn what_nests_as_deep_as_is_allowed_can_be_read_in_full() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST)).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST + 1)).is_err());
    }
}
