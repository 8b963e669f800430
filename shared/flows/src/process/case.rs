//! Cases: messages of a batch on their way through processing.

use std::collections::HashSet;

use super::owner::Owner;
use crate::commit::Fact;
use crate::settle::Unprocessed;
use hooktide_model::envelope::{Envelope, Unpublished};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_providers::verified::Verified;
use hooktide_store::ports::QueueName;

/// A message of the batch.
pub(super) struct Case {
    pub(super) envelope: Envelope,
    pub(super) queue: QueueName,
    /// The queue's handles: it may deliver a message twice into one batch, and both share its fate.
    pub(super) handles: Vec<String>,
    pub(super) owner: Owner,
    /// Its body, if it has one.
    pub(super) body: Option<Result<Verified, Fault>>,
    /// The facts that it reports and that are not committed yet, by the tenant that each is about.
    pub(super) facts: Vec<(Tenant, Fact)>,
    /// The worst fault of its processing so far, if there was one.
    pub(super) fault: Option<Fault>,
    /// Why it is kept although all its facts are committed.
    pub(super) unprocessed: Option<Fault>,
    /// Whether the run was over before its turn.
    pub(super) is_late: bool,
}

/// The facts of an envelope.
pub(super) struct Reading {
    pub(super) facts: Vec<(Tenant, Fact)>,
    /// Why the envelope is kept nevertheless, if it is.
    pub(super) unprocessed: Option<Fault>,
    /// Whether the facts cover its whole body.
    pub(super) whole: bool,
}

impl Case {
    /// A case of which only the envelope is known.
    pub(super) fn new(envelope: Envelope, queue: QueueName, handle: String) -> Self {
        Self {
            envelope,
            queue,
            handles: vec![handle],
            // Until the owner is known, the outcome is filed under the system tenant.
            owner: Owner::Tenant(Tenant::system()),
            body: None,
            facts: Vec::new(),
            fault: None,
            unprocessed: None,
            is_late: false,
        }
    }

    /// Takes the facts that were read, except those that are `done`.
    pub(super) fn take_up(&mut self, Reading { facts, unprocessed, whole }: Reading, done: &HashSet<String>) {
        if let Some(routed) = Owner::routed(&facts).filter(|_| whole) {
            self.owner = routed;
        }
        self.unprocessed = unprocessed;
        self.facts = facts.into_iter().filter(|(_, fact)| !done.contains(&fact.id)).collect();
    }

    /// Makes a fault decisive if it is worse than the one before.
    pub(super) fn fail(&mut self, fault: Fault) {
        self.fault = Some(worse(self.fault.take(), fault));
    }

    /// Remembers a place of the journal that the bus may not have heard of.
    pub(super) fn remember(&mut self, unpublished: Unpublished) {
        if !self.envelope.committed.contains(&unpublished) {
            self.envelope.committed.push(unpublished);
        }
    }

    /// The message to settle.
    pub(super) fn into_unprocessed(self) -> Unprocessed {
        let (tenant, connection) = (self.owner.tenant(), self.owner.connection().map(str::to_owned));
        Unprocessed { envelope: self.envelope, queue: self.queue, tenant, connection }
    }
}

impl Reading {
    /// Facts that cover the whole body.
    pub(super) fn whole(facts: Vec<(Tenant, Fact)>) -> Self {
        Self { facts, unprocessed: None, whole: true }
    }
}

/// The decisive fault of two for one envelope.
fn worse(one: Option<Fault>, other: Fault) -> Fault {
    fn rank(fault: &Fault) -> u8 {
        match fault {
            Fault::Retryable { .. } => 0,
            Fault::Failed { .. } => 1,
            Fault::Permanent { .. } => 2,
        }
    }
    match one {
        Some(one) if rank(&one) >= rank(&other) => one,
        Some(_) | None => other,
    }
}
