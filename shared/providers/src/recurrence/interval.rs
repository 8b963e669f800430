//! The intervals of a rule, such as its years or its hours, and the starts in each.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};

use super::rule::Frequency;
use super::series::Series;

/// The day that days are counted from, a Thursday.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// The starts of one interval: all of its times on all of its days, in order.
#[derive(Debug)]
pub(super) struct Interval {
    days: Vec<Date>,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    seconds: Vec<i8>,
}

impl Interval {
    /// The number of starts.
    pub(super) fn len(&self) -> usize {
        self.days.len() * self.hours.len() * self.minutes.len() * self.seconds.len()
    }

    /// The start of that place, which is below the number of starts.
    pub(super) fn start(&self, place: usize) -> DateTime {
        let (place, second) = (place / self.seconds.len(), self.seconds[place % self.seconds.len()]);
        let (place, minute) = (place / self.minutes.len(), self.minutes[place % self.minutes.len()]);
        let (place, hour) = (place / self.hours.len(), self.hours[place % self.hours.len()]);
        let time = Time::new(hour, minute, second, 0).unwrap_or_default();
        self.days[place].to_datetime(time)
    }
}

/// What an interval of a rule has.
pub(super) enum Found {
    /// Starts.
    Starts(Interval),
    /// None, nor has any interval before that of this number.
    NoneBefore(i64),
}

impl Series {
    /// The number of the interval that a time is in, counted in years, months, weeks, days, hours, minutes or seconds.
    pub(super) fn number(&self, clock: DateTime) -> i64 {
        let day = number_of(clock.date());
        let hours = day * 24 + i64::from(clock.hour());
        match self.rule.frequency {
            Frequency::Yearly => clock.year().into(),
            Frequency::Monthly => i64::from(clock.year()) * 12 + i64::from(clock.month()) - 1,
            Frequency::Weekly => (day - self.week_offset()).div_euclid(7),
            Frequency::Daily => day,
            Frequency::Hourly => hours,
            Frequency::Minutely => hours * 60 + i64::from(clock.minute()),
            Frequency::Secondly => (hours * 60 + i64::from(clock.minute())) * 60 + i64::from(clock.second()),
        }
    }

    /// The day on which the week of number 0 begins.
    fn week_offset(&self) -> i64 {
        i64::from(self.rule.week_start) - 3
    }

    /// The starts in the interval of that number, whatever its place in the series.
    pub(super) fn interval(&self, number: i64) -> Found {
        let found = match self.rule.frequency {
            Frequency::Yearly => i16::try_from(number).ok().and_then(|year| self.days_of_year(year)),
            Frequency::Monthly => {
                let year = i16::try_from(number.div_euclid(12)).ok();
                let month = i8::try_from(number.rem_euclid(12) + 1).ok();
                year.zip(month).and_then(|(year, month)| self.days_of_month(year, month))
            }
            Frequency::Weekly => {
                let begins = number.saturating_mul(7).saturating_add(self.week_offset());
                (0..7).map(|day| day_of(begins.saturating_add(day))).collect()
            }
            Frequency::Daily => day_of(number).map(|day| vec![day]),
            Frequency::Hourly => return self.part_of_day(number, 3600),
            Frequency::Minutely => return self.part_of_day(number, 60),
            Frequency::Secondly => return self.part_of_day(number, 1),
        };
        let Some(mut days) = found else { return Found::NoneBefore(i64::MAX) };
        days.retain(|day| self.takes_day(*day));
        if days.is_empty() {
            return Found::NoneBefore(number.saturating_add(1));
        }
        let rule = &self.rule;
        let [hours, minutes, seconds] = [&rule.hours, &rule.minutes, &rule.seconds].map(Vec::clone);
        Found::Starts(Interval { days, hours, minutes, seconds })
    }

    fn days_of_year(&self, year: i16) -> Option<Vec<Date>> {
        let months = (1..=12).filter(|month| self.rule.months.is_empty() || self.rule.months.contains(month));
        months.map(|month| self.days_of_month(year, month)).collect::<Option<Vec<_>>>().map(|days| days.concat())
    }

    fn days_of_month(&self, year: i16, month: i8) -> Option<Vec<Date>> {
        let first = Date::new(year, month, 1).ok()?;
        (1..=first.days_in_month()).map(|day| Date::new(year, month, day).ok()).collect()
    }

    /// The starts in an hour, a minute or a second. Where its day, its hour or its minute is left out, so are all others in
    /// that.
    fn part_of_day(&self, number: i64, seconds: i64) -> Found {
        let second = number.saturating_mul(seconds);
        let Some(day) = day_of(second.div_euclid(86_400)) else { return Found::NoneBefore(i64::MAX) };
        let next = |length: i64| Found::NoneBefore((second.div_euclid(length) + 1) * length / seconds);
        if !self.takes_day(day) {
            return next(86_400);
        }
        let of = |unit: i64, most: i64| i8::try_from(second.div_euclid(unit).rem_euclid(most)).unwrap_or_default();
        let rule = &self.rule;
        let mut times = [&rule.hours, &rule.minutes, &rule.seconds].map(Vec::clone);
        for (values, (unit, most)) in times.iter_mut().zip([(3600, 24), (60, 60), (1, 60)]) {
            // What is shorter than the interval is expanded.
            if unit < seconds {
                break;
            }
            let own = of(unit, most);
            if !values.is_empty() && !values.contains(&own) {
                return next(unit);
            }
            *values = vec![own];
        }
        let [hours, minutes, seconds] = times;
        Found::Starts(Interval { days: vec![day], hours, minutes, seconds })
    }
}

/// The number of a day.
fn number_of(day: Date) -> i64 {
    EPOCH.duration_until(day).as_hours() / 24
}

/// The day of a number, within the years that there are.
fn day_of(number: i64) -> Option<Date> {
    EPOCH.checked_add(Span::new().try_days(number).ok()?).ok()
}
