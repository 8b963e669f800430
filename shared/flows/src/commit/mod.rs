//! Commit: what is learnt at once of a tenant becomes one transaction.

mod heads;
pub mod journal;
pub mod origin;

use hooktide_store::records::entity::Journaled;
use hooktide_store::records::journal::Entry;

/// A change in the journal, with the canonical text of its document.
#[derive(Debug)]
pub(crate) struct CommittedChange {
    /// Its entry.
    pub(crate) entry: Entry,
    /// The canonical text of its document; none for a deletion.
    pub(crate) text: Option<Vec<u8>>,
    /// Where it is.
    pub(crate) at: Journaled,
}
