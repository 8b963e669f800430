//! Targets: how a change is written to a provider.

use super::{Answer, Api, Ask, Refusal, Task};
use hooktide_model::notice::EntityNotice;

/// The writing of changes to a provider. The intent is recorded before the question is asked; an answer that was lost is
/// [`Refusal::Unknown`], and resolved by reading back.
pub trait Target: Api {
    /// The question that writes.
    fn first(&self, task: &Task<'_>, write: &Write<'_>) -> Ask;

    /// Reads the answer to that question.
    fn read(&self, task: &Task<'_>, write: &Write<'_>, answer: &Answer) -> Result<Written, Refusal>;
}

/// A change that is to be written.
#[derive(Debug, Clone, Copy)]
pub struct Write<'a> {
    /// The entity as it is to be.
    pub entity: &'a EntityNotice,
    /// The text by which the provider knows a repeat.
    pub idempotency_key: &'a str,
}

/// The outcome of a write.
#[derive(Debug)]
pub struct Written {
    /// The entity as the provider says it is now, so that its own notice of it is known again.
    pub entity: EntityNotice,
}
