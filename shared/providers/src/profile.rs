//! The description of a provider, as data: what it needs and sends, and how it proves itself.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::json;
use crate::verified::Verified;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::secret::Secret;

/// The description of a provider, as data.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its id in URLs, function names and logs: `shopify`.
    pub id: &'static str,
    /// The secrets that it needs.
    pub needs: &'static [Need],
    /// The API credentials that its connections may have besides what verifies their deliveries.
    pub credentials: &'static [Need],
    /// The settings that its connections take beside those of every provider
    /// ([`hooktide_model::settings::connection::OF_EVERY_PROVIDER`]).
    pub settings: &'static [&'static str],
    /// The topics that it is known to send.
    pub topics: &'static [Topic],
    /// The resources that can be asked for all entities of a kind, where a delivery does not settle what they are, or is
    /// too large to be kept.
    pub resources: &'static [(Kind, &'static str)],
    /// How many calls a minute its API gets of an account, unless the connection says another number; as many as there are
    /// without one.
    pub calls_per_minute: Option<u32>,
    /// The shortest and the longest time between two polls of what has no webhook, or no healthy one, where it is another than
    /// usual.
    pub polled_every: Option<(Duration, Duration)>,
    /// The time for which a delivery without an entity of its own is remembered: longer than the provider retries.
    pub window: Duration,
    /// The parts that tell one delivery from another (see [`hooktide_model::notice::Notice::identity`]), in a phrase for
    /// whoever reads the documentation.
    pub identity: &'static str,
    /// The ways in which it proves who it is, and what each of them binds. More than one where it has products that differ.
    pub schemes: &'static [Scheme],
    /// Whether the signature binds the account that a notice names. Where it does not, somebody who saw a signed
    /// delivery could send it again for another account; on an endpoint with many accounts, an entity then stays with
    /// the account that it was first reported for.
    pub signs_account: bool,
    /// The fields of bodies that are needed to know what changed, by their paths, where `[]` is any item and `*` any key. A
    /// delivery in which one cannot be read goes to the dead letters; every other field may be of any type.
    pub needed: &'static [&'static str],
    /// The fields of documents that a body may leave out, by their paths: one without such a field says that there is none, or
    /// another takes its place. Every other missing field is unknown, and so named as unread.
    pub optional: &'static [&'static str],
    /// The lists of bodies that have a notice for each item, by their paths; where the last key is `*`, also those by whose
    /// keys they are. An odd item, or key, spoils no other.
    pub items: &'static [&'static str],
    /// The fields of a signed body that are an id or a time of its own. A hint whose body has one is a repeat wherever that
    /// body comes again, under whatever id that is not signed; others only fold.
    pub own_marks: &'static [&'static str],
    /// The headers that [`crate::Webhooks::label`] and [`crate::Webhooks::parse`] read, in lower case; only these are kept.
    pub headers: &'static [&'static str],
    /// The account that samples are of, unless somebody says another: in the provider's form, as routes know it.
    pub sample_account: &'static str,
    /// Secrets to sign and verify samples with, by their names: all that are required, and what else
    /// [`crate::Webhooks::sign`] needs. Anybody can read them here, so they are for samples, demos and tests only. None where
    /// tokens are derived ([`Profile::derives_tokens`]).
    pub sample_secrets: &'static [(&'static str, &'static str)],
    /// API credentials that its simulator takes, by their names. Anybody can read them here.
    pub sample_credentials: &'static [(&'static str, &'static str)],
    /// Whether the proof of a delivery is a token that we derive for each subscription (see
    /// [`hooktide_model::signing::subscription_token`]); the endpoint's secrets then hold the keys for it under
    /// [`hooktide_model::signing::SUBSCRIPTION_KEY`].
    pub derives_tokens: bool,
    /// Whether the secret that proves deliveries is an app's, which all accounts of the app share, and so says nothing of
    /// the account. Else it is one account's own, and decides where the account that a delivery names is not signed.
    pub shares_secret: bool,
    /// The status of the answer to an accepted delivery.
    pub accepted: StatusCode,
    /// The status of the answer to a request that could not be verified. A provider that must never see a refusal, since
    /// it would end its subscriptions, gets the same as for an accepted one; nothing is kept of it all the same.
    pub refused: StatusCode,
    /// The check of a body: whether it is of the form that the provider sends at all; cheap. Most send JSON, not nested
    /// too deep.
    pub readable: fn(&Verified) -> Result<(), Fault>,
    /// The account as routes know it: letter case and the like made the same.
    pub normalise_account: fn(&str) -> String,
    /// The form in which deliveries come as events of Amazon EventBridge, if they do.
    pub bus: Option<BusEvent>,
}

impl Profile {
    /// A provider that declares nothing: what the others fill in.
    pub(crate) const PLAIN: Self = Self {
        id: "",
        needs: &[],
        credentials: OAUTH,
        settings: &[],
        topics: &[],
        resources: &[],
        calls_per_minute: None,
        polled_every: None,
        // As long as most providers retry, or might.
        window: Duration::from_secs(72 * 3600),
        identity: "",
        schemes: &[],
        signs_account: false,
        needed: &[],
        optional: &[],
        items: &[],
        own_marks: &[],
        headers: &[],
        sample_account: "",
        sample_secrets: &[],
        sample_credentials: &[],
        derives_tokens: false,
        shares_secret: false,
        accepted: StatusCode::OK,
        refused: StatusCode::UNAUTHORIZED,
        readable: |verified| json::check(verified.text()),
        normalise_account: str::to_owned,
        bus: None,
    };

