//! The starts of an event by its rules.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::lines::{Lines, Reading};
use super::moment::{self, MOVES};
use super::ranges::{Lasting, Ranges};
use super::rule::{Ends, Rule};
use super::series::Series;
use super::starts::Bounds;
use super::value::Value;
use crate::{Moment, zones};
use hooktide_model::calendar::CalendarEvent;

/// How many days are looked at for one event, by all of its rules: those of more than 500 years.
const MOST_DAYS: usize = 200_000;
/// How many starts are looked at for one event; some of them may be left out.
const MOST_STARTS: usize = 4_000;
/// Why an event has no instance.
const ODD_START: &str = "its start cannot be read";
/// Why its end was not used.
const ODD_END: &str = "its end cannot be read";
/// Why the zone of its owner was used.
const ODD_ZONE: &str = "its time zone is unknown";

/// The starts of an event by its rules, each with its end where a line gives it one of its own.
pub(super) type Starts = BTreeMap<Moment, Option<Moment>>;

/// The starts of an event by its rules, which its exceptions may replace.
pub(super) struct Candidates<'a> {
    /// The starts.
    pub(super) starts: Starts,
    /// What lines leave out of them.
    pub(super) left_out: Vec<Moment>,
    /// What holds for all occurrences from one on.
    pub(super) ranges: Ranges<'a>,
    /// The start and the end of the event.
    pub(super) whole: Lasting,
    /// The zone of the event, by whose clock its times recur.
    pub(super) zone: TimeZone,
    /// Whether there may be more.
    pub(super) cut: bool,
    /// What could not be read first.
    pub(super) unread: Option<&'static str>,
}

/// The starts of an event around a window, by its rules; of one without rules, its own. An event that only lists occurrences
/// has none.
pub(super) fn expanded<'a>(
    event: &'a CalendarEvent,
    window: (Timestamp, Timestamp),
    home: &TimeZone,
) -> Candidates<'a> {
    let zone = event.time_zone.as_deref().map(zones::by_name);
    let mut found = Candidates {
        unread: matches!(zone, Some(None)).then_some(ODD_ZONE),
        zone: zone.flatten().unwrap_or_else(|| home.clone()),
        starts: Starts::new(),
        left_out: Vec::new(),
        ranges: Ranges::default(),
        whole: (None, None),
        cut: false,
    };
    let Some(text) = &event.start else { return found };
    let Some(start) = moment::read(text) else {
        found.unread = Some(ODD_START);
        return found;
    };
    let end = event.end.as_deref().and_then(moment::read);
    if event.end.is_some() && end.is_none() {
        found.unread.get_or_insert(ODD_END);
    }
    found.whole = (Some(start), end);
    if event.recurrence.is_empty() {
        let lists_all = event.occurrences.iter().any(|occurrence| occurrence.original_start.is_none());
        if !lists_all {
            found.starts.insert(start, None);
        }
        return found;
    }
    let of_days = matches!(start, Moment::Day(_));
    // Its days are those of the person, even where some of them have become times of a zone.
    let clock = if of_days { home } else { &found.zone };
    found.ranges = Ranges::of(event, &found.zone);
    let lasts = moment::at(start, home).duration_until(moment::at(moment::end_like(start, Some(start), end), home));
    let expansion = Expansion::new(start, clock, found.ranges.widened(window), lasts);
    let lines = Reading { zone: clock, of_days }.read(&event.recurrence);
    let (starts, cut) = expansion.starts(&lines);
    found.left_out = left_out(&lines).collect();
    found.cut = cut;
    found.unread = found.unread.or(lines.unread);
    found.starts = starts;
    found
}

/// An expansion of rules that begin at a time.
struct Expansion<'a> {
    start: Moment,
    first: DateTime,
    zone: &'a TimeZone,
    /// The span of the clock in which a start may matter.
    span: Range<DateTime>,
}

