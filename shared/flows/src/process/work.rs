//! Works: notices that are resolved to a tenant, ready to be committed.

use std::sync::Arc;

use jiff::Timestamp;

use super::fold::Told;
use crate::commit::origin::{Origin, cut};
use hooktide_model::names::{MarkReason, Outcome};
use hooktide_model::notice::{Dated, EntityNotice, Version};
use hooktide_store::ports::{Condition, Key, Write};
use hooktide_store::records;
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::entity::{EntityId, Identity};
use hooktide_store::records::journal::Entry;

/// A notice of a tenant, ready to be committed.
#[derive(Debug, Clone)]
pub(super) struct Work {
    /// Which envelope of the batch it came in.
    pub(super) envelope: usize,
    /// The id of the journal's entry, the same whenever it is processed again.
    pub(super) id: String,
    pub(super) origin: Arc<Origin>,
    pub(super) connection: Option<String>,
    pub(super) identity: Identity,
    pub(super) effect: Effect,
    /// What the operator should know beside what becomes of it; told with that.
    pub(super) warning: Option<String>,
}

/// What a notice is to do.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// Change a thing.
    Entity(Box<EntityWork>),
    /// Raise a job.
    Hint { resource: String, reason: MarkReason },
    /// Disclose or erase: the request, to be kept until that is done.
    Privacy { request: Box<DeadLetter> },
    /// Keep a code for whoever set the endpoint up.
    Handshake { code: String },
    /// Nothing.
    Ignored { reason: String },
    /// Wait until its account is connected.
    Hold { account: String, letter: Arc<DeadLetter>, unclaimed: Unclaimed },
}

/// The record that shows an account to be unclaimed, as it was read: its route, which is absent, or the endpoint of the one
/// connection, which names others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclaimed {
    /// Where the record is.
    pub(super) key: Key,
    /// Its revision; none where it is absent.
    pub(super) rev: Option<u64>,
}

impl Unclaimed {
    /// The write that checks that it is as it was read.
    pub(super) fn check(&self) -> Write {
        let condition = self.rev.map_or(Condition::Absent, records::unchanged);
        Write::Check { key: self.key.clone(), condition }
    }
}

/// An entity and the state that was told.
#[derive(Debug, Clone)]
pub(super) struct EntityWork {
    pub(super) entity: EntityId,
    pub(super) told: Told,
    /// The canonical text of the document; none for a deletion.
    pub(super) document: Option<Vec<u8>>,
    pub(super) notice: EntityNotice,
    /// The resource of the connection that is synced where the notice leaves open what the state is.
    pub(super) source: Option<String>,
    /// Where it is written which account the thing belongs to, and the account that it was told of for now.
    pub(super) belonging: Option<(Key, String)>,
}

impl EntityWork {
    /// The state as it counts: where the provider's time is not to be believed, the time of the receipt does.
    pub(super) fn told(&self, now: Timestamp) -> Told {
        let mut told = self.told.clone();
        if self.is_ahead(now) {
            told.by_receipt = true;
            told.rank.version = Version(told.rank.as_of);
        }
        told
    }

    /// Whether the provider's time is further ahead than any clock explains: of the receiver's and ours, one may be behind.
    pub(super) fn is_ahead(&self, now: Timestamp) -> bool {
        let at = self.told.rank.as_of.max(now.as_millisecond());
        self.notice.dated == Dated::ByProvider && self.notice.version.is_ahead(at)
    }
}

impl Work {
    /// The entity that it is about, if it is about one.
    pub(super) fn entity(&self) -> Option<&EntityWork> {
        match &self.effect {
            Effect::Entity(entity) => Some(entity),
            Effect::Hint { .. }
            | Effect::Privacy { .. }
            | Effect::Handshake { .. }
            | Effect::Ignored { .. }
            | Effect::Hold { .. } => None,
        }
    }

    /// About how many bytes its records have in a transaction, beyond what any work has.
    pub(super) fn bytes(&self) -> usize {
        match &self.effect {
            Effect::Hold { letter, .. } => letter.message.len(),
            Effect::Privacy { request } => request.message.len(),
            Effect::Entity(_) | Effect::Hint { .. } | Effect::Handshake { .. } | Effect::Ignored { .. } => 0,
        }
    }

    /// The journal's entry, with its outcome.
    pub(super) fn entry(&self, outcome: Outcome, reason: Option<String>, now: Timestamp) -> Entry {
        let reasons: Vec<&str> = reason.iter().chain(&self.warning).map(String::as_str).collect();
        let reason = (!reasons.is_empty()).then(|| cut(&reasons.join("; ")));
        Entry { connection: self.connection.clone(), reason, ..self.origin.entry(self.id.clone(), outcome, now) }
    }

    /// The id of its envelope.
    pub(super) fn envelope_id(&self) -> &str {
        &self.origin.id
    }
}
