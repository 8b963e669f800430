//! Facts: new knowledge about a tenant's data, with its origin.

use std::sync::Arc;

use jiff::Timestamp;

use super::fold::Told;
use super::listed::{self, Listed};
use super::origin::{Origin, cut};
use hooktide_model::fault::Fault;
use hooktide_model::names::{Kind, MarkReason, Outcome, Via};
use hooktide_model::notice::{ContentHash, Dated, EntityNotice, State, Version};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Condition, Key, Write};
use hooktide_store::records::dead_letter::{DeadLetter, Shelf};
use hooktide_store::records::entity::{EntityId, Identity, Rank};
use hooktide_store::records::journal::Entry;
use hooktide_store::records::{self, delivery, endpoint};

/// One fact about one tenant's data.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The id of its entry in the journal, the same whenever the fact is committed again.
    pub id: String,
    /// Its origin.
    pub origin: Arc<Origin>,
    /// How it became known.
    pub via: Via,
    /// The connection that it is about, where there is one.
    pub connection: Option<String>,
    /// Its content.
    pub what: FactKind,
    /// A warning for the operator, besides its outcome.
    pub warning: Option<String>,
}

/// The content of a fact.
#[derive(Debug, Clone)]
pub enum FactKind {
    /// An entity has a state.
    Entity(Box<EntityFact>),
    /// A resource changed, and the change must be fetched.
    Hint {
        /// The part of the delivery to remember, so that a repeat does nothing.
        delivery: DeliveryPart,
        /// The resource, with its connection.
        resource: String,
        /// The entity that changed, by the provider's id, where that is known.
        entity: Option<String>,
        /// Why it must be fetched.
        reason: MarkReason,
    },
    /// Somebody's data must be disclosed or erased.
    Privacy {
        /// The part of the delivery to remember, so that a repeat does nothing.
        delivery: DeliveryPart,
        /// The request, which is kept until that is done.
        request: Box<DeadLetter>,
    },
    /// A code arrived for whoever sets up the endpoint.
    Handshake {
        /// The code.
        code: String,
    },
    /// The fact has no effect.
    Ignored {
        /// The reason.
        reason: String,
    },
    /// Work ended; it is told in the activity, and has no other effect.
    Noted {
        /// How it ended.
        outcome: Outcome,
        /// What was done, or why not.
        reason: String,
    },
    /// A delivery must wait until its account is connected.
    Held {
        /// The account.
        account: String,
        /// The delivery.
        letter: Arc<DeadLetter>,
        /// The record that shows the account to be unclaimed.
        unclaimed: Unclaimed,
    },
}

/// A part of a delivery that is remembered separately, since it is not about an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPart {
    /// The identity of the delivery.
    pub identity: Identity,
    /// The name that tells it from the other parts.
    pub part: String,
}

impl DeliveryPart {
    /// The key of its record.
    pub(super) fn key(&self, tenant: &Tenant) -> Key {
        delivery::key(tenant, self.identity, &self.part)
    }
}

/// The record that shows an account to be unclaimed, as it was read: its route, which is absent, or the endpoint of the one
/// connection, which names others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclaimed {
    /// The key of the record.
    pub key: Key,
    /// Its revision, if the record exists.
    pub rev: Option<u64>,
}

impl Unclaimed {
    /// The write that checks that the record is unchanged since it was read.
    pub(super) fn check(&self) -> Write {
        let condition = self.rev.map_or(Condition::Absent, records::unchanged);
        Write::Check { key: self.key.clone(), condition }
    }
}

/// The account that an entity of a shared endpoint belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// The key of the record.
    pub key: Key,
    /// The account that the entity was reported for now.
    pub account: String,
}

/// An entity and the state that was reported.
#[derive(Debug, Clone)]
pub struct EntityFact {
    /// The entity.
    pub entity: EntityId,
    /// The state, dated by the provider.
    pub(super) told: Told,
    /// The canonical text of the document; absent for a deletion.
    pub(super) document: Option<Vec<u8>>,
    /// What lists have of the state, if it is of a kind that is listed.
    pub(super) listed: Option<Listed>,
    /// When the entity entered the state, by the provider's clock.
    pub(super) occurred_at: Option<Timestamp>,
    /// The fields that could not be read.
    pub(super) unread: Vec<String>,
    /// The resource of the connection to sync if the fact leaves the state open.
    pub(super) resource: Option<String>,
    /// The resource of the connection to sync if the entity is new.
    pub(super) brings: Option<String>,
    /// The account that it must belong to; absent if the endpoint has only one account, or accounts are signed.
    pub belonging: Option<Belonging>,
}

