//! The instances of an event within a window.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::expansion::{Candidates, Starts, expanded};
use super::moment;
use crate::{Moment, zones};
use hooktide_model::calendar::{CalendarEvent, Occurrence};

/// How many instances a window may have of one event.
const MOST: usize = 1_000;
/// Why the person's time zone was not used.
const ODD_HOME: &str = "the time zone of the calendar's owner is unknown";
/// Why an exception of a series was left out.
const ODD_EXCEPTION: &str = "an exception of a series has a start that cannot be read";

/// The instances of an event within a window, in the order of their starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instances {
    /// The instances, at most 1,000.
    pub list: Vec<Instance>,
    /// Whether there are more than are listed: too many, or beyond what can be searched for.
    pub cut: bool,
    /// What could not be read first, if anything. What could be read is listed.
    pub unread: Option<&'static str>,
}

/// One time at which an event takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The start.
    pub start: Moment,
    /// The end, which is not part of it; the start, where it takes no time.
    pub end: Moment,
    /// The start by the rules of the series, in the form of an event's `start`: its name within the series, for ever.
    pub original: String,
    /// Whether its time is taken.
    pub busy: bool,
    /// Whether that is not certain.
    pub tentative: bool,
}

/// The instances of an event that overlap the window from its first time to the second. `apart` are entries that may replace
/// occurrences of it, and are expanded by themselves. `zone` is that of the person, in whose days whole days are.
pub fn instances(
    event: &CalendarEvent,
    apart: &[&CalendarEvent],
    window: (Timestamp, Timestamp),
    zone: &str,
) -> Instances {
    let mut found = Instances::default();
    let home = zones::by_name(zone).unwrap_or_else(|| {
        found.unread = Some(ODD_HOME);
        TimeZone::UTC
    });
    let candidates = expanded(event, window, &home);
    found.cut = candidates.cut;
    found.unread = found.unread.or(candidates.unread);
    let Candidates { mut starts, left_out: mut originals, ranges, whole, zone: own, .. } = candidates;
    let of_series = apart.iter().filter(|entry| entry.series.as_deref() == Some(event.id.as_str()));
    let replaced = event.occurrences.iter().map(|occurrence| &occurrence.original_start);
    for original in replaced.chain(of_series.map(|entry| &entry.original_start)).flatten() {
        match moment::read(original) {
            Some(original) => originals.push(original),
            None => found.unread = found.unread.or(Some(ODD_EXCEPTION)),
        }
    }
    let elsewhere = leave_out(&mut starts, originals, |moment| moment::day_in(moment, &own));
    let regular = starts.into_iter().filter_map(|(start, end)| {
        let original = event.original_start.clone().unwrap_or_else(|| moment::text(start));
        let Some(range) = ranges.at(start, &own) else {
            let end = end.unwrap_or_else(|| moment::end_like(start, whole.0, whole.1));
            return Some(Instance { start, end, original, busy: event.busy, tentative: event.tentative });
        };
        let (begins, ends) = range.moved(start, end, whole, &own)?;
        let Occurrence { busy, tentative, .. } = *range.occurrence;
        // Some programs name an occurrence by where it was moved to with the others.
        let is_named = begins != start && elsewhere.contains(&begins);
        (!is_named).then_some(Instance { start: begins, end: ends, original, busy, tentative })
    });
    let mut list: Vec<Instance> = regular.chain(exceptions(event, &elsewhere, &mut found.unread)).collect();
    list.retain(|instance| overlaps(instance, window, &home));
    list.sort_by(|one, other| {
        let key = |instance: &Instance| [instance.start, instance.end].map(|moment| moment::at(moment, &home));
        (key(one), &one.original).cmp(&(key(other), &other.original))
    });
    found.cut |= list.len() > MOST;
    list.truncate(MOST);
    found.list = list;
    found
}

/// The occurrences that an event lists itself, but for those that do not take place, and for the first of those that were moved
/// together where something names it by where it was moved to.
fn exceptions(event: &CalendarEvent, elsewhere: &BTreeSet<Moment>, unread: &mut Option<&'static str>) -> Vec<Instance> {
    let [start, end] = [&event.start, &event.end].map(|text| text.as_deref().and_then(moment::read));
    let mut list = Vec::new();
    let single = event.occurrences.iter().filter(|occurrence| !occurrence.following);
    let single: BTreeSet<&str> = single.filter_map(|occurrence| occurrence.original_start.as_deref()).collect();
    // What holds for an occurrence alone holds rather than what holds from it on.
    let is_replaced =
        |one: &Occurrence| one.following && one.original_start.as_deref().is_some_and(|it| single.contains(it));
    for occurrence in event.occurrences.iter().filter(|occurrence| !is_replaced(occurrence)) {
        let Some(text) = &occurrence.start else { continue };
        let Some(begins) = moment::read(text) else {
            unread.get_or_insert(ODD_EXCEPTION);
            continue;
        };
        let own = occurrence.original_start.as_deref().and_then(moment::read);
        if occurrence.following && own != Some(begins) && elsewhere.contains(&begins) {
            continue;
        }
        let ends = occurrence.end.as_deref().and_then(moment::read);
        let end = match ends {
            Some(_) => moment::end_like(begins, Some(begins), ends),
            None => moment::end_like(begins, start, end),
        };
        let original = occurrence.original_start.clone().or_else(|| occurrence.id.clone());
        list.push(Instance {
            start: begins,
            end,
            original: original.unwrap_or_else(|| text.clone()),
            busy: occurrence.busy,
            tentative: occurrence.tentative,
        });
    }
    list
}

/// Leaves out the starts that something else replaces, and tells what is no start as it is. One of the other form is found by its
/// day in the zone of the event: all starts are looked at once, however many are left out.
pub(super) fn leave_out(
    starts: &mut Starts,
    originals: impl IntoIterator<Item = Moment>,
    mut day_of: impl FnMut(Moment) -> Date,
) -> BTreeSet<Moment> {
    let is_day = |moment: Moment| matches!(moment, Moment::Day(_));
    let (left, elsewhere): (BTreeSet<Moment>, BTreeSet<Moment>) =
        originals.into_iter().partition(|original| starts.contains_key(original));
    let by_day: BTreeSet<_> = elsewhere.iter().map(|original| (!is_day(*original), day_of(*original))).collect();
    let mut is_named = |start: Moment| by_day.contains(&(is_day(start), day_of(start)));
    starts.retain(|start, _| !left.contains(start) && (by_day.is_empty() || !is_named(*start)));
    elsewhere
}

/// Whether an instance takes time of a window, or is within it where it takes none.
fn overlaps(instance: &Instance, (from, to): (Timestamp, Timestamp), home: &TimeZone) -> bool {
    let [start, end] = [instance.start, instance.end].map(|moment| moment::at(moment, home));
    start < to && (end > from || start == end && start >= from)
}
