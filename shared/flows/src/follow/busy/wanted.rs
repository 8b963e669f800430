//! The times of an event that are to be blocked in other calendars. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::person::Manner;
use hooktide_model::calendar::{CalendarEvent, is_block};
use hooktide_providers::{Instance, Moment, instances};

/// A time that is to be blocked: an event, or one occurrence of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The start that its rules give the occurrence; empty where the event does not recur.
    pub(super) occurrence: String,
    /// The start, as a block has it.
    pub(super) start: String,
    /// The end.
    pub(super) end: String,
}

/// The times of an event that are to be blocked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// The times.
    pub(super) list: Vec<Wanted>,
    /// The reason why there may be more of them than are known, so that no block is taken away.
    pub(super) doubt: Option<&'static str>,
    /// The occurrences whose times cannot be read, so that their blocks are not taken away.
    pub(super) doubted: BTreeSet<String>,
}

/// The reason where an event has more occurrences than are blocked.
const TOO_MANY: &str = "it recurs more often than blocks are made; those that are there stay";

/// Whether an event is a block of ours, whatever became of its marks: it may have come home by an export, or by another
/// connection to the same account.
pub(super) fn is_ours(id: &str, event: &CalendarEvent) -> bool {
    event.own_block || is_block(id) || event.uid.as_deref().is_some_and(is_block)
}

/// The times of an event that are to be blocked; `apart` are the occurrences that are entries of their own.
pub(super) fn times(event: &CalendarEvent, apart: &[&CalendarEvent], manner: &Manner, now: Timestamp) -> Times {
    let zone = event.time_zone.as_deref().unwrap_or("UTC");
    let window = manner.window(now);
    let mut found = instances(event, apart, window, zone);
    if found.cut {
        // Those that are blocked are the same ones all day long, however often somebody looks.
        found = instances(event, apart, (day_of(window.0), window.1), zone);
    }
    let recurs = !event.recurrence.is_empty() || !event.occurrences.is_empty();
    let counts = |one: &Instance| one.busy && (manner.tentative || !one.tentative) && one.start < one.end;
    let wanted = |one: Instance| Wanted {
        occurrence: if recurs { one.original } else { String::new() },
        start: text(one.start),
        end: text(one.end),
    };
    let doubt = found.unread.or(found.cut.then_some(TOO_MANY));
    let mut doubted = BTreeSet::new();
    let mut list: Vec<Wanted> = found.list.into_iter().filter(counts).map(wanted).collect();
    // Under the name that it has in the series, an occurrence that is moved is the same one.
    for entry in apart.iter().filter(|entry| entry.series.as_deref() == Some(event.id.as_str())) {
        let found = instances(entry, &[], window, zone);
        doubted.extend(found.unread.and(entry.original_start.clone()));
        list.extend(found.list.into_iter().filter(counts).map(wanted));
    }
    let mut names = BTreeSet::new();
    list.retain(|wanted| names.insert(wanted.occurrence.clone()));
    Times { list, doubt, doubted }
}

/// The beginning of the day of a time.
pub(super) fn day_of(at: Timestamp) -> Timestamp {
    let day = at.to_zoned(TimeZone::UTC).start_of_day();
    day.map_or(at, |day| day.timestamp())
}

/// A start or an end, as blocks have it.
pub(super) fn text(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

/// A start or an end of a block.
pub(super) fn moment(text: &str) -> Option<Moment> {
    let day = || text.parse().ok().map(Moment::Day);
    text.parse().ok().map(Moment::At).or_else(day)
}
