//! Notices: what a provider reports, in Hooktide's own terms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::calendar::CalendarEvent;
use crate::fault::{ErrorClass, Fault};
use crate::names::{Kind, MarkReason, PrivacyAct};
use crate::payment::{Account, Transaction};
use crate::product::{Product, Stock};
use crate::signing;

/// Why nothing is done about a topic that the provider is not known to send.
pub const UNKNOWN_TOPIC: &str = "unknown topic";

/// How far ahead of the receipt a provider's time may be before it is disbelieved, in milliseconds: a day.
const MOST_AHEAD: i64 = 24 * 3600 * 1000;

/// What a rank adds to a version: more than any time has milliseconds.
const RANK: i64 = 1 << 48;

/// One fact that a delivery reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// The provider's account that it is about, if the delivery names one.
    pub account: Option<String>,
    /// The provider's delivery identity: the same for every repeat of the same delivery.
    pub identity: String,
    /// What it reports.
    pub what: What,
}

/// The content of a notice.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum What {
    /// An entity and its new state.
    Entity(EntityNotice),
    /// Something changed in a resource of the connection; the provider must be asked for the change.
    Hint {
        /// Which resource: `stock`, `catalog`.
        resource: &'static str,
        /// The provider's name for one of several such resources of the connection, such as the channel of a calendar.
        of: Option<String>,
        /// The provider's id of the subscription by which it was sent, where the message says it.
        subscription: Option<String>,
        /// The provider's id of the entity that changed, where the notice names one.
        entity: Option<String>,
        /// Why it has to be asked.
        #[serde(skip_serializing_if = "MarkReason::is_hint")]
        reason: MarkReason,
    },
    /// A request to disclose or erase somebody's data.
    Privacy(PrivacyRequest),
    /// A notice that nothing is done about; the reason is shown in the activity.
    Ignored {
        /// Why.
        reason: String,
    },
    /// A part of the delivery that cannot be processed and may matter. The other parts are processed; the whole delivery is
    /// kept in the dead letters.
    Kept {
        /// The class that the dead letters file it under.
        class: ErrorClass,
        /// Which part it is and what is wrong with it; never quotes the body.
        reason: String,
    },
}

/// A request about personal data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrivacyRequest {
    /// The action that is asked for.
    pub act: PrivacyAct,
    /// The account or person that the request is about.
    pub subject: Subject,
}

/// The subject of a request about personal data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Subject {
    /// The account itself: everything that is held about it.
    Account,
    /// A person, identified by values that occur only in the person's data: ids, addresses, numbers.
    Person(Vec<String>),
}

impl What {
    /// A hint that the connection's only resource of this name changed.
    pub fn hint(resource: &'static str) -> Self {
        Self::Hint { resource, of: None, subscription: None, entity: None, reason: MarkReason::Hint }
    }

    /// A hint that this entity changed.
    pub fn hint_at(resource: &'static str, entity: impl ToString) -> Self {
        let entity = Some(entity.to_string());
        Self::Hint { resource, of: None, subscription: None, entity, reason: MarkReason::Hint }
    }

    /// Narrows a hint to one of several such resources of the connection.
    #[must_use]
    pub fn about(mut self, one: impl Into<String>) -> Self {
        if let Self::Hint { of, .. } = &mut self {
            *of = Some(one.into());
        }
        self
    }

    /// Gives a hint the provider's id of the subscription by which it was sent.
    #[must_use]
    pub fn through(mut self, id: Option<String>) -> Self {
        if let Self::Hint { subscription, .. } = &mut self {
            *subscription = id;
        }
        self
    }

    /// Gives a hint the reason for the fetch.
    #[must_use]
    pub fn because(mut self, why: MarkReason) -> Self {
        if let Self::Hint { reason, .. } = &mut self {
            *reason = why;
        }
        self
    }

    /// A notice that nothing is done about, for this reason.
    pub fn ignored(reason: impl Into<String>) -> Self {
        Self::Ignored { reason: reason.into() }
    }

    /// A part that does not have the documented form and may matter.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self::Kept { class: ErrorClass::Unreadable, reason: reason.into() }
    }

    /// A notice that may be about money, although its topic is unknown.
    pub fn perhaps_money(reason: impl Into<String>) -> Self {
        Self::Kept { class: ErrorClass::UnknownPayment, reason: reason.into() }
    }
}

/// An entity and its new state.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EntityNotice {
    /// The kind of the entity.
    pub kind: Kind,
    /// The provider's id for it.
    pub id: String,
    /// The position of this state in the order of the entity's states.
    pub version: Version,
    /// The state.
    pub state: State,
    /// When the entity entered this state, by the provider's clock.
    pub occurred_at: Option<Timestamp>,
    /// What the version is derived from.
    #[serde(skip_serializing_if = "Dated::is_by_provider")]
    pub dated: Dated,
    /// Whether the notice reports that the entity was restored: this ends a state that is dated by receipt and older than this
    /// notice's receipt, whatever the versions say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// The fields of the body whose type could not be read. They are absent from the document, so their values are unknown
    /// to whoever acts on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The resource of the connection to fetch where the notice does not settle the state: a tie, a field that could not be
    /// read, a tombstone without a time of its own.
    #[serde(skip)]
    pub source: Option<&'static str>,
    /// The resource of the connection that has changed as well where the entity is new, though no notice tells of that: a product
    /// comes with its stock.
    #[serde(skip)]
    pub brings: Option<&'static str>,
}

