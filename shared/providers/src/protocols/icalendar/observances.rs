//! Time zones that are known by their rules alone: the zone of the IANA database that agrees with them.

use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::components::Component;
use super::parsed::{self, Content};
use crate::recurrence::{Bounds, Rule, Series, Value};
use crate::zones;

/// How many parts of a zone are read.
const MOST_PARTS: usize = 200;
/// How many days are between two looks at the clock.
const STEP: i32 = 5;
/// How many looks there are: a year back, and two ahead.
const BACK: i32 = 73;
const LOOKS: i32 = 219;
/// The zones that are tried first, since most people live in them.
const COMMON: &str = "UTC Europe/London Europe/Berlin Europe/Athens Europe/Istanbul Europe/Moscow \
    America/New_York America/Chicago America/Denver America/Phoenix \
    America/Los_Angeles America/Sao_Paulo Asia/Dubai Asia/Kolkata Asia/Singapore \
    Asia/Tokyo Australia/Sydney Australia/Adelaide Pacific/Auckland";

/// A part of a zone: what the clock differs from UTC by, from each of its onsets on.
struct Observance {
    before: Offset,
    after: Offset,
    onsets: Vec<DateTime>,
}

/// The IANA name of the zone whose clock agrees best with the rules around `now`. Where none does, a zone that never moves.
pub(super) fn closest(component: &Component, now: Timestamp) -> Option<String> {
    let parts = component.parts.iter().take(MOST_PARTS);
    let observances: Vec<Observance> = parts.filter_map(|part| observance(part, now)).collect();
    let looks = (-BACK..LOOKS - BACK).filter_map(|look| {
        let at = now.checked_add(SignedDuration::from_hours(i64::from(look * STEP) * 24)).ok()?;
        Some((at, offset(&observances, at)?))
    });
    let looks: Vec<(Timestamp, Offset)> = looks.collect();
    let (_, own) = looks.get(usize::try_from(BACK).unwrap_or_default())?;
    let mut best: Option<(usize, String)> = None;
    for name in COMMON.split(' ').map(str::to_owned).chain(zones::names()) {
        let Some(zone) = zones::by_name(&name) else { continue };
        let odd = looks.iter().filter(|(at, offset)| zone.to_offset(*at) != *offset).count();
        if best.as_ref().is_none_or(|(least, _)| odd < *least) {
            best = Some((odd, name));
        }
        if odd == 0 {
            break;
        }
    }
    let (odd, name) = best?;
    let hours = own.seconds() / 3600;
    let fixed = (own.seconds() % 3600 == 0 && odd * 20 > looks.len()).then(|| match hours {
        0 => "UTC".to_owned(),
        // These names have the sign of the way back to UTC.
        hours => format!("Etc/GMT{:+}", -hours),
    });
    Some(fixed.filter(|name| zones::by_name(name).is_some()).unwrap_or(name))
}

/// What the clock differs from UTC by.
fn offset(observances: &[Observance], at: Timestamp) -> Option<Offset> {
    let onsets = observances.iter().flat_map(|part| {
        part.onsets.iter().map(move |onset| (zones::time_of(&TimeZone::fixed(part.before), *onset), part))
    });
    let latest = onsets.clone().filter(|(onset, _)| *onset <= at).max_by_key(|(onset, _)| *onset);
    let first = || onsets.min_by_key(|(onset, _)| *onset).map(|(_, part)| part.before);
    latest.map(|(_, part)| part.after).or_else(first)
}

fn observance(part: &Component, now: Timestamp) -> Option<Observance> {
    let properties = parsed::properties(&part.lines);
    let offset = |name: &str| parsed::value(&properties, name)?.offset();
    let (before, after) = (offset("TZOFFSETFROM")?, offset("TZOFFSETTO")?);
    let clocks = |name: &'static str| {
        let named = properties.iter().filter(move |property| property.name == name);
        named.flat_map(|property| &property.values).filter_map(Content::time).filter_map(|time| match time {
            Value::Clock(clock) => Some(clock),
            Value::Day(day) => Some(day.to_datetime(Time::midnight())),
            Value::At(_) => None,
        })
    };
    let first = clocks("DTSTART").next()?;
    let mut onsets: Vec<DateTime> = clocks("RDATE").take(MOST_PARTS).chain([first]).collect();
    let clock = TimeZone::UTC.to_datetime(now);
    let years = |count: i32| SignedDuration::from_hours(i64::from(count) * 366 * 24);
    let span = clock.saturating_sub(years(3))..clock.saturating_add(years(4));
    let mut bounds = Bounds { intervals: 5_000, starts: 100, cut: false };
    for rule in part.rules.iter().filter_map(|line| Rule::read(line.strip_prefix("RRULE:")?).ok()) {
        let starts = Series::new(rule.clone(), first, false).starts(&span, &mut bounds);
        let zone = TimeZone::fixed(before);
        onsets.extend(
            starts.into_iter().filter(|start| !rule.has_ended(*start, Some(zones::time_of(&zone, *start)), &zone)),
        );
    }
    Some(Observance { before, after, onsets })
}