    /// The fate of the topic of that name, if the provider has one.
    pub fn becomes(&self, name: &str) -> Option<Becomes> {
        self.topics.iter().find(|topic| topic.name == name).map(|topic| topic.becomes)
    }

    /// The resource that can be asked for all entities of a kind.
    pub fn resource_of(&self, kind: Kind) -> Option<&'static str> {
        self.resources.iter().find(|(of, _)| *of == kind).map(|(_, resource)| *resource)
    }

    /// The resource of that name, if connections have one that can be asked.
    pub fn resource(&self, name: &str) -> Option<&'static str> {
        self.all_resources().find(|resource| *resource == name)
    }

    /// Whether there is any resource that can be asked.
    pub fn has_resources(&self) -> bool {
        self.all_resources().next().is_some()
    }

    fn all_resources(&self) -> impl Iterator<Item = &'static str> {
        let of_topics = self.topics.iter().filter_map(|topic| match topic.becomes {
            Becomes::Sync(resource) => Some(resource),
            Becomes::Kind(_) | Becomes::Privacy | Becomes::Ignored(_) => None,
        });
        of_topics.chain(self.resources.iter().map(|(_, resource)| *resource))
    }

    /// Whether its resources are read without any credentials.
    pub fn is_open(&self) -> bool {
        self.credentials.is_empty() && self.has_resources()
    }

    /// Checks that a secret can be what its name says; the text is for whoever gave it.
    pub fn check_secret(&self, name: &str, secret: &Secret) -> Result<(), &'static str> {
        self.needs.iter().find(|need| need.name == name).map_or(Ok(()), |need| (need.check)(secret))
    }
}

/// The form of deliveries that come as events of Amazon EventBridge, whose rule vouches for their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusEvent {
    /// The `detail-type` of the events.
    pub detail_type: &'static str,
    /// The pointer to the headers, by their names.
    pub headers: &'static str,
    /// The pointer to the body.
    pub body: &'static str,
}

impl BusEvent {
    /// The headers, with lower-case names, and the body of a delivery; `None` if the event is none.
    pub fn read(&self, event: &Value) -> Option<(BTreeMap<String, String>, Bytes)> {
        if event["detail-type"] != self.detail_type {
            return None;
        }
        let body = serde_json::to_vec(event.pointer(self.body)?).ok()?;
        let headers = event.pointer(self.headers)?.as_object()?;
        let header = |(name, value): (&String, &Value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()));
        Some((headers.iter().filter_map(header).collect(), body.into()))
    }
}

/// A secret that a provider needs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Need {
    /// Its name in `secrets`.
    pub name: &'static str,
    /// Whether nothing can be received without it.
    pub required: bool,
    /// A description: what it is and where to find it.
    pub about: &'static str,
    /// The check of its form; the text is for whoever gave it.
    #[serde(skip)]
    pub check: fn(&Secret) -> Result<(), &'static str>,
}

impl Need {
    /// A secret without which nothing can be received, of any form.
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, about, check: |_| Ok(()) }
    }

    /// A secret that some products of the provider need, of any form.
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { required: false, ..Self::required(name, about) }
    }

    /// The same, of a form that is checked.
    pub const fn checked(self, check: fn(&Secret) -> Result<(), &'static str>) -> Self {
        Self { check, ..self }
    }
}

/// API credentials of providers with OAuth: a token, or what gets one.
pub(crate) const OAUTH: &[Need] = &[
    Need::optional("access_token", "the token that the provider's API is called with"),
    Need::optional("refresh_token", "the token that new access tokens are got with"),
    Need::optional("client_id", "the app's id at the provider"),
];

/// The same of an app with a secret.
pub(crate) const OAUTH_WITH_SECRET: &[Need] = &[
    OAUTH[0],
    OAUTH[1],
    OAUTH[2],
    Need::optional("client_secret", "the app's secret, with which access tokens are renewed"),
];

/// A topic that a provider is known to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// Its fate.
    pub becomes: Becomes,
}

impl Topic {
    /// A topic and what becomes of it.
    pub const fn new(name: &'static str, becomes: Becomes) -> Self {
        Self { name, becomes }
    }
}

/// The fate of a topic.
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

/// One way in which a provider proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scheme {
    /// The place of the proof.
    pub proof: Proof,
    /// The parts of the request that it binds.
    pub covers: Covers,
    /// Whether the proof may be a list, separated by spaces, of which one suffices.
    pub list: bool,
}

impl Scheme {
    /// One proof in a header.
    pub const fn header(name: &'static str, covers: Covers) -> Self {
        Self { proof: Proof::Header(name), covers, list: false }
    }
}

/// The place of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// In the header of this name, in lower case.
    Header(&'static str),
    /// In the field of this name of each item of the body.
    Field(&'static str),
}

/// The parts of a request that a signature binds. Whoever saw one signed delivery may make up the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Covers {
    /// The exact bytes of the body.
    pub body: bool,
    /// The address it was sent to.
    pub url: bool,
    /// The time of sending.
    pub time: bool,
}

impl Covers {
    /// Nothing: a token that whoever saw it once can send again with anything.
    pub const NOTHING: Self = Self { body: false, url: false, time: false };
    /// The body alone.
    pub const BODY: Self = Self { body: true, url: false, time: false };
    /// The body and the address.
    pub const BODY_AND_URL: Self = Self { body: true, url: true, time: false };
    /// The body and the time.
    pub const BODY_AND_TIME: Self = Self { body: true, url: false, time: true };
}
