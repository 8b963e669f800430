//! A rule by which an event recurs, as `RRULE` writes it (RFC 5545, section 3.3.10).

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::value::Value;

/// Why a rule is not followed.
pub(super) const ODD: &str = "a rule by which it recurs cannot be read";

/// A rule, by its parts. Parts that are absent are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) ends: Ends,
    /// The day on which weeks begin, as it follows Monday.
    pub(super) week_start: i8,
    pub(super) months: Vec<i8>,
    pub(super) weeks: Vec<i16>,
    pub(super) year_days: Vec<i16>,
    pub(super) month_days: Vec<i16>,
    /// Days of the week as they follow Monday, each with its number within the month or the year; 0 for all of them.
    pub(super) weekdays: Vec<(i16, i8)>,
    pub(super) hours: Vec<i8>,
    pub(super) minutes: Vec<i8>,
    pub(super) seconds: Vec<i8>,
    pub(super) positions: Vec<i16>,
}

/// How often a rule applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    #[default]
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// What ends a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ends {
    #[default]
    Never,
    /// So many starts, excluded ones among them.
    After(u64),
    /// The latest time of a start.
    Until(Value),
}

#[cfg(test)]
thread_local! {
    /// How many rules were read, so that tests see what is read more often than it has to be.
    pub(crate) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Rule {
    /// Reads the value of a rule. One with a part that is unknown or out of its range is not followed at all: it would recur
    /// otherwise than its owner wants.
    pub(crate) fn read(value: &str) -> Result<Self, &'static str> {
        #[cfg(test)]
        READ.set(READ.get() + 1);
        let mut rule = Self { interval: 1, ..Self::default() };
        let mut has_frequency = false;
        for part in value.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(ODD)?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            has_frequency |= name == "FREQ";
            rule.part(&name, &value).ok_or(ODD)?;
        }
        has_frequency.then_some(rule).ok_or(ODD)
    }

    /// Whether it has ended before a start, by its clock; and by the point in time, unless it is a day, of the zone.
    pub(crate) fn has_ended(&self, clock: DateTime, at: Option<Timestamp>, zone: &TimeZone) -> bool {
        match (self.ends, at) {
            (Ends::Until(Value::At(until)), Some(at)) => at > until,
            (Ends::Until(Value::Clock(until)), _) => clock > until,
            (Ends::Until(Value::Day(until)), _) => clock.date() > until,
            // What begins a day in UTC means that day, whatever the zone.
            (Ends::Until(Value::At(until)), None) => {
                let in_utc = TimeZone::UTC.to_datetime(until);
                let means_day = in_utc.time() == Time::midnight();
                clock.date() > if means_day { in_utc.date() } else { zone.to_datetime(until).date() }
            }
            (Ends::Never | Ends::After(_), _) => false,
        }
    }

    /// Takes one part of the rule; `None` if it cannot be followed.
    fn part(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "FREQ" => self.frequency = frequency(value)?,
            // More than any series has.
            "INTERVAL" => self.interval = number(value, 1, 1_000_000_000)?,
            "COUNT" => self.count(value)?,
            "UNTIL" => self.ends = Ends::Until(Value::read(value)?),
            "WKST" => self.week_start = weekday(value)?,
            "BYMONTH" => self.months = list(value, |month| number(month, 1, 12))?,
            "BYWEEKNO" => self.weeks = list(value, |week| signed(week, 53))?,
            "BYYEARDAY" => self.year_days = list(value, |day| signed(day, 366))?,
            "BYMONTHDAY" => self.month_days = list(value, |day| signed(day, 31))?,
            "BYDAY" => self.weekdays = list(value, numbered_weekday)?,
            "BYHOUR" => self.hours = list(value, |hour| number(hour, 0, 23))?,
            "BYMINUTE" => self.minutes = list(value, |minute| number(minute, 0, 59))?,
            "BYSECOND" => self.seconds = list(value, |second| number(second, 0, 60).map(|second: i8| second.min(59)))?,
            "BYSETPOS" => self.positions = list(value, |position| signed(position, 366))?,
            // The calendar and the way of leaving out days that everything else is written for (RFC 7529).
            "RSCALE" => (value == "GREGORIAN").then_some(())?,
            "SKIP" => (value == "OMIT").then_some(())?,
            _ => name.strip_prefix("X-").map(|_| ())?,
        }
        Some(())
    }

    /// Takes the number of starts. Some programs write a number below 0 for a series without an end.
    fn count(&mut self, value: &str) -> Option<()> {
        let count: i64 = value.parse().ok()?;
        if count > 0 {
            self.ends = Ends::After(count.unsigned_abs());
        }
        (count != 0).then_some(())
    }
}

