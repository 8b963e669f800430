//! One event of a calendar, as Google answers it: a single one, a series, or an occurrence that differs from its series.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::item::Item;
use crate::google_calendar::api::moment::Moment;
use crate::lenient::{Lenient, Object, Unread};
use hooktide_model::calendar::CalendarEvent;
use hooktide_model::names::Kind;
use hooktide_model::notice::{Dated, Document, EntityNotice, State, Version};
use hooktide_model::part;

/// The longest id of an entity, in bytes: it becomes part of a key, which has 1,024. Ids of events may have as many.
const LONGEST_ENTITY: usize = 900;
/// The longest `UID` that is kept, in bytes.
const LONGEST_UID: usize = 1024;
/// The longest title that is kept, in characters; of a longer one, the rest is left out.
const LONGEST_TITLE: usize = 500;
/// The longest rules by which an event recurs, in bytes.
const LONGEST_RULES: usize = 32 * 1024;

/// Whether an event is an occurrence of a series, by their ids: its own is that of the series and the time at which it would
/// begin, such as `weekly_20261214T080000Z`, or `weekly_20261214` where that is a day. What follows from a change of "this and
/// all following" is a series by itself, with an id such as `weekly_R20261214T080000`.
pub(super) fn is_occurrence(event: &str, series: &str) -> bool {
    let Some(begins) = event.strip_prefix(series).and_then(|rest| rest.strip_prefix('_')) else { return false };
    let (day, time) = begins.split_once('T').map_or((begins, None), |(day, time)| (day, Some(time)));
    let has = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    has(day, 8) && time.is_none_or(|time| has(time.strip_suffix('Z').unwrap_or(time), 6))
}

/// What the events of an answer have in common.
pub(super) struct Event<'a> {
    /// The calendar's id.
    pub(super) calendar: &'a str,
    /// The calendar's time zone, by which its days are counted.
    pub(super) zone: Option<&'a str>,
    /// Whether titles are kept.
    pub(super) titled: bool,
    /// When it was asked.
    pub(super) now: Timestamp,
}

impl Event<'_> {
    /// The state of an event, unless it cannot be read. `ended` are series that the same answer reports as deleted.
    pub(super) fn told(&self, item: Item, ended: &BTreeSet<String>) -> Result<EntityNotice, &'static str> {
        let id = item.id().ok_or("it has no id")?.to_owned();
        let entity = part::entity_id(self.calendar, &id);
        if entity.len() > LONGEST_ENTITY {
            return Err("its id is too long");
        }
        if item.series.is_odd() {
            return Err("`recurringEventId` is no text");
        }
        let updated = item.updated.as_ref().copied();
        let is_hole = item.series.as_ref().is_some_and(|series| !ended.contains(series));
        let mut unread = Unread::default();
        let state = match item.is_cancelled() && !is_hole {
            true => State::Deleted,
            false => State::Present(Document::CalendarEvent(Box::new(self.document(id, item, &mut unread)))),
        };
        let version = Version::from_time(updated.unwrap_or(self.now));
        Ok(EntityNotice {
            occurred_at: updated,
            // What is left of a cancelled event has no date.
            dated: if updated.is_some() { Dated::ByProvider } else { Dated::ByReceipt },
            unread: unread.into_paths(),
            ..EntityNotice::new(Kind::CalendarEvent, entity, version, state)
        })
    }

    fn document(&self, id: String, item: Item, unread: &mut Unread) -> CalendarEvent {
        let cancelled = item.is_cancelled();
        let (busy, tentative, own_block) = (item.is_busy(), item.is_tentative(), item.is_own_block());
        let response = item.response().map(str::to_owned);
        let odd = [("attendees", item.attendees.is_odd()), ("extendedProperties", item.properties.is_odd())];
        odd.into_iter().filter(|(_, odd)| *odd).for_each(|(path, _)| unread.note(path));
        item.transparency.or_note(unread, "transparency");
        let series = item.series.read();
        let moment = |moment: Lenient<Object<Moment>>, needed: bool, path: &str, unread: &mut Unread| {
            let moment = if needed { moment.value_or_note(unread, path) } else { moment.or_note(unread, path) };
            moment.and_then(|Object(moment)| moment.when(unread, path))
        };
        let original = moment(item.original, series.is_some(), "originalStartTime", unread);
        let start = moment(item.start, !cancelled, "start", unread);
        let end = moment(item.end, !cancelled, "end", unread);
        let updated = if cancelled {
            item.updated.or_note(unread, "updated")
        } else {
            item.updated.value_or_note(unread, "updated")
        };
        let begins = start.as_ref().or(original.as_ref());
        let zone = begins.and_then(|when| when.zone.clone());
        CalendarEvent {
            id,
            calendar: self.calendar.to_owned(),
            uid: item.uid.fitting(|uid| uid.len() <= LONGEST_UID).or_note(unread, "iCalUID"),
            title: if self.titled {
                item.title.or_note(unread, "summary").map(|title| shortened(&title))
            } else {
                None
            },
            series,
            occurrences: Vec::new(),
            recurrence: rules(item.recurrence, unread),
            all_day: begins.is_some_and(|when| when.is_day),
            time_zone: zone.or_else(|| self.zone.map(str::to_owned)),
            original_start: original.map(|when| when.text),
            start: start.map(|when| when.text),
            end: end.map(|when| when.text),
            status: if cancelled { item.status.read() } else { item.status.value_or_note(unread, "status") },
            busy,
            tentative,
            response,
            event_type: item.sort.or_note(unread, "eventType"),
            visibility: item.visibility.or_note(unread, "visibility"),
            own_block,
            updated_at: updated.unwrap_or(self.now).to_string(),
        }
    }
}

fn shortened(title: &str) -> String {
    title.chars().take(LONGEST_TITLE).collect()
}

/// The rules by which a series recurs. Without one of them it would recur otherwise, so they are read as a whole.
fn rules(lines: Lenient<Vec<Lenient<String>>>, unread: &mut Unread) -> Vec<String> {
    let lines = lines.or_note(unread, "recurrence").unwrap_or_default();
    let whole: Option<Vec<String>> = lines.into_iter().map(Lenient::read).collect();
    let whole = whole.filter(|lines| lines.iter().map(String::len).sum::<usize>() <= LONGEST_RULES);
    whole.unwrap_or_else(|| {
        unread.note("recurrence");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occurrence_is_told_from_what_only_begins_like_its_series() {
        for (event, expected) in [
            ("a/weekly_20261214T080000Z", true),
            ("a/weekly_20261214T080000", true),
            ("a/weekly_20261214", true),
            ("a/weekly", false),
            ("a/weekly_", false),
            ("a/weekly2_20261214", false),
            ("a/weekly_R20261214T080000", false),
            ("a/weekly_R20261214T080000_20261221T080000Z", false),
            ("a/weekly_20261214T080000Z_20261214T080000Z", false),
            ("a/weekly_2026121", false),
            ("a/weekly_20261214T0800Z", false),
            ("a/weekly_20261214T", false),
            ("b/weekly_20261214T080000Z", false),
            ("a/WEEKLY_20261214T080000Z", false),
        ] {
            assert_eq!(is_occurrence(event, "a/weekly"), expected, "{event}");
        }
    }
}
