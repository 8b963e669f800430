//! Targets: how a provider is written to, one question and one answer at a time.

use jiff::Timestamp;

use super::{Answer, Api, Ask, Refusal};
use hooktide_model::settings::connection::ConnectionSettings;

/// The writing of blocks into a provider's calendars. Each write can be sent again: a creation names the block by its key, and
/// a change or a removal the state that it was decided by.
///
/// A block comes to be in one way at every provider: by [`WriteStep::Create`]; where that is [`Written::Taken`], or its answer
/// was lost, by a [`WriteStep::Look`] without an id; and where it is then there, but not as wanted, by a [`WriteStep::Change`]
/// of what the look showed. Some providers keep the name of a removed block taken for ever, as Google does; there, that look
/// shows what was removed as there and not as wanted, and that change brings it back. Where a name is taken although a look by
/// the key says that it is gone, or the change is refused as invalid, it is used up: the block needs another key.
///
/// A look by the provider's id says whether the block is still there. Whoever knew it to be there, and did not remove it, learns
/// from [`Written::Gone`] that somebody else did.
pub trait Target: Api {
    /// The question that takes a step.
    fn ask(&self, task: &WriteTask<'_>, step: &WriteStep<'_>) -> Ask;

    /// Reads the answer to that question. Answers that are no success are sorted by [`Api::sort`], unless they have a meaning
    /// here (a block that is there already, or gone, or that somebody changed).
    fn read(&self, task: &WriteTask<'_>, step: &WriteStep<'_>, answer: &Answer) -> Result<Written, Refusal>;
}

/// The calendar that a step is about.
#[derive(Debug, Clone, Copy)]
pub struct WriteTask<'a> {
    /// The account at the provider, if the connection names one.
    pub account: Option<&'a str>,
    /// The connection's settings.
    pub settings: &'a ConnectionSettings,
    /// The calendar, by the provider's id.
    pub calendar: &'a str,
    /// The base address of the API, without a slash at the end.
    pub api: &'a str,
    /// The time of asking.
    pub now: Timestamp,
}

/// A block: a time that is taken, since it is taken in another calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its name for ever: [`hooktide_model::calendar::BLOCK_PREFIX`] and digits of base32hex. The provider's id, `UID` or
    /// reference is made of it, so that it is created once, and known wherever a copy turns up.
    pub key: String,
    /// The start.
    pub start: Moment,
    /// The end, which is not part of it.
    pub end: Moment,
    /// The title that others see.
    pub title: String,
}

/// A start or an end of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// A point in time.
    At(Timestamp),
    /// A day, where the block lasts whole days.
    Day(jiff::civil::Date),
}

/// A step in the life of a block. `id` and `etag` are the provider's, as an earlier step gave them; opaque to all but the
/// provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteStep<'a> {
    /// Creates the block, unless one of its key is there, or was and keeps its name taken.
    Create(&'a Block),
    /// Changes the block to what is given, unless somebody changed or removed it since. All of it is written, so it also makes
    /// good what a person did to it, or brings it back, if `etag` is what a look showed after that.
    Change {
        /// The provider's id.
        id: &'a str,
        /// The state that it was left in; absent where it is written whatever became of it.
        etag: Option<&'a str>,
        /// The block as it is to be.
        block: &'a Block,
    },
    /// Removes the block, unless somebody changed it since.
    Remove {
        /// The provider's id.
        id: &'a str,
        /// The state that it was left in; absent where it goes whatever became of it.
        etag: Option<&'a str>,
    },
    /// Looks at the block: by the provider's id to verify it, or after the answer to a change or a removal was lost; by its key
    /// alone where it is being created, and no answer gave that id.
    Look {
        /// The provider's id, if it is known.
        id: Option<&'a str>,
        /// The block as it should be.
        block: &'a Block,
    },
}

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// The block is there.
    There(There),
    /// The block is not there (any more).
    Gone,
    /// Somebody changed or removed it since, so nothing was done: it has to be looked at, by its id.
    Changed,
    /// One of its key is there already, or its name is taken by one that was, so nothing was done: it has to be looked at, by
    /// its key.
    Taken,
}

/// A block that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// The provider's id.
    pub id: String,
    /// The state that it is in, where the provider names it.
    pub etag: Option<String>,
    /// The `UID` that copies of it have, where the provider chooses it.
    pub uid: Option<String>,
    /// Whether it is as the block says: the same time, taken, and neither removed nor recurring. The title does not count.
    pub is_as_wanted: bool,
}
