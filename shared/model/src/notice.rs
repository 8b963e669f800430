//! Notices: what a provider told us, in our terms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::{ErrorClass, Fault};
use crate::names::{Kind, MarkReason, PrivacyAct};
use crate::payment::{Account, Transaction};
use crate::product::{Product, Stock};
use crate::signing;

/// Why nothing is done about a topic that the provider is not known to send.
pub const UNKNOWN_TOPIC: &str = "unknown topic";

/// How far ahead of a receipt a provider's time may be to be believed, in milliseconds: a day.
const MOST_AHEAD: i64 = 24 * 3600 * 1000;

/// One thing that one delivery told us.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// The provider's account that it is about, if the delivery says one.
    pub account: Option<String>,
    /// The provider's delivery identity: the same for every repeat of the same delivery.
    pub identity: String,
    /// What it told us.
    pub what: What,
}

/// What a notice tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum What {
    /// A thing and its new state.
    Entity(EntityNotice),
    /// Something changed in a resource of the connection; what, has to be asked.
    Hint {
        /// Which resource: `stock`, `catalog`.
        resource: &'static str,
        /// Which of several of the connection, by what the provider calls it: the channel of a calendar.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// Why it has to be asked.
        #[serde(skip_serializing_if = "MarkReason::is_hint")]
        reason: MarkReason,
    },
    /// A request to disclose or erase what is held about somebody.
    Privacy(PrivacyRequest),
    /// Nothing that we do; the reason is shown in the activity.
    Ignored {
        /// Why.
        reason: String,
    },
    /// A part of the delivery that cannot be processed and may matter. The other parts are; the delivery is kept whole in
    /// the dead letters.
    Kept {
        /// What the dead letters file it under.
        class: ErrorClass,
        /// Which part, and what is wrong with it; never a quotation of the body.
        reason: String,
    },
}

/// A request about personal data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrivacyRequest {
    /// What is to be done.
    pub act: PrivacyAct,
    /// About whom.
    pub subject: Subject,
}

/// About whom a request is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Subject {
    /// The account itself: everything that is held of it.
    Account,
    /// A person, by values that only the person's data has: ids, addresses, numbers.
    Person(Vec<String>),
}

impl What {
    /// Something changed in the one `resource` of that name.
    pub fn hint(resource: &'static str) -> Self {
        Self::Hint { resource, of: None, reason: MarkReason::Hint }
    }

    /// Of a hint: about this one of several that the connection has.
    #[must_use]
    pub fn about(self, one: impl Into<String>) -> Self {
        match self {
            Self::Hint { resource, reason, .. } => Self::Hint { resource, of: Some(one.into()), reason },
            other @ (Self::Entity(_) | Self::Privacy(_) | Self::Ignored { .. } | Self::Kept { .. }) => other,
        }
    }

    /// Of a hint: asked about for this reason.
    #[must_use]
    pub fn because(self, reason: MarkReason) -> Self {
        match self {
            Self::Hint { resource, of, .. } => Self::Hint { resource, of, reason },
            other @ (Self::Entity(_) | Self::Privacy(_) | Self::Ignored { .. } | Self::Kept { .. }) => other,
        }
    }

    /// Nothing is done, because.
    pub fn ignored(reason: impl Into<String>) -> Self {
        Self::Ignored { reason: reason.into() }
    }

    /// A part that is not of the documented form and may matter.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self::Kept { class: ErrorClass::Unreadable, reason: reason.into() }
    }

    /// What may be about money, though no known name says so.
    pub fn perhaps_money(reason: impl Into<String>) -> Self {
        Self::Kept { class: ErrorClass::UnknownPayment, reason: reason.into() }
    }
}

/// A thing and its new state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityNotice {
    /// What kind of thing.
    pub kind: Kind,
    /// The provider's id of it.
    pub id: String,
    /// Where this state stands in the order of the thing's states.
    pub version: Version,
    /// The state.
    pub state: State,
    /// When it came about, by the provider's clock.
    pub occurred_at: Option<Timestamp>,
    /// What the version is made of.
    #[serde(skip_serializing_if = "Dated::is_by_provider")]
    pub dated: Dated,
    /// Whether it tells that the entity was restored: a tombstone that is dated by receipt and older than this notice's
    /// receipt ends, whatever the versions say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// The fields of the body that were not of a type that can be read: absent from the document, and unknown to whoever
    /// acts on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The resource of the connection that is asked where the notice does not settle the state: a tie, a field that was
    /// not read, a tombstone without a time of its own.
    #[serde(skip)]
    pub source: Option<&'static str>,
}

