//! The result of a commit.

use hooktide_model::fault::Fault;
use hooktide_model::place::JournalPlace;
use hooktide_store::records::job::Mark;
use hooktide_store::records::journal::Entry;

/// A change in the journal, with the canonical text of its document.
#[derive(Debug)]
pub struct CommittedChange {
    /// Its entry.
    pub(crate) entry: Entry,
    /// The canonical text of its document; absent for a deletion.
    pub(crate) text: Option<Vec<u8>>,
    /// Its place.
    pub(crate) at: JournalPlace,
}

/// The result of a commit.
#[derive(Debug, Default)]
pub struct Committed {
    /// Changes to publish.
    pub(crate) changes: Vec<CommittedChange>,
    /// The places in the batch of facts that must wait, with the reasons.
    pub(crate) waiting: Vec<(usize, Fault)>,
    /// The marks of jobs to announce.
    pub(crate) raised: Vec<Mark>,
    /// The places that are marked as still to be published.
    pub(crate) announced: Vec<JournalPlace>,
    /// When the last of the states was committed that were read and that webhooks had reported, in milliseconds since 1970.
    pub(crate) reported_at: Option<i64>,
}

/// A commit that failed, or that may have happened.
#[derive(Debug)]
pub struct Uncommitted {
    /// The reason.
    pub fault: Fault,
    /// Its place in the journal, if it happened after all.
    pub(crate) perhaps_at: Option<JournalPlace>,
}

impl From<Fault> for Uncommitted {
    fn from(fault: Fault) -> Self {
        Self { fault, perhaps_at: None }
    }
}

impl Committed {
    /// Adds the result of a part whose facts begin at `start`.
    pub(super) fn add(&mut self, start: usize, part: Self) {
        self.changes.extend(part.changes);
        self.announced.extend(part.announced);
        self.raised.extend(part.raised);
        self.reported_at = self.reported_at.max(part.reported_at);
        self.waiting.extend(part.waiting.into_iter().map(|(index, fault)| (start + index, fault)));
    }
}
