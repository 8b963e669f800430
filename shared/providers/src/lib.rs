//! Providers: one folder of pure functions each, with its evidence (README, recorded requests, snapshots).

mod clover;
mod ebay;
mod google_calendar;
mod lenient;
mod meta;
mod microsoft_graph;
mod paysafe;
mod profile;
mod query;
pub(crate) mod reading;
mod remote_keys;
mod shopify;
mod signed_message;
mod square;
mod standard_webhooks;
mod store_images;
pub mod verified;
mod whatnot;
mod woocommerce;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;

use crate::verified::Verified;
use hooktide_model::fault::{AuthFault, ErrorClass, Fault};
use hooktide_model::names::Kind;
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};

pub use self::profile::{Becomes, Covers, Need, Profile, Proof, Scheme, Topic};
pub use self::remote_keys::{ApiToken, KeyAnswer, RemoteKeys};

/// How deep the JSON of a body may nest: as deep as serde_json reads what it does not ignore.
const DEEPEST: usize = 127;

/// All providers, in alphabetical order, one line each.
pub const ALL: &[&dyn Provider] = &[
    &clover::Clover,
    &ebay::Ebay,
    &google_calendar::GoogleCalendar,
    &meta::Meta,
    &microsoft_graph::MicrosoftGraph,
    &paysafe::Paysafe,
    &shopify::Shopify,
    &square::Square,
    &standard_webhooks::StandardWebhooks,
    &whatnot::Whatnot,
    &woocommerce::WooCommerce,
];

/// The provider of that id.
pub fn by_id(id: &str) -> Option<&'static dyn Provider> {
    ALL.iter().copied().find(|provider| provider.id() == id)
}

/// A provider of webhooks. Pure: no clock, no socket, no store.
pub trait Provider: Send + Sync {
    /// What it is, as data.
    fn profile(&self) -> &'static Profile;

    /// The base address of its API, where there is one to be called: without a slash at the end. The operator may set
    /// another for a sandbox (see the settings).
    fn api(&self) -> Option<&'static str> {
        None
    }

    /// Whether what proves its deliveries is a token that we derive for each subscription (see
    /// [`hooktide_model::signing::subscription_token`]); the endpoint's secrets then hold the keys for it under [`hooktide_model::signing::SUBSCRIPTION_KEY`].
    fn derives_tokens(&self) -> bool {
        false
    }

    /// Whether the secret that proves deliveries is an app's, which all accounts of the app share, and so says nothing of the
    /// account. Else it is one account's own, and decides where the account that a delivery names is not signed.
    fn shares_secret(&self) -> bool {
        false
    }

    /// The status of the answer to what was accepted.
    fn accepted(&self) -> StatusCode {
        StatusCode::OK
    }

    /// The status of the answer to what could not be verified. A provider that must never see a refusal, since it would
    /// end its subscriptions, gets the same as for what was accepted; nothing is kept of it all the same.
    fn refused(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }

    /// The answer to a request that only finds out whether we are who we say, before any signature is looked at.
    ///
    /// `url` is the address that the provider was told, exactly.
    fn handshake(
        &self,
        _request: &Request<Bytes>,
        _url: &str,
        _secrets: &Secrets,
        _now: Timestamp,
    ) -> Option<Handshake> {
        None
    }

    /// Where the keys of its signatures are fetched, if they are not ours to configure.
    fn remote_keys(&self) -> Option<&dyn RemoteKeys> {
        None
    }

    /// Finds the secret that signed the request, over its exact bytes and the `url` that the provider was told.
    fn verify(
        &self,
        request: &Request<Bytes>,
        url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<KeyId, AuthFault>;

    /// As [`Provider::verify`]; of a request that is verified item by item, also which of them, from zero, are not. They
    /// are never told of.
    fn verify_each(
        &self,
        request: &Request<Bytes>,
        url: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<(KeyId, Vec<usize>), AuthFault> {
        Ok((self.verify(request, url, secrets, now)?, Vec::new()))
    }

    /// The headers and the body of a delivery that came as an event of Amazon EventBridge, whose rule vouches for its source;
    /// `None` if it is not one.
    fn read_event(&self, _event: &serde_json::Value) -> Option<(BTreeMap<String, String>, Bytes)> {
        None
    }

    /// The topic and delivery id as the request names them, and whether it must overtake others; cheap.
    fn label(&self, verified: &Verified) -> Label;

    /// Whether the body is of the form that the provider sends at all; cheap. The default: JSON, not nested too deep.
    fn readable(&self, verified: &Verified) -> Result<(), Fault> {
        is_json(verified.text())
    }

    /// The resource of a connection that can be asked for all entities of a kind, where a delivery does not settle what they
    /// are, or is too large to be kept.
    fn source(&self, _kind: Kind) -> Option<&'static str> {
        None
    }

    /// Whether a secret can be what its name says; the text is for whoever gave it.
    fn check_secret(&self, _name: &str, _secret: &Secret) -> Result<(), &'static str> {
        Ok(())
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

/// What a handshake comes to.
#[derive(Debug)]
pub enum Handshake {
    /// It is answered with this, and nothing is kept.
    Answer(Response<Bytes>),
    /// It is answered with [`Provider::accepted`], and this code is kept where the operator can read it. Nobody proved who
    /// sent it.
    Keep(String),
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
    /// The secrets to sign with.
    pub secrets: &'a Secrets,
    /// Where it will be sent.
    pub url: &'a str,
    /// The time of sending.
    pub now: Timestamp,
}

impl Unsigned<'_> {
    /// The newest live secret of `name`.
    pub fn secret(&self, name: &'static str) -> Result<&LiveSecret, Fault> {
        let missing =
            || Fault::permanent(ErrorClass::Unreadable, format!("there is no live secret `{name}` to sign with"));
        self.secrets.live(name, self.now).next().ok_or_else(missing)
    }
}

