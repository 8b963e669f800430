//! One member of a calendar: a single event, or a series with all occurrences that differ from it.
//!
//! No time of its own says how new a member is: clients write `LAST-MODIFIED` and `DTSTAMP` as they like, and servers change them
//! when they store. So a state counts from when it was asked for, and the one that was asked for last stands.

use jiff::Timestamp;

use crate::protocols::icalendar::{self, Context, Entry};
use crate::{Page, Task};
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version, What};
use hooktide_model::part;

/// The longest id of an entity, in bytes: it becomes part of a key, which has 1,024.
const LONGEST_ENTITY: usize = 900;

/// What the members of an answer have in common.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) task: &'a Task<'a>,
    /// The calendar's id.
    pub(super) calendar: &'a str,
    /// The calendar's time zone, by which its days are counted.
    pub(super) zone: Option<&'a str>,
}

/// What a text says of a member.
pub(super) enum Told {
    /// Its state.
    State(Box<EntityNotice>),
    /// The entity of this id cannot be read, for this reason.
    Odd(String, &'static str),
    /// What cannot be an entity, for this reason.
    Unnamed(&'static str),
    /// No event.
    Nothing,
}

impl Told {
    /// Adds it to a page.
    pub(super) fn join(self, page: &mut Page) {
        match self {
            Self::State(notice) => page.facts.push(What::Entity(*notice)),
            Self::Odd(id, why) => {
                page.facts.push(What::ignored(format!("the event {id} cannot be read: {why}")));
                page.seen.push(id);
            }
            Self::Unnamed(why) => page.facts.push(What::ignored(format!("an event cannot be read: {why}"))),
            Self::Nothing => {}
        }
    }
}

impl Member<'_> {
    /// Reads the text of a member.
    pub(super) fn read(&self, name: &str, text: &str) -> Told {
        let id = part::entity_id(self.calendar, name);
        if id.len() > LONGEST_ENTITY {
            return Told::Unnamed("its name is too long");
        }
        let addresses = addresses(self.task);
        let context = Context {
            calendar: self.calendar,
            zone: self.zone,
            own_addresses: &addresses,
            share_titles: self.task.settings.share_titles.unwrap_or_default(),
            now: self.task.now,
        };
        let mut entries = match icalendar::read(text, &context) {
            Ok(entries) => entries.into_iter(),
            Err(why) => return Told::Odd(id, why),
        };
        match (entries.next(), entries.next()) {
            // A task or a note is no event, or no longer one.
            (None, _) if self.task.reach == crate::Reach::Everything => Told::Nothing,
            (None, _) => Told::State(Box::new(self.gone(name))),
            (Some(_), Some(_)) => Told::Odd(id, "it has events of several UIDs"),
            (Some(Entry { event: Err(why), .. }), None) => Told::Odd(id, why),
            (Some(Entry { event: Ok(event), last_modified, unread, .. }), None) => {
                let event = CalendarEvent { id: name.to_owned(), ..event };
                let state = State::Present(Document::CalendarEvent(Box::new(event)));
                let unread = unread.into_iter().map(str::to_owned).collect();
                let occurred_at = last_modified.filter(|modified| *modified <= self.task.now);
                Told::State(Box::new(EntityNotice { occurred_at, unread, ..self.notice(name, state) }))
            }
        }
    }

    /// The end of a member.
    pub(super) fn gone(&self, name: &str) -> EntityNotice {
        self.notice(name, State::Deleted)
    }

    fn notice(&self, name: &str, state: State) -> EntityNotice {
        let (id, now) = (part::entity_id(self.calendar, name), self.task.now);
        let notice = EntityNotice::new(Kind::CalendarEvent, id, version(now), state);
        EntityNotice { dated: Dated::ByReceipt, ..notice }
    }
}

fn version(now: Timestamp) -> Version {
    Version::from_time(now)
}

/// The addresses by which the connection's owner is invited.
fn addresses(task: &Task<'_>) -> Vec<String> {
    let named = [task.settings.username.as_deref(), task.account].into_iter().flatten();
    let mut addresses: Vec<String> = named.filter(|name| name.contains('@')).map(str::to_owned).collect();
    addresses.dedup();
    addresses
}