impl EntityNotice {
    /// An entity and its new state, with the provider's own version.
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
            brings: None,
        }
    }
}

/// What the version of a state is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dated {
    /// A time by the provider's clock.
    ByProvider,
    /// The time at which the delivery was accepted, since the provider gives none.
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
/// are a tie: the provider's clock did not move, so the state that was reported last wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

impl Version {
    /// Newer than every other version: for deletions where the provider never reuses an id.
    pub const FINAL: Self = Self(i64::MAX);

    /// The version for a time.
    pub fn from_time(time: Timestamp) -> Self {
        Self(time.as_millisecond())
    }

    /// The version for a time, of a state that is newer than all of a lower rank, whatever their times: a payment that is
    /// completed is never pending again.
    pub fn ranked(rank: u8, time: Timestamp) -> Self {
        Self(i64::from(rank) * RANK + time.as_millisecond().clamp(0, RANK - 1))
    }

    /// Whether it has a rank.
    pub fn has_rank(self) -> bool {
        self != Self::FINAL && self.0 >= RANK
    }

    /// Its time, in milliseconds since 1970, where versions are times.
    pub fn milliseconds(self) -> i64 {
        if self.0 < RANK { self.0 } else { self.0 % RANK }
    }

    /// The version of the same rank for another time, in milliseconds since 1970.
    #[must_use]
    pub fn at(self, milliseconds: i64) -> Self {
        Self(self.0 - self.milliseconds() + milliseconds)
    }

    /// Whether this version is a time too far ahead of `at` (in milliseconds) for the provider's clock to explain.
    pub fn is_ahead(self, at: i64) -> bool {
        self != Self::FINAL && self.milliseconds() > at.saturating_add(MOST_AHEAD)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if *self == Self::FINAL { f.write_str("final") } else { write!(f, "{}", self.0) }
    }
}

/// The state of an entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum State {
    /// The entity exists and has this document.
    Present(Document),
    /// The entity was deleted.
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
    /// An entry of a calendar.
    CalendarEvent(Box<CalendarEvent>),
}

impl Document {
    /// The canonical text: fields in the order of their declaration, no white space.
    pub fn to_json(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|error| Fault::failed(format!("a document does not serialise: {error}")))
    }

    /// The document without the time at which the provider last changed it.
    fn without_time(&self) -> Self {
        let mut bare = self.clone();
        match &mut bare {
            Self::Product(product) => product.updated_at.clear(),
            Self::Stock(stock) => stock.updated_at.clear(),
            Self::Transaction(transaction) => transaction.updated_at.clear(),
            Self::Account(account) => account.updated_at.clear(),
            Self::CalendarEvent(event) => event.updated_at.clear(),
        }
        bare
    }
}

/// A hash of 128 bits: of a state's content, or of the document that a state has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The hash of a present state's content and of its unread fields; independent of the time of the change.
    pub fn of(document: &Document, unread: &[String]) -> Result<Self, Fault> {
        let content = document.without_time().to_json()?;
        let mut parts: Vec<&[u8]> = vec![b"content\0", &content];
        parts.extend(unread.iter().flat_map(|field| [&b"\0"[..], field.as_bytes()]));
        Ok(Self::of_parts(&parts))
    }

    /// The key of a document, from its canonical text, its state's version, and the time `as_of` (in milliseconds) at which
    /// the state was reported.
    ///
    /// No two states of an entity share a key, even where their contents are equal, so a document that was replaced never
    /// becomes current again.
    pub fn of_document(version: Version, as_of: i64, text: &[u8]) -> Self {
        Self::of_parts(&[b"state\0", &version.0.to_be_bytes(), &as_of.to_be_bytes(), text])
    }

    /// The older form of a document's key, which does not cover the time of the report.
    pub fn of_former_document(version: Version, text: &[u8]) -> Self {
        Self::of_parts(&[b"state\0", &version.0.to_be_bytes(), text])
    }

    /// The hash of a deleted state: larger than any other, so that a deletion wins over a state reported at the same time.
    pub const DELETED: Self = Self([0xff; 16]);

    /// The hash in hexadecimal.
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

    #[test]
    fn a_rank_counts_before_times_and_leaves_them_as_they_are() {
        let time = |second| Timestamp::from_second(second).unwrap();
        let pending = Version::ranked(2, time(1_800_000_000));
        let completed = Version::ranked(4, time(1_700_000_000));
        assert!(pending < completed && Version::from_time(time(1_900_000_000)) < pending && completed < Version::FINAL);
        assert_eq!(completed.milliseconds(), 1_700_000_000_000);
        assert_eq!(completed.at(5), Version::ranked(4, Timestamp::from_millisecond(5).unwrap()));
        assert!(!completed.is_ahead(1_700_000_000_000) && completed.is_ahead(1_600_000_000_000));
        assert_eq!(Version(-7).milliseconds(), -7);
    }

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