impl EntityNotice {
    /// An entity and its new state, with a version of the provider's own.
    pub fn new(kind: Kind, id: impl Into<String>, version: Version, state: State) -> Self {
        Self {
            kind,
            id: id.into(),
            version,
            state,
            occurred_at: None,
            dated: Dated::ByProvider,
            restored: false,
            unread: Vec::new(),
            source: None,
        }
    }
}

/// What the version of a state is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dated {
    /// A time by the provider's clock.
    ByProvider,
    /// The time at which the delivery was accepted, since the provider says none.
    ByReceipt,
}

impl Dated {
    fn is_by_provider(&self) -> bool {
        *self == Self::ByProvider
    }
}

/// The place of a state in the provider's order of an entity's states: larger is newer.
///
/// The number is the provider's (for Shopify, the milliseconds of `updated_at`); its README says which. Equal numbers
/// are a tie: the provider's clock did not move, so that the one that was told last stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// After every other: deletions where the provider never reuses an id.
    pub const FINAL: Self = Self(i64::MAX);

    /// By a time.
    pub fn from_time(time: Timestamp) -> Self {
        Self(time.as_millisecond())
    }

    /// Whether a version that is a time is so far ahead of `at`, in milliseconds, that no clock of the provider's explains it.
    pub fn is_ahead(self, at: i64) -> bool {
        self != Self::FINAL && self.0 > at.saturating_add(MOST_AHEAD)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::FINAL { f.write_str("final") } else { write!(f, "{}", self.0) }
    }
}

/// The state of a thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum State {
    /// It is there.
    Present(Document),
    /// It is gone.
    Deleted,
}

/// A normalised document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Document {
    /// A product.
    Product(Box<Product>),
    /// A quantity.
    Stock(Stock),
    /// A payment, refund or settlement.
    Transaction(Box<Transaction>),
    /// A merchant account.
    Account(Account),
}

impl Document {
    /// Its canonical text: fields in the order of their declaration, no white space.
    pub fn to_json(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|error| Fault::failed(format!("a document does not serialise: {error}")))
    }

    /// The same without the time at which the provider last changed it.
    fn without_time(&self) -> Self {
        let mut bare = self.clone();
        match &mut bare {
            Self::Product(product) => product.updated_at.clear(),
            Self::Stock(stock) => stock.updated_at.clear(),
            Self::Transaction(transaction) => transaction.updated_at.clear(),
            Self::Account(account) => account.updated_at.clear(),
        }
        bare
    }
}

/// A hash of 128 bits: of a state's content, or of the document that a state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The hash of a present state's content and of what was not read of it: the same whenever that was changed.
    pub fn of(document: &Document, unread: &[String]) -> Result<Self, Fault> {
        let content = document.without_time().to_json()?;
        let mut parts: Vec<&[u8]> = vec![b"content\0", &content];
        parts.extend(unread.iter().flat_map(|field| [&b"\0"[..], field.as_bytes()]));
        Ok(Self::of_parts(&parts))
    }

    /// The key of the document of a state with this version that was told at `as_of`, in milliseconds, by its canonical text.
    ///
    /// No two states of an entity have the same, even where their content is: so a document that was replaced never becomes
    /// current again.
    pub fn of_document(version: Version, as_of: i64, text: &[u8]) -> Self {
        Self::of_parts(&[b"state\0", &version.0.to_be_bytes(), &as_of.to_be_bytes(), text])
    }

    /// The key that the document of a state had before it covered when that was told.
    pub fn of_former_document(version: Version, text: &[u8]) -> Self {
        Self::of_parts(&[b"state\0", &version.0.to_be_bytes(), text])
    }

    /// The hash of a deleted state: larger than any other, so that of what was told at once the deletion stands.
    pub const DELETED: Self = Self([0xff; 16]);

    /// In hexadecimal.
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hash = [0; 16];
        hash.copy_from_slice(&signing::sha256(parts)[..16]);
        Self(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(quantity: &str, updated_at: &str) -> Document {
        Document::Stock(Stock {
            variant: "1".into(),
            location: None,
            state: None,
            quantity: Some(quantity.into()),
            updated_at: updated_at.into(),
        })
    }

    #[test]
    fn content_is_the_same_whenever_it_was_changed() {
        let hash = |document, unread: &[&str]| {
            let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
            ContentHash::of(&document, &unread).unwrap()
        };
        let one = hash(stock("7", "2026-11-01T00:00:00Z"), &[]);
        assert_eq!(one, hash(stock("7", "2026-11-02T00:00:00Z"), &[]));
        assert_ne!(one, hash(stock("8", "2026-11-01T00:00:00Z"), &[]));
        assert_ne!(one, hash(stock("7", "2026-11-01T00:00:00Z"), &["location"]), "unknown is not absent");
    }
}
