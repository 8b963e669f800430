//! The starts that a series has between two times: found by going there, not by walking from its beginning, where the rule lets
//! that be.

use std::ops::Range;

use jiff::civil::DateTime;

use super::interval::{Found, Interval};
use super::rule::{Ends, Frequency};
use super::series::Series;

/// How far the search for starts may go, over all rules of an event.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// How many days may still be looked at, or parts of days where a rule has shorter intervals.
    pub(crate) days: usize,
    /// How many starts may still be found.
    pub(crate) starts: usize,
    /// Whether the search ended early.
    pub(crate) cut: bool,
}

impl Bounds {
    /// Counts so many of what may be had; whether they may be.
    fn take(&mut self, which: fn(&mut Self) -> &mut usize, count: usize) -> bool {
        let left = which(self);
        let may = *left >= count;
        *left = left.saturating_sub(count);
        self.cut |= !may;
        may
    }

    /// Counts a start; whether it may be had.
    pub(crate) fn take_start(&mut self) -> bool {
        self.take(|bounds| &mut bounds.starts, 1)
    }
}

/// The starts of one interval that the rule picks.
struct Picked {
    interval: Interval,
    /// The places of those that `BYSETPOS` names; none where it names none.
    places: Option<Vec<usize>>,
}

impl Picked {
    fn len(&self) -> usize {
        self.places.as_ref().map_or_else(|| self.interval.len(), Vec::len)
    }

    fn start(&self, index: usize) -> DateTime {
        self.interval.start(self.places.as_ref().map_or(index, |places| places[index]))
    }

    /// How many are before a time.
    fn before(&self, clock: DateTime) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.start(middle) < clock {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

impl Series {
    /// The starts within a span of time, in order. An end by `UNTIL` is not looked at, since only a time zone tells it; the first
    /// start counts, but is among these only if the rule names it.
    pub(crate) fn starts(&self, span: &Range<DateTime>, bounds: &mut Bounds) -> Vec<DateTime> {
        let mut found = Vec::new();
        let origin = self.number(self.first);
        let last = self.number(span.end);
        let Some((mut number, mut left)) = self.skipped_to(span.start, origin) else { return found };
        while number <= last && bounds.take(|bounds| &mut bounds.days, self.days_of_each()) {
            let picked = match self.interval(number) {
                Found::Starts(interval) => self.picked(interval),
                Found::NoneBefore(next) => {
                    number = self.aligned(next.max(number.saturating_add(1)), origin);
                    continue;
                }
            };
            let begins = if number == origin { picked.before(self.first) } else { 0 };
            let available = picked.len() - begins;
            let taken = left.map_or(available, |left| available.min(usize::try_from(left).unwrap_or(usize::MAX)));
            for index in begins.max(picked.before(span.start))..begins + taken {
                let start = picked.start(index);
                if start >= span.end {
                    break;
                }
                if !bounds.take_start() {
                    return found;
                }
                found.push(start);
            }
            left = left.map(|left| left.saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX)));
            if left == Some(0) {
                break;
            }
            number = number.saturating_add(self.rule.interval);
        }
        found
    }

    /// The interval in which the search begins, and how many starts are left from there on, if they are counted; `None` if all
    /// are earlier.
    fn skipped_to(&self, clock: DateTime, origin: i64) -> Option<(i64, Option<u64>)> {
        let whole = (self.number(clock) - origin).div_euclid(self.rule.interval).max(0);
        let there = origin.saturating_add(whole.saturating_mul(self.rule.interval));
        let Ends::After(count) = self.rule.ends else { return Some((there, None)) };
        let first = match self.interval(origin) {
            Found::Starts(interval) => Some(self.picked(interval)),
            Found::NoneBefore(_) => None,
        };
        let before = first.as_ref().map_or(0, |first| first.before(self.first));
        let is_named = first.as_ref().is_some_and(|first| before < first.len() && first.start(before) == self.first);
        // The first start always counts, whether or not the rule names it.
        let left = if is_named { count } else { count.saturating_sub(1) };
        let (Some(first), Some(each), 1..) = (first, self.starts_of_each(), whole) else {
            return (left > 0).then_some((origin, Some(left)));
        };
        let first = u64::try_from(first.len() - before).unwrap_or(u64::MAX);
        let skipped = first.saturating_add(each.saturating_mul(whole.unsigned_abs() - 1));
        (left > skipped).then(|| (there, Some(left - skipped)))
    }

    /// How many days are looked at for one interval.
    fn days_of_each(&self) -> usize {
        match self.rule.frequency {
            Frequency::Yearly => 366,
            Frequency::Monthly => 31,
            Frequency::Weekly => 7,
            Frequency::Daily | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => 1,
        }
    }

    /// The number of the first interval that applies, from that one on.
    fn aligned(&self, number: i64, origin: i64) -> i64 {
        let over = number.saturating_sub(origin).rem_euclid(self.rule.interval);
        if over == 0 { number } else { number.saturating_add(self.rule.interval - over) }
    }

    /// How many starts each interval has but the first, where it is the same in all of them.
    fn starts_of_each(&self) -> Option<u64> {
        let rule = &self.rule;
        let is_free = |lists: [usize; 4]| lists.iter().all(|length| *length == 0);
        let leaves_out = [rule.months.len(), rule.weeks.len(), rule.year_days.len(), rule.month_days.len()];
        let (hours, minutes, seconds) = (rule.hours.len(), rule.minutes.len(), rule.seconds.len());
        let each = match rule.frequency {
            Frequency::Yearly | Frequency::Monthly => return None,
            Frequency::Weekly => {
                let mut days: Vec<i8> = rule.weekdays.iter().map(|(_, day)| *day).collect();
                days.sort_unstable();
                days.dedup();
                days.len() * hours * minutes * seconds
            }
            Frequency::Daily => hours * minutes * seconds,
            Frequency::Hourly if hours == 0 => minutes * seconds,
            Frequency::Minutely if hours + minutes == 0 => seconds,
            Frequency::Secondly if hours + minutes + seconds == 0 => 1,
            Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => return None,
        };
        let names_weekdays = rule.frequency != Frequency::Weekly && !rule.weekdays.is_empty();
        let is_even = is_free(leaves_out) && rule.positions.is_empty() && !names_weekdays;
        is_even.then(|| u64::try_from(each).unwrap_or(u64::MAX))
    }

    /// What the rule picks of an interval's starts: all, or those at the positions that it names.
    fn picked(&self, interval: Interval) -> Picked {
        let length = interval.len();
        let place = |position: &i16| match usize::from(position.unsigned_abs()) {
            from_end if *position < 0 => length.checked_sub(from_end),
            from_start => Some(from_start - 1).filter(|place| *place < length),
        };
        let mut places: Option<Vec<usize>> = None;
        if !self.rule.positions.is_empty() {
            let mut named: Vec<usize> = self.rule.positions.iter().filter_map(place).collect();
            named.sort_unstable();
            named.dedup();
            places = Some(named);
        }
        Picked { interval, places }
    }
}
