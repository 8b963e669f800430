//! The starts and ends of events, as documents have them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::{Moment, zones};

/// Longer than any clock is ever moved by.
pub(super) const MOVES: SignedDuration = SignedDuration::from_hours(3);

/// As far as any two clocks are apart.
pub(super) const APART: SignedDuration = SignedDuration::from_hours(26);

/// Reads a start or an end: RFC 3339, or a plain date.
pub(super) fn read(text: &str) -> Option<Moment> {
    match text.parse::<Timestamp>() {
        Ok(at) => Some(Moment::At(at)),
        Err(_) => text.parse::<Date>().ok().map(Moment::Day),
    }
}

/// The form that documents have.
pub(crate) fn text(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

/// The point in time; days begin at midnight in the person's zone.
pub(super) fn at(moment: Moment, home: &TimeZone) -> Timestamp {
    match moment {
        Moment::At(at) => at,
        Moment::Day(day) => zones::beginning(home, day),
    }
}

/// The day, by the clock of a zone.
pub(super) fn day_in(moment: Moment, zone: &TimeZone) -> Date {
    match moment {
        Moment::At(at) => zone.to_datetime(at).date(),
        Moment::Day(day) => day,
    }
}

/// The end of what begins then and lasts as long as another from `start` to `end`. Without an end, or with one before it, a
/// day is over on the next, and a time at once.
pub(super) fn end_like(begins: Moment, start: Option<Moment>, end: Option<Moment>) -> Moment {
    match (begins, start, end) {
        (Moment::At(begins), Some(Moment::At(start)), Some(Moment::At(end))) => {
            let lasts = start.duration_until(end).max(SignedDuration::ZERO);
            Moment::At(begins.checked_add(lasts).unwrap_or(Timestamp::MAX))
        }
        (Moment::Day(begins), Some(Moment::Day(start)), Some(Moment::Day(end))) => {
            let lasts = start.duration_until(end).as_hours() / 24;
            Moment::Day(later(begins, lasts.max(1)))
        }
        (Moment::Day(begins), _, _) => Moment::Day(later(begins, 1)),
        (Moment::At(begins), _, _) => Moment::At(begins),
    }
}

fn later(day: Date, days: i64) -> Date {
    Span::new().try_days(days).ok().and_then(|days| day.checked_add(days).ok()).unwrap_or(Date::MAX)
}