impl EntityFact {
    /// The state that a notice of a connection reports. `identity` is the same for every repeat of the notice.
    pub fn new(notice: EntityNotice, connection: &str, identity: Identity, origin: &Origin) -> Result<Self, Fault> {
        let as_of = origin.received_at.as_millisecond();
        let by_receipt = notice.dated == Dated::ByReceipt;
        let version = if by_receipt { Version(as_of) } else { notice.version };
        let (document, hash, content) = match &notice.state {
            State::Present(document) => {
                let text = document.to_json()?;
                let hash = ContentHash::of_document(version, as_of, &text);
                (Some(text), hash, ContentHash::of(document, &notice.unread)?)
            }
            State::Deleted => (None, ContentHash::DELETED, ContentHash::DELETED),
        };
        let listed = Listed::of(&notice.state, connection, &origin.provider, &notice.id);
        let told = Told {
            identity,
            envelope: origin.id.clone(),
            rank: Rank { version, as_of, content },
            hash,
            deleted: document.is_none(),
            by_receipt,
            lifts: notice.restored,
        };
        Ok(Self {
            entity: EntityId { kind: notice.kind, connection: connection.to_owned(), id: notice.id },
            told,
            document,
            listed,
            occurred_at: notice.occurred_at,
            unread: notice.unread,
            resource: notice.source.map(|resource| format!("{resource}/{connection}")),
            brings: notice.brings.map(|resource| format!("{resource}/{connection}")),
            belonging: None,
        })
    }

    /// The effective state: if the provider's time cannot be believed, the time of the receipt replaces it.
    pub(super) fn told(&self, now: Timestamp) -> Told {
        let mut told = self.told.clone();
        if self.is_ahead(now) {
            told.by_receipt = true;
            told.rank.version = told.rank.version.at(told.rank.as_of);
        }
        told
    }

    /// Whether the provider's time is too far ahead for any clock to explain, even if the receiver's or ours is behind.
    pub(super) fn is_ahead(&self, now: Timestamp) -> bool {
        let at = self.told.rank.as_of.max(now.as_millisecond());
        !self.told.by_receipt && self.told.rank.version.is_ahead(at)
    }
}

impl Fact {
    /// How many writes its commit needs at the most, besides those of its tags.
    pub(super) fn writes(&self) -> usize {
        let is_counted = self.entity().is_some_and(|entity| entity.entity.kind == Kind::Transaction);
        if is_counted { listed::WRITES } else { 2 }
    }

    /// The entity that it is about, if it is about one.
    pub(super) fn entity(&self) -> Option<&EntityFact> {
        match &self.what {
            FactKind::Entity(entity) => Some(entity),
            FactKind::Hint { .. }
            | FactKind::Privacy { .. }
            | FactKind::Handshake { .. }
            | FactKind::Ignored { .. }
            | FactKind::Noted { .. }
            | FactKind::Held { .. } => None,
        }
    }

    /// The approximate size of its records in a transaction, in bytes, beyond that of any fact's.
    pub(super) fn bytes(&self) -> usize {
        match &self.what {
            FactKind::Held { letter, .. } => letter.message.len(),
            FactKind::Privacy { request, .. } => request.message.len(),
            FactKind::Entity(_)
            | FactKind::Hint { .. }
            | FactKind::Handshake { .. }
            | FactKind::Ignored { .. }
            | FactKind::Noted { .. } => 0,
        }
    }

    /// Its entry in the journal, with an outcome.
    pub(super) fn entry(&self, outcome: Outcome, reason: Option<String>, now: Timestamp) -> Entry {
        let reasons: Vec<&str> = reason.iter().chain(&self.warning).map(String::as_str).collect();
        let reason = (!reasons.is_empty()).then(|| cut(&reasons.join("; ")));
        Entry { connection: self.connection.clone(), reason, ..self.origin.entry(self.id.clone(), outcome, now) }
    }

    /// The shelf that it is kept on until its account is connected.
    pub(super) fn shelf(&self, account: &str) -> Shelf {
        Shelf::Held { endpoint: self.origin.endpoint.clone(), account: account.to_owned() }
    }

    /// The key of a handshake's code.
    pub(super) fn handshake_key(&self) -> Key {
        endpoint::handshake_key(&self.origin.provider, &self.origin.endpoint)
    }
}