fn frequency(value: &str) -> Option<Frequency> {
    use Frequency::{Daily, Hourly, Minutely, Monthly, Secondly, Weekly, Yearly};
    let all = [Yearly, Monthly, Weekly, Daily, Hourly, Minutely, Secondly];
    let place = "YEARLY MONTHLY WEEKLY DAILY HOURLY MINUTELY SECONDLY".split(' ').position(|name| name == value)?;
    all.get(place).copied()
}

/// A day of the week, as it follows Monday.
fn weekday(value: &str) -> Option<i8> {
    let place = "MO TU WE TH FR SA SU".split(' ').position(|name| name == value)?;
    i8::try_from(place).ok()
}

/// A day of the week, such as `MO`, `2TU` or `-1FR`.
fn numbered_weekday(value: &str) -> Option<(i16, i8)> {
    let (ordinal, name) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let ordinal = if ordinal.is_empty() { 0 } else { signed(ordinal, 53)? };
    Some((ordinal, weekday(name)?))
}

fn number<T: FromStr + PartialOrd>(value: &str, least: T, most: T) -> Option<T> {
    value.trim().parse().ok().filter(|number| (least..=most).contains(number))
}

/// A number that counts from the beginning, or from the end if it is below 0.
fn signed(value: &str, most: i16) -> Option<i16> {
    number(value, -most, most).filter(|number| *number != 0)
}

/// The values of a part, in order, each once.
fn list<T: Ord>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut values: Vec<T> =
        value.split(',').map(str::trim).filter(|value| !value.is_empty()).map(read).collect::<Option<_>>()?;
    values.sort_unstable();
    values.dedup();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_by_its_parts() {
        let rule = Rule::read("freq=monthly;INTERVAL=2;BYDAY=-1FR,MO,2TU,MO;BYSETPOS=-1;UNTIL=20261231;WKST=SU;X-A=1;")
            .unwrap();
        assert_eq!((rule.frequency, rule.interval, rule.week_start), (Frequency::Monthly, 2, 6));
        assert_eq!(rule.weekdays, [(-1, 4), (0, 0), (2, 1)]);
        assert_eq!(rule.ends, Ends::Until(Value::read("20261231").unwrap()));
        assert_eq!(Rule::read("FREQ=DAILY;BYSECOND=60,59").unwrap().seconds, [59]);
        assert_eq!(Rule::read("FREQ=DAILY;COUNT=-1").unwrap().ends, Ends::Never);
        assert_eq!(Rule::read("FREQ=DAILY;RSCALE=GREGORIAN;SKIP=OMIT").unwrap(), Rule::read("FREQ=DAILY").unwrap());
    }

    #[test]
    fn a_rule_with_a_part_that_cannot_be_followed_is_not_followed_at_all() {
        let values = "INTERVAL=1 FREQ=FORTNIGHTLY FREQ=DAILY;INTERVAL=0 FREQ=DAILY;INTERVAL=99999999999999999999 \
            FREQ=DAILY;COUNT=0 FREQ=DAILY;UNTIL=soon FREQ=DAILY;BYMONTH=13 FREQ=DAILY;BYMONTH= \
            FREQ=DAILY;BYHOUR=24 FREQ=YEARLY;BYYEARDAY=0 FREQ=YEARLY;BYYEARDAY=367 FREQ=MONTHLY;BYDAY=XX \
            FREQ=MONTHLY;BYDAY=54MO FREQ=MONTHLY;BYDAY=\u{e4}MO FREQ=YEARLY;BYEASTER=1 FREQ=YEARLY;RSCALE=HEBREW \
            FREQ=MONTHLY;SKIP=FORWARD FREQ";
        for value in values.split(' ').chain([""]) {
            assert_eq!(Rule::read(value), Err(ODD), "{value}");
        }
    }
}
