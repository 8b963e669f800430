//! What a person has in a calendar, and on which days it takes time: worked out day by day, without any code of the product.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The zones, and their rules as POSIX has them.
pub const ZONES: [(&str, &str); 4] = [
    ("UTC", "UTC0"),
    ("Europe/Vienna", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("Asia/Tokyo", "JST-9"),
];

/// How an entry takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Busy.
    Busy,
    /// Perhaps busy, which blocks as well.
    Tentative,
    /// Shown as free.
    Free,
    /// The owner declined.
    Declined,
}

/// A start by the clock of a zone, and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The start.
    pub start: DateTime,
    /// The length in minutes.
    pub minutes: i64,
}

/// How an entry recurs: each so many days, and perhaps only so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Every {
    /// The days from one occurrence to the next.
    pub days: i32,
    /// How often it takes place.
    pub times: Option<i32>,
}

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it is, at first.
    pub at: Stretch,
    /// Whether it lasts whole days.
    pub all_day: bool,
    /// The zone, as a place in [`ZONES`].
    pub zone: usize,
    /// How it recurs.
    pub every: Option<Every>,
    /// The days of occurrences that are at another time, or not at all.
    pub others: BTreeMap<Date, Option<Stretch>>,
    /// How it takes its time.
    pub taken: Taken,
}

/// The time that a block takes, as its start and its end: days, or times in UTC.
pub type Times = (String, String);

/// Some days after another one.
pub fn later(day: Date, days: i32) -> Date {
    day.saturating_add(Span::new().days(days))
}

impl Entry {
    /// The name of its zone.
    pub fn zone_name(&self) -> &'static str {
        ZONES[self.zone].0
    }

    /// A time by the clock of its zone.
    pub fn instant(&self, at: DateTime) -> Timestamp {
        let zone = TimeZone::posix(ZONES[self.zone].1).expect("a rule");
        at.to_zoned(zone).expect("a time").timestamp()
    }

    /// Whether its rule gives it an occurrence on that day.
    pub fn recurs_on(&self, day: Date) -> bool {
        let since = self.at.start.date().until(day).map_or(-1, |span| span.get_days());
        match self.every {
            None => since == 0,
            Some(every) => {
                since >= 0 && since % every.days == 0 && every.times.is_none_or(|times| since / every.days < times)
            }
        }
    }

    /// The stretch of the occurrence that its rule gives it on that day; `None` if it does not take place.
    pub fn on(&self, day: Date) -> Option<Stretch> {
        match self.others.get(&day) {
            Some(other) => *other,
            None => Some(Stretch { start: day.to_datetime(self.at.start.time()), minutes: self.at.minutes }),
        }
    }

    /// A stretch as blocks have it.
    pub fn times(&self, of: Stretch) -> Times {
        let end = of.start.checked_add(Span::new().minutes(of.minutes)).expect("a time");
        match self.all_day {
            true => (of.start.date().to_string(), end.date().to_string()),
            false => {
                let start = self.instant(of.start);
                let end = start.checked_add(Span::new().minutes(of.minutes)).expect("a time");
                (start.to_string(), end.to_string())
            }
        }
    }

    /// The days on which occurrences are by its rule, from one day to another.
    pub fn days(&self, from: Date, to: Date) -> Vec<Date> {
        let (mut days, mut day) = (Vec::new(), from);
        while day <= to {
            if self.recurs_on(day) {
                days.push(day);
            }
            day = later(day, 1);
        }
        days
    }

    /// What it blocks that ends after one time and begins before another, by the day of the occurrence.
    pub fn blocks(&self, (from, to): (Timestamp, Timestamp)) -> BTreeMap<Date, Times> {
        if matches!(self.taken, Taken::Free | Taken::Declined) {
            return BTreeMap::new();
        }
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        // An occurrence may be moved from far away.
        let days = self.days(later(day(from), -90), later(day(to), 90));
        let all = days.into_iter().filter_map(|day| Some((day, self.times(self.on(day)?))));
        all.filter(|(_, times)| is_within(times, (from, to))).collect()
    }
}

/// Whether a block ends after one time and begins before another; days count by UTC.
pub fn is_within((start, end): &Times, (from, to): (Timestamp, Timestamp)) -> bool {
    let at = |text: &str| match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => format!("{text}T00:00:00Z").parse().expect("a day"),
    };
    at(end) > from && at(start) < to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_series_is_where_its_days_are_by_the_clock_of_its_zone() {
        let start = "2027-03-27T09:00:00".parse().expect("a time");
        let mut entry = Entry {
            at: Stretch { start, minutes: 60 },
            all_day: false,
            zone: 1,
            every: Some(Every { days: 1, times: Some(4) }),
            others: BTreeMap::new(),
            taken: Taken::Busy,
        };
        let moved = Stretch { start: "2027-03-31T11:00:00".parse().expect("a time"), minutes: 30 };
        entry.others =
            [("2027-03-29".parse().expect("a day"), Some(moved)), ("2027-03-30".parse().expect("a day"), None)].into();
        let blocks: Vec<Times> =
            entry.blocks((at("2027-03-01T00:00:00Z"), at("2027-04-30T00:00:00Z"))).into_values().collect();
        let blocks: Vec<(&str, &str)> = blocks.iter().map(|(start, end)| (start.as_str(), end.as_str())).collect();
        assert_eq!(
            blocks,
            [
                ("2027-03-27T08:00:00Z", "2027-03-27T09:00:00Z"),
                ("2027-03-28T07:00:00Z", "2027-03-28T08:00:00Z"),
                ("2027-03-31T09:00:00Z", "2027-03-31T09:30:00Z"),
            ]
        );
        entry.taken = Taken::Declined;
        assert!(entry.blocks((at("2027-03-01T00:00:00Z"), at("2027-04-30T00:00:00Z"))).is_empty());
    }
}