impl<'a> Expansion<'a> {
    fn new(start: Moment, zone: &'a TimeZone, (from, to): (Timestamp, Timestamp), lasts: SignedDuration) -> Self {
        let first = match start {
            Moment::At(at) => zone.to_datetime(at),
            Moment::Day(day) => day.to_datetime(Time::midnight()),
        };
        let slack = if let Moment::Day(_) = start { MOVES } else { SignedDuration::ZERO };
        let earliest = from.checked_sub(lasts.saturating_add(slack)).unwrap_or(Timestamp::MIN);
        let [earliest, earliest_unmoved] = clocks(zone, earliest);
        let [latest, latest_unmoved] = clocks(zone, to);
        let span = earliest.min(earliest_unmoved)..latest.max(latest_unmoved);
        Self { start, first, zone, span }
    }

    /// All starts that the lines of an event give, and whether there may be more.
    fn starts(&self, lines: &Lines) -> (Starts, bool) {
        let mut bounds = Bounds { days: MOST_DAYS, starts: MOST_STARTS, cut: false };
        let mut starts = Starts::new();
        // The first start belongs to the series whether or not a rule names it, unless all rules end before it.
        if lines.rules.is_empty() || lines.rules.iter().any(|rule| !self.has_ended(rule, self.start)) {
            starts.insert(self.start, None);
        }
        for rule in &lines.rules {
            starts.extend(self.by_rule(rule, &mut bounds).into_iter().map(|start| (start, None)));
        }
        for (value, end) in &lines.added {
            let start = self.added(*value);
            let end = match (start, end) {
                (Moment::At(start), Some(end)) => Some(Moment::At(start.max(*end))),
                _ => None,
            };
            starts.insert(start, end);
        }
        for rule in &lines.except {
            for start in self.by_rule(rule, &mut bounds) {
                starts.remove(&start);
            }
        }
        (starts, bounds.cut)
    }

    fn by_rule(&self, rule: &Rule, bounds: &mut Bounds) -> Vec<Moment> {
        let of_days = matches!(self.start, Moment::Day(_));
        let series = Series::new(rule.clone(), self.first, of_days);
        let mut span = self.span.clone();
        if let Ends::Until(until) = rule.ends {
            span.end =
                span.end.min(until.day().to_datetime(Time::midnight()).saturating_add(SignedDuration::from_hours(72)));
        }
        let starts = series.starts(&span, bounds).into_iter();
        let starts = starts.map(|clock| match of_days {
            true => Moment::Day(clock.date()),
            false => Moment::At(zones::time_of(self.zone, clock)),
        });
        starts.filter(|start| !self.has_ended(rule, *start)).collect()
    }

    fn has_ended(&self, rule: &Rule, start: Moment) -> bool {
        match start {
            Moment::At(at) => rule.has_ended(self.zone.to_datetime(at), Some(at), self.zone),
            Moment::Day(day) => rule.has_ended(day.to_datetime(Time::midnight()), None, self.zone),
        }
    }

    /// A start that a line adds. A day that is added to a series of times has the time of the first.
    fn added(&self, value: Value) -> Moment {
        match (self.start, value) {
            (Moment::At(_), Value::At(at)) => Moment::At(at),
            (Moment::At(_), Value::Day(_) | Value::Clock(_)) => {
                Moment::At(zones::time_of(self.zone, value.day().to_datetime(self.first.time())))
            }
            (Moment::Day(_), _) => Moment::Day(value.day()),
        }
    }
}

/// The starts that lines leave out.
fn left_out(lines: &Lines) -> impl Iterator<Item = Moment> {
    lines.left_out.iter().map(|value| match value {
        Value::At(at) => Moment::At(*at),
        Value::Day(_) | Value::Clock(_) => Moment::Day(value.day()),
    })
}

/// What a clock shows at a time, and what it would show had it not been moved just before.
fn clocks(zone: &TimeZone, at: Timestamp) -> [DateTime; 2] {
    let before = at.checked_sub(MOVES).unwrap_or(Timestamp::MIN);
    [zone.to_datetime(at), zone.to_datetime(before).saturating_add(MOVES)]
}
