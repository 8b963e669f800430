//! One event as an entity: a single one, or a series with the occurrences that lie in the window.

use jiff::Timestamp;

use super::item::Item;
use super::window::Window;
use crate::Moment;
use crate::lenient::{Lenient, Object, Unread};
use crate::microsoft_graph::api::times::{Time, text};
use hooktide_model::calendar::{CalendarEvent, Occurrence, is_block};
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version};
use hooktide_model::part;

/// The longest id of an entity, in bytes: it becomes part of a key, which has 1,024.
const LONGEST_ENTITY: usize = 900;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 1_000;
/// The status of an event that does not take place.
const CANCELLED: &str = "cancelled";

/// What the events of an answer have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The calendar's id.
    pub(super) calendar: &'a str,
    /// The window that is read.
    pub(super) window: Window,
    /// Whether it is news where something is in the window: what changed is read, and not all that there is.
    pub(super) is_news: bool,
    /// Whether titles are kept.
    pub(super) titles: bool,
    /// When it was asked.
    pub(super) now: Timestamp,
}

/// The times of an event.
pub(super) struct Times {
    pub(super) start: Option<Moment>,
    pub(super) end: Option<Moment>,
    pub(super) all_day: bool,
}

impl Reader<'_> {
    /// The id of the entity of an event; `None` if it is too long.
    pub(super) fn entity(&self, id: &str) -> Option<String> {
        Some(part::entity_id(self.calendar, id)).filter(|entity| entity.len() <= LONGEST_ENTITY)
    }

    /// The state of a single event: one outside the window is not there.
    pub(super) fn single(&self, item: Item) -> Result<EntityNotice, &'static str> {
        let mut unread = Unread::default();
        let times = times(&item, None, &mut unread, "");
        if !self.window.has(times.start, times.end) {
            return self.gone(item.id().ok_or("it has no id")?);
        }
        let is_news = self.is_news || self.window.had(times.start);
        self.told(item, &times, Vec::new(), (unread, is_news))
    }

    /// The state of a series, of which these are all occurrences in the window.
    pub(super) fn series(
        &self,
        item: Item,
        occurrences: Vec<Occurrence>,
        mut unread: Unread,
    ) -> Result<EntityNotice, &'static str> {
        if occurrences.is_empty() {
            return self.gone(item.id().ok_or("it has no id")?);
        }
        let times = times(&item, None, &mut unread, "");
        self.told(item, &times, occurrences, (unread, self.is_news))
    }

    /// The end of an event of which Graph says nothing else: it may be none of ours.
    pub(super) fn gone(&self, id: &str) -> Result<EntityNotice, &'static str> {
        let entity = self.entity(id).ok_or("its id is too long")?;
        let version = Version::from_time(self.now);
        let notice = EntityNotice::new(Kind::CalendarEvent, entity, version, State::Deleted);
        Ok(EntityNotice { dated: Dated::ByReceipt, ..notice })
    }

    fn told(
        &self,
        item: Item,
        times: &Times,
        occurrences: Vec<Occurrence>,
        (mut unread, is_news): (Unread, bool),
    ) -> Result<EntityNotice, &'static str> {
        let id = item.id().ok_or("it has no id")?.to_owned();
        let entity = self.entity(&id).ok_or("its id is too long")?;
        let updated = item.updated.as_ref().copied();
        let document = self.document((id, item), times, occurrences, &mut unread);
        let version = Version::from_time(updated.unwrap_or(self.now));
        let state = State::Present(Document::CalendarEvent(Box::new(document)));
        Ok(EntityNotice {
            // What comes into the window only because that moved on did not change.
            occurred_at: updated.filter(|_| is_news),
            dated: if updated.is_some() { Dated::ByProvider } else { Dated::ByReceipt },
            unread: unread.into_paths(),
            ..EntityNotice::new(Kind::CalendarEvent, entity, version, state)
        })
    }

    fn document(
        &self,
        (id, item): (String, Item),
        times: &Times,
        occurrences: Vec<Occurrence>,
        unread: &mut Unread,
    ) -> CalendarEvent {
        let (busy, tentative) = item.takes_time(None);
        let response = item.response().map(str::to_owned);
        let odd = [("responseStatus", item.response.is_odd()), ("type", item.sort.is_odd())];
        odd.into_iter().filter(|(_, odd)| *odd).for_each(|(path, _)| unread.note(path));
        let is_ours = |id: &Lenient<String>| id.as_ref().is_some_and(|id| is_block(id));
        let own_block = is_ours(&item.transaction) || is_ours(&item.uid);
        if item.transaction.is_odd() {
            unread.note("transactionId");
        }
        let cancelled = item.cancelled.or_note(unread, "isCancelled").unwrap_or_default();
        let shows = item.shows.value_or_note(unread, "showAs");
        let title = item.subject.read().filter(|_| self.titles);
        CalendarEvent {
            id,
            calendar: self.calendar.to_owned(),
            uid: item.uid.or_note(unread, "iCalUId"),
            title: title.map(|title| title.chars().filter(|letter| !letter.is_control()).take(LONGEST_TITLE).collect()),
            series: None,
            recurrence: Vec::new(),
            occurrences,
            original_start: None,
            start: times.start.map(text),
            end: times.end.map(text),
            all_day: times.all_day,
            time_zone: None,
            status: if cancelled { Some(CANCELLED.to_owned()) } else { shows },
            busy,
            tentative,
            response,
            event_type: item.sort.read(),
            visibility: item.sensitivity.or_note(unread, "sensitivity"),
            own_block,
            updated_at: item.updated.value_or_note(unread, "lastModifiedDateTime").unwrap_or(self.now).to_string(),
        }
    }
}

/// The times of an event, or of an occurrence of a series, which may not say by itself that it lasts all day. `within` is where
/// it is in the answer.
pub(super) fn times(item: &Item, series: Option<&Item>, unread: &mut Unread, within: &str) -> Times {
    let all_day = item.all_day.as_ref().or_else(|| series?.all_day.as_ref()).copied().unwrap_or_default();
    if item.all_day.is_odd() {
        unread.note(format_args!("{within}isAllDay"));
    }
    let mut when = |time: &Lenient<Object<Time>>, name: &str| match time.as_ref() {
        Some(Object(time)) => time.when(all_day, unread, &format!("{within}{name}")),
        None => {
            unread.note(format_args!("{within}{name}"));
            None
        }
    };
    Times { start: when(&item.start, "start"), end: when(&item.end, "end"), all_day }
}
