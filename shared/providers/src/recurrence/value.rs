//! Dates and times as iCalendar writes them: `20261224`, `20261224T080000`, `20261224T080000Z`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::zones;

/// A date or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// A day.
    Day(Date),
    /// A time by the clock of some zone.
    Clock(DateTime),
    /// A point in time.
    At(Timestamp),
}

impl Value {
    /// Reads a date or a time. A leap second is the second before it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, time) = text.split_once(['T', 't']).map_or((text, None), |(date, time)| (date, Some(time)));
        let year = digits(date.get(..4)?)?;
        let [month, day] = pair(date.get(4..)?)?;
        let date = Date::new(year, month, day).ok()?;
        let Some(time) = time else { return Some(Self::Day(date)) };
        let (clock, is_utc) = time.strip_suffix(['Z', 'z']).map_or((time, false), |clock| (clock, true));
        let hour = digits(clock.get(..2)?)?;
        let [minute, second] = pair(clock.get(2..)?)?;
        let clock = date.to_datetime(Time::new(hour, minute, second.min(59), 0).ok()?);
        Some(if is_utc { Self::At(zones::time_of(&TimeZone::UTC, clock)) } else { Self::Clock(clock) })
    }

    /// The point in time, unless it is a day. Times without a zone of their own are those of `zone`.
    pub(crate) fn at(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Day(_) => None,
            Self::Clock(clock) => Some(zones::time_of(zone, clock)),
            Self::At(at) => Some(at),
        }
    }

    /// The day, as it is written.
    pub(crate) fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Clock(clock) => clock.date(),
            Self::At(at) => TimeZone::UTC.to_datetime(at).date(),
        }
    }
}

/// The number that a text of digits is.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    text.parse().ok()
}

/// Two numbers of two digits each.
fn pair(text: &str) -> Option<[i8; 2]> {
    (text.len() == 4).then_some(())?;
    Some([digits(text.get(..2)?)?, digits(text.get(2..)?)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_as_they_are_written() {
        let read = |text: &str| {
            Value::read(text).map(|value| match value {
                Value::Day(day) => day.to_string(),
                Value::Clock(clock) => clock.to_string(),
                Value::At(at) => at.to_string(),
            })
        };
        let cases = "20261224 2026-12-24 20261224T080000 2026-12-24T08:00:00 20261224T080000Z 2026-12-24T08:00:00Z \
                     20161231T235960Z 2016-12-31T23:59:59Z 20260229 - 20261224T2500 - 20261224T0800 - 2026-12-24 - \
                     20261224T080000+01 - +0261224 - 2026122\u{e4} -";
        let words: Vec<&str> = cases.split(' ').collect();
        for case in words.chunks(2) {
            let expected = Some(case[1]).filter(|expected| *expected != "-");
            assert_eq!(read(&format!(" {}\n", case[0])).as_deref(), expected, "{}", case[0]);
        }
        assert_eq!(read(""), None);
    }
}