/// One secret under each name that a provider needs: for samples, where whoever asks gives only one.
pub fn signing_with(provider: &dyn Provider, secret: &Secret) -> Secrets {
    let named = |need: &Need| LiveSecret {
        name: need.name.to_owned(),
        id: KeyId("given".to_owned()),
        secret: secret.clone(),
        retires_at: None,
    };
    Secrets::new(provider.needs().iter().map(named).collect())
}

/// API credentials that a connection may have besides what verifies its deliveries.
pub const CREDENTIALS: &[Need] = &[
    Need { name: "access_token", required: false, about: "the token that the provider's API is called with" },
    Need { name: "refresh_token", required: false, about: "the token that new access tokens are got with" },
    Need { name: "client_id", required: false, about: "the app's id at the provider" },
];

/// Refuses what is not JSON, or nests deeper than [`DEEPEST`].
fn is_json(text: &[u8]) -> Result<(), Fault> {
    let ignored = serde_json::from_slice::<serde::de::IgnoredAny>(text);
    ignored.map_err(|error| Fault::permanent(ErrorClass::Unreadable, format!("the body is not JSON: {error}")))?;
    // What is ignored is not counted by serde_json.
    nests_little(text)
}

/// Refuses a JSON text that nests deeper than [`DEEPEST`].
fn nests_little(json: &[u8]) -> Result<(), Fault> {
    // Most have too few brackets for it, wherever they stand; counting those is quicker than looking where.
    let brackets = |part: &[u8]| part.iter().map(|byte| u8::from(matches!(byte, b'[' | b'{'))).sum::<u8>();
    let most = json.chunks(usize::from(u8::MAX)).map(|part| usize::from(brackets(part))).sum::<usize>();
    if most > DEEPEST && depth(json) > DEEPEST {
        return Err(Fault::permanent(ErrorClass::Unreadable, format!("the body nests more than {DEEPEST} deep")));
    }
    Ok(())
}

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
        assert!(nests_little(nested(DEEPEST).as_bytes()).is_ok());
        assert!(nests_little(nested(DEEPEST + 1).as_bytes()).is_err());
        assert!(nests_little(format!("[{}]", vec!["{}"; DEEPEST + 1].join(",")).as_bytes()).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST)).is_ok());
        assert!(serde_json::from_str::<serde_json::Value>(&nested(DEEPEST + 1)).is_err());
    }
}
