//! Properties and their values: the one file that knows `calcard`.

use std::str::FromStr;

use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::{ICalendarDuration, ICalendarEntry, ICalendarParameterName, ICalendarPeriod, ICalendarValue};
use calcard::{Entry, Parser};
use jiff::Span;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

use crate::recurrence::Value;
use crate::zones;

/// A property of a component.
#[derive(Debug)]
pub(super) struct Property {
    /// Its name, such as `DTSTART`.
    pub(super) name: String,
    /// The identifier of its time zone.
    pub(super) zone: Option<String>,
    /// The answer of an attendee.
    pub(super) answer: Option<String>,
    /// Whether it is about all that follows as well (`RANGE=THISANDFUTURE`).
    pub(super) has_range: bool,
    /// Its values.
    pub(super) values: Vec<Content>,
}

/// A value of a property.
#[derive(Debug)]
pub(super) enum Content {
    /// A date or a time.
    Time(Value),
    /// A time and its end.
    Period(Value, Value),
    /// A time and how long it lasts.
    PeriodLasting(Value, Span),
    /// What lasts so long.
    Lasting(Span),
    /// An offset from UTC, in seconds.
    Offset(i32),
    /// A number.
    Number(i64),
    /// Anything else.
    Text(String),
}

impl Content {
    /// The text that it is.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The offset that it is.
    pub(super) fn offset(&self) -> Option<Offset> {
        if let Self::Offset(seconds) = self { Offset::from_seconds(*seconds).ok() } else { None }
    }

    /// The date or time that it is.
    pub(super) fn time(&self) -> Option<Value> {
        if let Self::Time(time) = self { Some(*time) } else { None }
    }

    /// How long it lasts.
    pub(super) fn lasting(&self) -> Option<Span> {
        if let Self::Lasting(span) = self { Some(*span) } else { None }
    }
}

/// The first value of the first property of a name.
pub(super) fn value<'a>(properties: &'a [Property], name: &str) -> Option<&'a Content> {
    properties.iter().find(|property| property.name == name)?.values.first()
}

/// Reads the lines of a component's properties.
pub(super) fn properties(lines: &str) -> Vec<Property> {
    let text = format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n");
    let Entry::ICalendar(calendar) = Parser::new(&text).entry() else { return Vec::new() };
    let entries = calendar.components.into_iter().take(1).flat_map(|component| component.entries);
    entries.map(property).collect()
}

/// The IANA name of a time zone that has another: one of Windows, of Outlook, or of a registry's.
pub(super) fn zone_named(name: &str) -> Option<String> {
    Tz::from_str(name).ok()?.name().map(|name| name.into_owned())
}

fn property(entry: ICalendarEntry) -> Property {
    let parameter = |name: &ICalendarParameterName| {
        let found = entry.params.iter().find(|parameter| parameter.name == *name);
        found.and_then(|parameter| parameter.value.as_text()).map(str::to_owned)
    };
    let has_range = entry.params.iter().any(|parameter| parameter.name == ICalendarParameterName::Range);
    Property {
        zone: parameter(&ICalendarParameterName::Tzid),
        answer: parameter(&ICalendarParameterName::Partstat),
        has_range,
        name: entry.name.as_str().to_ascii_uppercase(),
        values: entry.values.into_iter().filter_map(content).collect(),
    }
}

/// The value as it is used here; `None` where it is a date that does not exist, or of a kind that no property here has.
fn content(value: ICalendarValue) -> Option<Content> {
    Some(match value {
        ICalendarValue::PartialDateTime(time) => match offset(&time) {
            Some(offset) if !time.has_date() => Content::Offset(offset),
            _ => Content::Time(moment(&time)?),
        },
        ICalendarValue::Period(ICalendarPeriod::Range { start, end }) => {
            Content::Period(moment(&start)?, moment(&end)?)
        }
        ICalendarValue::Period(ICalendarPeriod::Duration { start, duration }) => {
            Content::PeriodLasting(moment(&start)?, span(&duration)?)
        }
        ICalendarValue::Duration(duration) => Content::Lasting(span(&duration)?),
        ICalendarValue::Integer(number) => Content::Number(number),
        other => Content::Text(other.as_text()?.to_owned()),
    })
}

fn moment(time: &PartialDateTime) -> Option<Value> {
    let two = |number: Option<u8>| i8::try_from(number?).ok();
    let date = Date::new(i16::try_from(time.year?).ok()?, two(time.month)?, two(time.day)?).ok()?;
    if !time.has_time() {
        return Some(Value::Day(date));
    }
    let second = two(time.second).unwrap_or_default().min(59);
    let clock = date.to_datetime(Time::new(two(time.hour)?, two(time.minute)?, second, 0).ok()?);
    match offset(time) {
        Some(offset) => {
            let zone = TimeZone::fixed(Offset::from_seconds(offset).ok()?);
            Some(Value::At(zones::time_of(&zone, clock)))
        }
        None => Some(Value::Clock(clock)),
    }
}

/// The offset from UTC, in seconds.
fn offset(time: &PartialDateTime) -> Option<i32> {
    let minutes = i32::from(time.tz_hour?) * 60 + i32::from(time.tz_minute.unwrap_or_default());
    Some(if time.tz_minus { -minutes * 60 } else { minutes * 60 })
}

fn span(duration: &ICalendarDuration) -> Option<Span> {
    let ICalendarDuration { neg, weeks, days, hours, minutes, seconds } = duration;
    let days = i64::from(*weeks) * 7 + i64::from(*days);
    let seconds = (i64::from(*hours) * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds);
    let span = Span::new().try_days(days).ok()?.try_seconds(seconds).ok()?;
    Some(if *neg { span.negate() } else { span })
}
