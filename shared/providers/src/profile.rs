//! What a provider is, as data: what it needs and sends, and how it proves itself.

use std::time::Duration;

use serde::Serialize;

use super::Provider;
use hooktide_model::names::Kind;

/// What a provider is, as data.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its id in URLs, function names and logs: `shopify`.
    pub id: &'static str,
    /// The secrets and settings that it needs.
    pub needs: &'static [Need],
    /// The topics that it is known to send.
    pub topics: &'static [Topic],
    /// How long a delivery without an entity of its own is remembered: longer than the provider retries.
    pub window: Duration,
    /// What tells one delivery from another (see [`hooktide_model::notice::Notice::identity`]), in a phrase for whoever reads the documentation.
    pub identity: &'static str,
    /// How it proves who it is, and what each of the ways binds. More than one where it has products that differ.
    pub schemes: &'static [Scheme],
    /// Whether the signature binds the account that a notice names. Where it does not, somebody who saw a signed
    /// delivery could send it again for another account; on an endpoint with many accounts, a thing then stays with
    /// the account that it was first told of for.
    pub signs_account: bool,
    /// The fields of bodies that are needed to know what changed, by their paths, where `[]` is any item and `*` any key. A
    /// delivery in which one cannot be read goes to the dead letters; every other field may be of any type.
    pub needed: &'static [&'static str],
    /// The fields of documents that a body may leave out, by their paths: one without such a field says that there is none, or
    /// another stands for it. What is missing of all others is unknown, and so named as unread.
    pub optional: &'static [&'static str],
    /// The lists of bodies that have a notice for each item, by their paths; where the last key is `*`, also those by whose
    /// keys they are. An odd item, or key, spoils no other.
    pub items: &'static [&'static str],
    /// The fields of a signed body that are an id or a time of its own. A hint whose body has one is a repeat wherever that
    /// body comes again, under whatever id that is not signed; others only fold.
    pub own_marks: &'static [&'static str],
    /// The headers that [`Provider::label`] and [`Provider::parse`] read, in lower case; only these are kept.
    pub headers: &'static [&'static str],
    /// The account that samples are of, unless somebody says another: in the provider's form, as routes know it.
    pub sample_account: &'static str,
    /// Secrets to sign and verify samples with, by their names: all that are required, and what else
    /// [`Provider::sign`] needs. Anybody can read them here, so they are for samples, demos and tests only. None where
    /// tokens are derived ([`Provider::derives_tokens`]).
    pub sample_secrets: &'static [(&'static str, &'static str)],
}

impl Profile {
    /// What becomes of the topic of that name, if the provider has one.
    pub fn becomes(&self, name: &str) -> Option<Becomes> {
        self.topics.iter().find(|topic| topic.name == name).map(|topic| topic.becomes)
    }
}

/// The [`Profile`] by its fields, and what follows from it.
impl dyn Provider + '_ {
    /// The resource of that name, if connections have one that can be asked.
    pub fn resource(&self, name: &str) -> Option<&'static str> {
        let of_topics = self.topics().iter().filter_map(|topic| match topic.becomes {
            Becomes::Sync(resource) => Some(resource),
            Becomes::Kind(_) | Becomes::Privacy | Becomes::Ignored(_) => None,
        });
        let of_kinds = Kind::ALL.iter().filter_map(|kind| self.source(*kind));
        of_topics.chain(of_kinds).find(|resource| *resource == name)
    }

    /// Whether there is any resource that can be asked.
    pub fn has_resources(&self) -> bool {
        let is_sync = |topic: &Topic| matches!(topic.becomes, Becomes::Sync(_));
        self.topics().iter().any(is_sync) || Kind::ALL.iter().any(|kind| self.source(*kind).is_some())
    }

    /// See [`Profile::id`].
    pub fn id(&self) -> &'static str {
        self.profile().id
    }

    /// See [`Profile::needs`].
    pub fn needs(&self) -> &'static [Need] {
        self.profile().needs
    }

    /// See [`Profile::topics`].
    pub fn topics(&self) -> &'static [Topic] {
        self.profile().topics
    }

    /// See [`Profile::window`].
    pub fn window(&self) -> Duration {
        self.profile().window
    }

    /// See [`Profile::identity`].
    pub fn identity(&self) -> &'static str {
        self.profile().identity
    }

    /// See [`Profile::schemes`].
    pub fn schemes(&self) -> &'static [Scheme] {
        self.profile().schemes
    }

    /// See [`Profile::signs_account`].
    pub fn signs_account(&self) -> bool {
        self.profile().signs_account
    }

    /// See [`Profile::needed`].
    pub fn needed(&self) -> &'static [&'static str] {
        self.profile().needed
    }

    /// See [`Profile::optional`].
    pub fn optional(&self) -> &'static [&'static str] {
        self.profile().optional
    }

    /// See [`Profile::items`].
    pub fn items(&self) -> &'static [&'static str] {
        self.profile().items
    }

    /// See [`Profile::own_marks`].
    pub fn own_marks(&self) -> &'static [&'static str] {
        self.profile().own_marks
    }

    /// See [`Profile::headers`].
    pub fn headers(&self) -> &'static [&'static str] {
        self.profile().headers
    }

    /// See [`Profile::sample_account`].
    pub fn sample_account(&self) -> &'static str {
        self.profile().sample_account
    }

    /// See [`Profile::sample_secrets`].
    pub fn sample_secrets(&self) -> &'static [(&'static str, &'static str)] {
        self.profile().sample_secrets
    }
}

/// A secret that a provider needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Its name in `secrets`.
    pub name: &'static str,
    /// Whether nothing can be received without it.
    pub required: bool,
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

impl Topic {
    /// A topic and what becomes of it.
    pub const fn new(name: &'static str, becomes: Becomes) -> Self {
        Self { name, becomes }
    }
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

/// One way in which a provider proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scheme {
    /// Where the proof stands.
    pub proof: Proof,
    /// What it binds.
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

/// Where a proof stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// In the header of this name, in lower case.
    Header(&'static str),
    /// In the field of this name of each item of the body.
    Field(&'static str),
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
