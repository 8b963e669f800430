//! Sources: how a provider's resources are read, one question and one answer at a time.

use jiff::Timestamp;

use super::{Answer, Api, Ask, Refusal};
use hooktide_model::notice::What;
use hooktide_model::secret::Secret;

/// The reading of a provider's resources. All state is in the cursor, so a page that was lost is asked for again.
pub trait Source: Api {
    /// The next question of a task: from its cursor, or from the beginning.
    fn first(&self, task: &Task<'_>) -> Ask;

    /// Reads the answer to a question of the task.
    fn read(&self, task: &Task<'_>, answer: &Answer) -> Result<Page, Refusal>;
}

/// The work on one resource of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The account at the provider.
    pub account: &'a str,
    /// The resource's name, as the profile has it.
    pub resource: &'a str,
    /// The part of the resource that is meant, where it has parts: one calendar of several.
    pub part: Option<&'a str>,
    /// The place up to which it was read; opaque to all but the provider.
    pub cursor: Option<&'a str>,
    /// The base address of the API.
    pub api: &'a str,
    /// The token to ask with.
    pub token: &'a Secret,
    /// The time of asking.
    pub now: Timestamp,
}

/// A page of a resource.
#[derive(Debug)]
pub struct Page {
    /// The facts that it tells.
    pub facts: Vec<What>,
    /// The way on.
    pub next: Next,
}

/// The way on after a page.
#[derive(Debug)]
pub enum Next {
    /// There is more: the next question.
    Ask(Box<Ask>),
    /// The resource was read up to this cursor.
    Done(String),
    /// The cursor is too old: the resource is read from the beginning.
    Expired,
}
