//! The start or the end of an event, as Google writes it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::lenient::{Lenient, Unread, fields};

fields! {
    /// A start or an end: a day, or a time.
    pub(super) struct Moment {
        date: Lenient<String> = "date",
        time: Lenient<Timestamp> = "dateTime",
        zone: Lenient<String> = "timeZone",
    }
}

/// A start or an end, as documents have it.
pub(super) struct When {
    /// The day, or the time in UTC.
    pub(super) text: String,
    /// Whether it is a day.
    pub(super) is_day: bool,
    /// The zone that it names.
    pub(super) zone: Option<String>,
}

impl Moment {
    /// The day, or the time in UTC; what it cannot be read from is named as unread.
    pub(super) fn when(self, unread: &mut Unread, path: &str) -> Option<When> {
        let zone = self.zone.or_note(unread, format_args!("{path}.timeZone"));
        if let Some(time) = self.time.or_note(unread, format_args!("{path}.dateTime")) {
            return Some(When { text: time.to_string(), is_day: false, zone });
        }
        let date = self.date.value_or_note(unread, format_args!("{path}.date"))?;
        let Ok(day) = date.parse::<Date>() else {
            unread.note(format_args!("{path}.date"));
            return None;
        };
        Some(When { text: day.to_string(), is_day: true, zone })
    }
}
