//! Notices: what a provider told us, in our terms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::{ErrorClass, Fault};
use crate::names::{Kind, PrivacyAct};
use crate::payment::{Account, Transaction};
use crate::product::{Product, Stock};
use crate::signing;

/// Why nothing is done about a topic that the provider is not known to send.
pub const UNKNOWN_TOPIC: &str = "unknown topic";

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
        Self::Hint { resource, of: None }
    }

    /// Of a hint: about this one of several that the connection has.
    #[must_use]
    pub fn about(self, one: impl Into<String>) -> Self {
        match self {
            Self::Hint { resource, .. } => Self::Hint { resource, of: Some(one.into()) },
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
    /// A number of the provider's that is no time.
    Counted,
}

impl Dated {
    fn is_by_provider(&self) -> bool {
        *self == Self::ByProvider
    }
}

/// Where a state stands in the order of a thing's states: larger is newer.
///
/// The number is the provider's (for Shopify, the milliseconds of `updated_at`); its README says which. Equal numbers
/// are a tie, which the larger content hash wins, so that any order of arrival ends in the same state.
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
}

/// The hash that a tie is decided by: 128 bits over version and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The hash of a present state's canonical text.
    pub fn of(version: Version, content: &[u8]) -> Self {
        let digest = signing::sha256(&[b"state\0", &version.0.to_be_bytes(), content]);
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }

    /// The hash of a deleted state: larger than any other, so that of a tie the deletion stands.
    pub const DELETED: Self = Self([0xff; 16]);

    /// In hexadecimal.
    pub fn to_hex(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }
}
