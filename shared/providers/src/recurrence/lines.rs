//! The lines by which an event recurs: rules, and times that are added and left out.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::rule::Rule;
use super::value::Value;
use crate::zones;

/// Why a line is left out.
const ODD_LINE: &str = "a line by which it recurs cannot be read";
/// Why a time is left out.
const ODD_TIME: &str = "a time that is added to a series, or left out of it, cannot be read";
/// Why a time is read in the zone of its event.
const ODD_ZONE: &str = "the time zone of a time that is added to a series, or left out of it, is unknown";

/// What the lines of an event say.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Rules by which it recurs.
    pub(super) rules: Vec<Rule>,
    /// Rules by which it does not.
    pub(super) except: Vec<Rule>,
    /// Starts that are added, some with an end of their own: points in time, or days.
    pub(super) added: Vec<(Value, Option<Timestamp>)>,
    /// Starts that are left out: points in time, or days.
    pub(super) left_out: Vec<Value>,
    /// What could not be read first.
    pub(super) unread: Option<&'static str>,
}

/// How the lines of an event are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// The zone of times that have none of their own.
    pub(super) zone: &'a TimeZone,
    /// Whether the event lasts whole days.
    pub(super) of_days: bool,
}

impl Reading<'_> {
    /// Reads the lines of an event. What cannot be read is left out, and said.
    pub(super) fn read(&self, lines: &[String]) -> Lines {
        let mut read = Lines::default();
        for line in lines {
            if let Err(wrong) = self.line(line, &mut read) {
                read.unread.get_or_insert(wrong);
            }
        }
        read
    }

    fn line(&self, line: &str, read: &mut Lines) -> Result<(), &'static str> {
        let (head, value) = divided(line).ok_or(ODD_LINE)?;
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        match name.trim().to_ascii_uppercase().as_str() {
            "RRULE" => read.rules.push(Rule::read(value)?),
            "EXRULE" => read.except.push(Rule::read(value)?),
            "RDATE" => return self.times(parameters, value, |start, end| read.added.push((start, end))),
            "EXDATE" => return self.times(parameters, value, |start, _| read.left_out.push(start)),
            _ => return Err(ODD_LINE),
        }
        Ok(())
    }

    /// Reads the times of a line, each with its end, if it has one.
    fn times(
        &self,
        parameters: &str,
        value: &str,
        mut take: impl FnMut(Value, Option<Timestamp>),
    ) -> Result<(), &'static str> {
        let mut outcome = Ok(());
        let mut zone = self.zone.clone();
        let named = |parameter: &str| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("TZID").then(|| value.trim_matches('"').to_owned())
        };
        if let Some(name) = parameters.split(';').find_map(named) {
            match zones::by_name(&name) {
                Some(named) => zone = named,
                None => outcome = Err(ODD_ZONE),
            }
        }
        for text in value.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (text, end) = text.split_once('/').map_or((text, None), |(start, end)| (start, Some(end)));
            let Some(start) = Value::read(text) else {
                outcome = Err(ODD_TIME);
                continue;
            };
            let end = end.map(|end| period_end(start, end, &zone).ok_or(ODD_TIME)).transpose();
            take(
                if self.of_days { Value::Day(start.day()) } else { start.at(&zone).map_or(start, Value::At) },
                end.unwrap_or_default(),
            );
            outcome = outcome.and(end.map(drop));
        }
        outcome
    }
}

/// A line's name with its parameters, and its value. Parameters may have colons within quotes.
fn divided(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = line.find(|letter: char| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    })?;
    Some((&line[..at], line[at + 1..].trim()))
}

/// The end of a period: a time, or what lasts from its start, whose days are those of the calendar.
fn period_end(start: Value, end: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(end) = Value::read(end) {
        return end.at(zone);
    }
    let span: Span = end.parse().ok()?;
    let zone = if let Value::At(_) = start { &TimeZone::UTC } else { zone };
    let start = start.at(zone)?.to_zoned(zone.clone());
    start.checked_add(span).ok().map(|end| end.timestamp())
}
