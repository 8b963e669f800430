//! A rule together with the first start, from which it has what it does not say.

use jiff::civil::{Date, DateTime};

use super::rule::{Frequency, Rule};

/// A rule that begins at a time of a clock.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(super) rule: Rule,
    pub(super) first: DateTime,
}

impl Series {
    /// Completes a rule by its first start. Of days, only days recur.
    pub(crate) fn new(mut rule: Rule, first: DateTime, of_days: bool) -> Self {
        use Frequency::{Hourly, Minutely, Monthly, Secondly, Weekly, Yearly};
        if of_days {
            [&mut rule.hours, &mut rule.minutes, &mut rule.seconds].into_iter().for_each(Vec::clear);
        }
        for (values, frequency, own) in [
            (&mut rule.hours, Hourly, first.hour()),
            (&mut rule.minutes, Minutely, first.minute()),
            (&mut rule.seconds, Secondly, first.second()),
        ] {
            if values.is_empty() && rule.frequency < frequency {
                values.push(own);
            }
        }
        let weekday = (0, first.weekday().to_monday_zero_offset());
        let names_days = !(rule.year_days.is_empty() && rule.month_days.is_empty() && rule.weekdays.is_empty());
        match rule.frequency {
            Yearly if !rule.weeks.is_empty() && !names_days => rule.weekdays.push(weekday),
            Yearly if !names_days => {
                if rule.months.is_empty() {
                    rule.months.push(first.month());
                }
                rule.month_days.push(first.day().into());
            }
            Monthly if !names_days => rule.month_days.push(first.day().into()),
            Weekly if !names_days => rule.weekdays.push(weekday),
            _ => {}
        }
        Self { rule, first }
    }

    /// Whether the rule names a day, or leaves it in.
    pub(super) fn takes_day(&self, day: Date) -> bool {
        let Rule { months, weeks, year_days, month_days, weekdays, .. } = &self.rule;
        (months.is_empty() || months.contains(&day.month()))
            && (month_days.is_empty() || numbers(day.day().into(), day.days_in_month().into(), month_days))
            && (weekdays.is_empty() || self.takes_weekday(day))
            && (year_days.is_empty() || numbers(day.day_of_year(), day.days_in_year(), year_days))
            && (weeks.is_empty() || self.takes_week(day))
    }

    /// Days of the week are numbered within the month or the year; a rule of another frequency takes all of them.
    fn takes_weekday(&self, day: Date) -> bool {
        let rule = &self.rule;
        let (number, length) = match rule.frequency {
            Frequency::Monthly => (day.day().into(), day.days_in_month().into()),
            Frequency::Yearly if !rule.months.is_empty() => (day.day().into(), day.days_in_month().into()),
            Frequency::Yearly => (day.day_of_year(), day.days_in_year()),
            Frequency::Weekly | Frequency::Daily | Frequency::Hourly | Frequency::Minutely | Frequency::Secondly => {
                (0, 0)
            }
        };
        let weekday = day.weekday().to_monday_zero_offset();
        rule.weekdays.iter().filter(|(_, named)| *named == weekday).any(|(ordinal, _)| {
            let is_all = *ordinal == 0 || length == 0;
            is_all || *ordinal == (number - 1) / 7 + 1 || *ordinal == -((length - number) / 7 + 1)
        })
    }

    /// Weeks belong to the year that has their fourth day, and the first of a year is number 1.
    fn takes_week(&self, day: Date) -> bool {
        let start = self.rule.week_start;
        let days_after = |weekday: i8, start: i8| i16::from((weekday - start).rem_euclid(7));
        let into = days_after(day.weekday().to_monday_zero_offset(), start);
        let length = day.days_in_year();
        // The fourth day of the week, counted within the year of this day.
        let fourth = day.day_of_year() - into + 3;
        let (fourth, length) = match fourth {
            ..1 => {
                let before = day.first_of_year().yesterday().map_or(length, Date::days_in_year);
                (fourth + before, before)
            }
            fourth if fourth > length => {
                (fourth - length, day.last_of_year().tomorrow().map_or(length, Date::days_in_year))
            }
            fourth => (fourth, length),
        };
        // The last fourth day of that year is the last of this one and whole weeks after it.
        let weeks = (fourth - 1) / 7 + 1 + (length - fourth) / 7;
        let week = (fourth - 1) / 7 + 1;
        self.rule.weeks.iter().any(|named| *named == week || *named == week - weeks - 1)
    }
}

/// Whether a list names the day of that number within a period of so many days, from the beginning or from the end.
fn numbers(number: i16, length: i16, list: &[i16]) -> bool {
    list.contains(&number) || list.contains(&(number - length - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_numbered_as_iso_8601_does_where_they_begin_on_monday() {
        for week in [1, 20, 52, 53, -1, -52] {
            let rule = Rule::read(&format!("FREQ=YEARLY;BYWEEKNO={week}")).unwrap();
            let every_day = Rule { weekdays: (0..7).map(|day| (0, day)).collect(), ..rule };
            let series = Series::new(every_day, "2020-01-01T00:00".parse().unwrap(), false);
            let mut day: Date = "2019-12-20".parse().unwrap();
            while day.year() < 2031 {
                let iso = day.iso_week_date();
                let weeks = if iso.in_long_year() { 53 } else { 52 };
                let expected = i16::from(iso.week()) == week || i16::from(iso.week()) - weeks - 1 == week;
                assert_eq!(series.takes_day(day), expected, "{day} in week {week}");
                day = day.tomorrow().unwrap();
            }
        }
    }
}
