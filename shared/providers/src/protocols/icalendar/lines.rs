//! The lines by which an event recurs, as its document has them: their times are in UTC, so that nothing but the document is
//! needed to follow them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::block::utc;
use super::event::Piece;
use super::parsed::{Content, Property};
use super::zones::Zones;
use crate::Moment;
use crate::recurrence::Value;

/// The longest rules by which an event recurs, in bytes.
const LONGEST: usize = 32 * 1024;
/// How many rules an event may have. More than one are rare.
const MOST_RULES: usize = 50;

/// The times of a line of one kind, such as those that are left out.
#[derive(Default)]
struct Times {
    days: Vec<String>,
    points: Vec<String>,
    periods: Vec<String>,
}

/// The lines of an event, of whose start the form is known; an error if they are too long.
pub(super) fn lines(
    rules: Vec<String>,
    properties: &[Property],
    zones: &Zones,
    piece: &mut Piece,
) -> Result<Vec<String>, &'static str> {
    if rules.len() > MOST_RULES {
        return Err("it has too many rules");
    }
    let mut lines = rules;
    if matches!(piece.start, Some(Moment::Day(_))) {
        lines = lines.into_iter().map(|line| with_a_last_day(line, zones)).collect();
    }
    lines.sort_by_key(|line| !line.starts_with("RRULE:"));
    for name in ["RDATE", "EXDATE"] {
        let mut times = Times::default();
        for property in properties.iter().filter(|property| property.name == name) {
            times.take(property, zones, piece);
        }
        for (parameters, mut values) in
            [("", times.points), (";VALUE=DATE", times.days), (";VALUE=PERIOD", times.periods)]
        {
            values.sort();
            values.dedup();
            if !values.is_empty() {
                lines.push(format!("{name}{parameters}:{}", values.join(",")));
            }
        }
    }
    match lines.iter().map(String::len).sum::<usize>() {
        ..=LONGEST => Ok(lines),
        _ => Err("its rules are too long"),
    }
}

/// A rule of days, whose end is a day as well.
fn with_a_last_day(line: String, zones: &Zones) -> String {
    let Some((before, rest)) = line.split_once("UNTIL=") else { return line };
    let until = rest.split(';').next().unwrap_or_default();
    let Some(at @ Value::At(_)) = Value::read(until) else { return line };
    let day = zones.day_of(at);
    format!("{before}UNTIL={}{}", day.strftime("%Y%m%d"), &rest[until.len()..])
}

impl Times {
    fn take(&mut self, property: &Property, zones: &Zones, piece: &mut Piece) {
        let zone = zones.zone(property.zone.as_deref());
        let of_days = matches!(piece.start, Some(Moment::Day(_)));
        for value in &property.values {
            let (start, end) = match value {
                Content::Time(start) => (*start, None),
                Content::Period(start, end) => match zone.when(*end).moment {
                    Moment::At(end) => (*start, Some(end)),
                    Moment::Day(_) => (*start, None),
                },
                Content::PeriodLasting(start, span) => {
                    let clock = if let Value::At(_) = start { &TimeZone::UTC } else { &zone.clock };
                    let begins = start.at(clock).map(|at| at.to_zoned(clock.clone()));
                    (*start, begins.and_then(|begins| begins.checked_add(*span).ok()).map(|end| end.timestamp()))
                }
                Content::Lasting(_) | Content::Offset(_) | Content::Number(_) | Content::Text(_) => {
                    piece.note("a time that is added to the series, or left out of it");
                    continue;
                }
            };
            let when = zone.when(start);
            if when.is_odd {
                piece.note("a time zone that is unknown");
            }
            let moment = if of_days { Moment::Day(zones.day_of(start)) } else { when.moment };
            if property.name == "EXDATE" {
                piece.left_out.insert(moment);
            }
            match moment {
                Moment::Day(day) => self.days.push(day.strftime("%Y%m%d").to_string()),
                Moment::At(at) => self.point(at, end),
            }
        }
    }

    fn point(&mut self, at: Timestamp, end: Option<Timestamp>) {
        match end {
            Some(end) => self.periods.push(format!("{}/{}", utc(at), utc(end))),
            None => self.points.push(utc(at)),
        }
    }
}
