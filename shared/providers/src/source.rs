//! Sources: how a provider's resources are read, one step of questions and answers at a time.

use jiff::Timestamp;

use super::reading::is_id;
use super::{Answer, Api, Ask, Refusal};
use hooktide_model::notice::What;
use hooktide_model::settings::connection::ConnectionSettings;

/// The reading of a provider's resources. All state is in the cursor, so a step that was lost is asked again.
pub trait Source: Api {
    /// The questions of the next step, which are answered together: from the task's cursor, or from the beginning.
    fn ask(&self, task: &Task<'_>) -> Vec<Ask>;

    /// Reads the answers to the questions of the step, in their order. Answers that are no success are sorted by
    /// [`Api::sort`], unless they have a meaning here (a single entity that is gone).
    fn read(&self, task: &Task<'_>, answers: &[Answer]) -> Result<Page, Refusal>;

    /// The resources that are read from the start, in this order. Parts follow once a page names them.
    fn resources(&self) -> &'static [&'static str];

    /// The resource whose parts the pages of another one name: the list of calendars names the parts of `calendar`. Parts are
    /// read separately, each with a cursor of its own.
    fn parts_of(&self, _resource: &str) -> Option<&'static str> {
        None
    }

    /// The cursor from which the same is asked for in smaller pages, after the provider gave no answer in time to the questions of
    /// this task; `None` where they cannot be smaller.
    fn shorter(&self, _task: &Task<'_>) -> Option<String> {
        None
    }

    /// Whether [`Reach::Changes`] of a resource has whatever changed, half a minute after it did. Where hints are about too many
    /// entities to name them, it is read in place of everything.
    fn is_dated(&self, _resource: &str) -> bool {
        false
    }

    /// Whether a listing of a resource is a single answer, which has everything or nothing: what it lacks need not be asked for
    /// by its id as well.
    fn lists_at_once(&self, _resource: &str) -> bool {
        false
    }

    /// Whether an entity went with one that ended, by their ids: an occurrence with its series (see [`Page::ended`]).
    fn goes_with(&self, _entity: &str, _ended: &str) -> bool {
        false
    }

    /// Whether a resource is read by its parts only.
    fn has_parts(&self, resource: &str) -> bool {
        self.resources().iter().any(|list| self.parts_of(list) == Some(resource))
    }
}

/// The reading of one resource of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The account at the provider, if the connection names one.
    pub account: Option<&'a str>,
    /// The connection's settings.
    pub settings: &'a ConnectionSettings,
    /// The resource's name, as the profile has it.
    pub resource: &'a str,
    /// The part of the resource, where it has parts.
    pub part: Option<&'a str>,
    /// The extent of the reading.
    pub reach: Reach<'a>,
    /// Where this reading is. For [`Reach::Changes`] it begins with the cursor that the last complete reading ended with; the
    /// others begin without one. Opaque to all but the provider.
    pub cursor: Option<&'a str>,
    /// The base address of the API, without a slash at the end.
    pub api: &'a str,
    /// The time of asking.
    pub now: Timestamp,
}

/// The extent of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// Everything that changed since the cursor.
    Changes,
    /// Everything that there is.
    Everything,
    /// The entity of this id alone.
    One(&'a str),
}

/// One step of a reading.
#[derive(Debug)]
pub struct Page {
    /// The states that it reports: [`What::Entity`], and [`What::Ignored`] or [`What::Kept`] for items that could not be read.
    pub facts: Vec<What>,
    /// The ids of items that are there, although they could not be read: a comparison must not take them for deleted.
    pub seen: Vec<String>,
    /// The parts that it names (see [`Source::parts_of`]).
    pub parts: Vec<Part>,
    /// The ids of entities that ended, and whose ids those of others begin with that ended with them, whether or not a page
    /// names them (see [`Source::goes_with`]).
    pub ended: Vec<String>,
    /// The way on.
    pub next: Next,
}

impl Page {
    /// A page of facts.
    pub fn of(facts: Vec<What>, next: Next) -> Self {
        Self { facts, seen: Vec::new(), parts: Vec::new(), ended: Vec::new(), next }
    }

    /// A page of parts; for `None`, it says that an item is `odd`.
    pub(crate) fn of_parts(parts: impl IntoIterator<Item = Option<Part>>, odd: &str, next: Next) -> Self {
        let mut page = Self::of(Vec::new(), next);
        for part in parts {
            match part {
                Some(part) => page.parts.push(part),
                None => page.facts.push(What::ignored(odd)),
            }
        }
        page
    }

    /// The answer about a single part by its id: it is gone, or read as `read` does; `None` from there is one that cannot be read.
    pub(crate) fn of_one(
        id: &str,
        is_gone: bool,
        read: impl FnOnce() -> Result<Option<Part>, Refusal>,
    ) -> Result<Self, Refusal> {
        let part = match is_gone {
            true => Part::gone(id),
            false => read()?.ok_or(Refusal::Unreadable("a part without an id"))?,
        };
        Ok(Self::of_part(part, Next::Done(String::new())))
    }

    /// The answer about a single part.
    pub(crate) fn of_part(part: Part, next: Next) -> Self {
        Self { parts: vec![part], ..Self::of(Vec::new(), next) }
    }
}

/// A part of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The provider's id, never an alias such as `primary`.
    pub id: String,
    /// Its name among people.
    pub name: String,
    /// Whether it is the account's main one; `None` where the provider does not say.
    pub is_primary: Option<bool>,
    /// Whether it is gone, or closed to us.
    pub is_gone: bool,
}

impl Part {
    /// The longest name, in characters.
    const LONGEST_NAME: usize = 200;

    /// A part, under its id if it has no name; `None` if it has no id either.
    pub(crate) fn named(id: Option<String>, name: Option<String>) -> Option<Self> {
        let id = id.filter(|id| is_id(id))?;
        let name = name.and_then(|name| Self::shown_name(&name)).unwrap_or_else(|| id.clone());
        Some(Self { id, name, is_primary: None, is_gone: false })
    }

    /// A part that is gone, or closed to us; its name is not known any more.
    pub(crate) fn gone(id: &str) -> Self {
        Self { id: id.to_owned(), name: id.to_owned(), is_primary: None, is_gone: true }
    }

    /// A name as it is shown: not too long, and without control characters; `None` where nothing is left of it.
    pub(crate) fn shown_name(name: &str) -> Option<String> {
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(Self::LONGEST_NAME).collect();
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }
}

/// The way on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is more, from this cursor.
    More(String),
    /// This was the last page. The cursor is what [`Reach::Changes`] goes on from; after [`Reach::One`] it is not kept.
    Done(String),
}
