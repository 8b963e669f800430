//! Starts and ends as Graph writes them: seven digits of a second, and the zone beside them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::Moment;
use crate::lenient::{Lenient, Unread, fields};

/// The names of the zone that every question prefers.
const UTC: &[&str] = &["UTC", "Etc/UTC", "Etc/GMT", "GMT", "Coordinated Universal Time", "tzone://Microsoft/Utc"];

fields! {
    /// A start or an end.
    pub(super) struct Time {
        time: Lenient<String> = "dateTime",
        zone: Lenient<String> = "timeZone",
    }
}

impl Time {
    /// The day, or the time in UTC; what it cannot be read from is named as unread.
    pub(super) fn when(&self, is_day: bool, unread: &mut Unread, path: &str) -> Option<Moment> {
        let Some(text) = self.time.as_ref() else {
            unread.note(format_args!("{path}.dateTime"));
            return None;
        };
        if let Ok(at) = text.parse::<Timestamp>() {
            let local = at.to_zoned(TimeZone::UTC).datetime();
            return if is_day { nearest_day(local).map(Moment::Day) } else { Some(Moment::At(at)) };
        }
        let Ok(local) = text.parse::<DateTime>() else {
            unread.note(format_args!("{path}.dateTime"));
            return None;
        };
        if is_day {
            return nearest_day(local).map(Moment::Day);
        }
        // Whoever leaves the zone out means UTC, as Graph has it by default.
        let is_utc = match &self.zone {
            Lenient::Read(zone) => UTC.iter().any(|known| known.eq_ignore_ascii_case(zone)),
            Lenient::Missing | Lenient::Null => true,
            Lenient::Odd => false,
        };
        if !is_utc {
            unread.note(format_args!("{path}.timeZone"));
            return None;
        }
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| Moment::At(zoned.timestamp()))
    }
}

/// The day whose midnight is the nearest: days are at midnight of a zone, and it may be that of whoever made the event.
fn nearest_day(local: DateTime) -> Option<Date> {
    local.checked_add(Span::new().hours(12)).ok().map(DateTime::date)
}

/// A start or an end as documents have it.
pub(super) fn text(moment: Moment) -> String {
    match moment {
        Moment::At(at) => at.to_string(),
        Moment::Day(day) => day.to_string(),
    }
}

/// The place of a start or an end among others: of a day, its midnight in UTC.
pub(super) fn instant(moment: Moment) -> Timestamp {
    match moment {
        Moment::At(at) => at,
        Moment::Day(day) => midnight(day),
    }
}

/// The midnight of a day, in UTC.
pub(super) fn midnight(day: Date) -> Timestamp {
    day.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(time: &str, zone: &str, is_day: bool) -> (Option<String>, Vec<String>) {
        let lenient = |text: &str| if text.is_empty() { Lenient::Missing } else { Lenient::Read(text.to_owned()) };
        let mut unread = Unread::default();
        let moment = Time { time: lenient(time), zone: lenient(zone) }.when(is_day, &mut unread, "start");
        (moment.map(text), unread.into_paths())
    }

    #[test]
    fn a_time_has_seven_digits_and_its_zone_beside_it() {
        for (time, zone, is_day, expected) in [
            ("2026-12-02T08:30:00.0000000", "UTC", false, "2026-12-02T08:30:00Z"),
            ("2026-12-02T08:30:00.0000000", "", false, "2026-12-02T08:30:00Z"),
            ("2026-12-02T08:30:00", "utc", false, "2026-12-02T08:30:00Z"),
            ("2026-12-02T08:30:00.5000000", "Etc/UTC", false, "2026-12-02T08:30:00.5Z"),
            ("2026-12-02T09:30:00+01:00", "Odd", false, "2026-12-02T08:30:00Z"),
            ("2026-12-03T00:00:00.0000000", "UTC", true, "2026-12-03"),
            ("2026-12-02T23:00:00.0000000", "UTC", true, "2026-12-03"),
            ("2026-12-03T08:00:00.0000000", "UTC", true, "2026-12-03"),
            ("2026-12-03T00:00:00.0000000", "Pacific Standard Time", true, "2026-12-03"),
        ] {
            assert_eq!(read(time, zone, is_day), (Some(expected.to_owned()), vec![]), "{time} {zone}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (time, zone, expected) in [
            ("", "UTC", "start.dateTime"),
            ("soon", "UTC", "start.dateTime"),
            ("2026-02-30T00:00:00", "UTC", "start.dateTime"),
            ("2026-12-02T08:30:00.0000000", "Pacific Standard Time", "start.timeZone"),
        ] {
            assert_eq!(read(time, zone, false), (None, vec![expected.to_owned()]), "{time}");
        }
    }
}
