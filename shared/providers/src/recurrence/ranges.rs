//! Exceptions that hold for all later occurrences of their series as well (`RANGE=THISANDFUTURE`, RFC 5545, section 3.2.13):
//! those are moved by as much, last as long and are as busy, up to the next such exception.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::moment;
use crate::{Moment, zones};
use hooktide_model::calendar::{CalendarEvent, Occurrence};

/// The ranges of a series, in the order of the starts that they begin with.
#[derive(Default)]
pub(super) struct Ranges<'a>(Vec<Range<'a>>);

/// What holds from one start on.
pub(super) struct Range<'a> {
    from: Timestamp,
    /// How much the clock differs from what the rules give.
    moves: SignedDuration,
    start: Option<Moment>,
    end: Option<Moment>,
    /// Whether days have become times.
    are_times: bool,
    /// The exception itself.
    pub(super) occurrence: &'a Occurrence,
}

impl<'a> Ranges<'a> {
    /// The ranges of an event that recurs by the clock of a zone.
    pub(super) fn of(event: &'a CalendarEvent, zone: &TimeZone) -> Self {
        let Some(first) = event.start.as_deref().and_then(moment::read) else { return Self::default() };
        let following = event.occurrences.iter().filter(|occurrence| occurrence.following);
        let mut ranges: Vec<Range<'_>> = following.filter_map(|one| Range::of(one, first, zone)).collect();
        ranges.sort_by_key(|range| range.from);
        Self(ranges)
    }

    /// The range that a start by the rules is in.
    pub(super) fn at(&self, original: Moment, zone: &TimeZone) -> Option<&Range<'a>> {
        let original = moment::at(original, zone);
        let begun = self.0.partition_point(|range| range.from <= original);
        self.0.get(begun.checked_sub(1)?)
    }

    /// A window in which all starts lie whose occurrences may be in this one.
    pub(super) fn widened(&self, (from, to): (Timestamp, Timestamp)) -> (Timestamp, Timestamp) {
        let none = SignedDuration::ZERO;
        // Where clocks are moved meanwhile, hours differ from what a clock shows.
        let slack = |moves: SignedDuration| if moves == none { none } else { moves.saturating_add(moment::MOVES) };
        let later = self.0.iter().map(|range| range.moves.saturating_add(range.lasts())).max().unwrap_or(none);
        let earlier = self.0.iter().map(|range| none.saturating_sub(range.moves)).max().unwrap_or(none);
        // Days are those of the person, and the times that they have become those of the event's zone.
        let apart = if self.0.iter().any(|range| range.are_times) { moment::APART } else { none };
        let from = from.checked_sub(slack(later.max(none)).saturating_add(apart)).unwrap_or(Timestamp::MIN);
        (from, to.checked_add(slack(earlier.max(none)).saturating_add(apart)).unwrap_or(Timestamp::MAX))
    }
}

impl<'a> Range<'a> {
    fn of(occurrence: &'a Occurrence, first: Moment, zone: &TimeZone) -> Option<Self> {
        let original = moment::read(occurrence.original_start.as_deref()?)?;
        let [start, end] = [&occurrence.start, &occurrence.end].map(|text| text.as_deref().and_then(moment::read));
        // A day means the start that the series has on it.
        let clock = match (original, first) {
            (Moment::Day(day), Moment::At(first)) => day.to_datetime(zone.to_datetime(first).time()),
            (original, Moment::Day(_)) => moment::day_in(original, zone).to_datetime(Time::midnight()),
            (original, Moment::At(_)) => clock_of(original, zone),
        };
        let moves = start.map_or(SignedDuration::ZERO, |start| clock.duration_until(clock_of(start, zone)));
        let are_times = matches!((first, start), (Moment::Day(_), Some(Moment::At(_))));
        Some(Self { from: moment::at(original, zone), moves, start, end, are_times, occurrence })
    }

    /// When an occurrence begins and ends that the rules start then; `None` where it does not take place. `own` is the end that
    /// a line gives it, `whole` what the series lasts.
    pub(super) fn moved(
        &self,
        original: Moment,
        own: Option<Moment>,
        whole: Lasting,
        zone: &TimeZone,
    ) -> Option<(Moment, Moment)> {
        let begins = match self.start? {
            start if self.moves == SignedDuration::ZERO && is_alike(start, original) => original,
            Moment::Day(_) => Moment::Day(self.clock(original, zone).date()),
            Moment::At(_) => Moment::At(zones::time_of(zone, self.clock(original, zone))),
        };
        let end = match (own, self.end) {
            (Some(_), _) => moment::end_like(begins, Some(original), own),
            (None, Some(_)) => moment::end_like(begins, self.start, self.end),
            (None, None) => moment::end_like(begins, whole.0, whole.1),
        };
        Some((begins, end))
    }

    fn clock(&self, original: Moment, zone: &TimeZone) -> DateTime {
        clock_of(original, zone).saturating_add(self.moves)
    }

    fn lasts(&self) -> SignedDuration {
        let ends = self.start.zip(self.end).map(|(start, end)| [start, end].map(|one| moment::at(one, &TimeZone::UTC)));
        ends.map_or(SignedDuration::ZERO, |[start, end]| start.duration_until(end))
    }
}

/// The start and the end of a series, by which its occurrences last.
pub(super) type Lasting = (Option<Moment>, Option<Moment>);

fn is_alike(one: Moment, other: Moment) -> bool {
    matches!((one, other), (Moment::Day(_), Moment::Day(_)) | (Moment::At(_), Moment::At(_)))
}

fn clock_of(moment: Moment, zone: &TimeZone) -> DateTime {
    match moment {
        Moment::At(at) => zone.to_datetime(at),
        Moment::Day(day) => day.to_datetime(Time::midnight()),
    }
}
