//! Time zones that are known by their rules alone: the zone of the IANA database that agrees with them.

use jiff::civil::{DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::components::Component;
use super::parsed::{self, Content};
use crate::recurrence::{Bounds, Rule, Series, Value};
use crate::zones;

/// How many parts of a zone are read, and how many onsets each of them may list.
const MOST_PARTS: usize = 200;
/// How many rules a part of a zone may have.
const MOST_RULES: usize = 10;
/// How many onsets are read, of all zones of a calendar together, and how many days are looked at to find them.
const MOST_ONSETS: usize = 20_000;
const MOST_DAYS: usize = 1_000_000;
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

/// A time from which on a clock differs otherwise from UTC than before.
struct Onset {
    at: Timestamp,
    before: Offset,
    after: Offset,
}

/// How much is looked at to know all zones of a calendar by their rules.
pub(super) fn search() -> Bounds {
    Bounds { days: MOST_DAYS, starts: MOST_ONSETS, cut: false }
}

/// The IANA name of the zone whose clock agrees best with the rules around `now`. Where none does, a zone that never moves. One
/// with more parts or onsets than are read is not known: what is left out may be what holds now.
pub(super) fn closest(component: &Component, now: Timestamp, search: &mut Bounds) -> Option<String> {
    search.cut = false;
    let onsets = onsets(component, now, search)?;
    let looks = (-BACK..LOOKS - BACK).filter_map(|look| {
        let at = now.checked_add(SignedDuration::from_hours(i64::from(look * STEP) * 24)).ok()?;
        Some((at, offset(&onsets, at)?))
    });
    let looks: Vec<(Timestamp, Offset)> = looks.collect();
    let (_, own) = looks.get(usize::try_from(BACK).unwrap_or_default())?;
    let mut best: Option<(usize, String)> = None;
    for name in COMMON.split(' ').map(str::to_owned).chain(zones::names()) {
        let Some(zone) = zones::by_name(&name) else { continue };
        let least = best.as_ref().map_or(usize::MAX, |(least, _)| *least);
        let odd = looks.iter().filter(|(at, offset)| zone.to_offset(*at) != *offset).take(least).count();
        if odd < least {
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

/// What the clock differs from UTC by; onsets are in their order.
fn offset(onsets: &[Onset], at: Timestamp) -> Option<Offset> {
    let begun = onsets.partition_point(|onset| onset.at <= at);
    let latest = begun.checked_sub(1).and_then(|place| onsets.get(place));
    latest.map(|onset| onset.after).or_else(|| Some(onsets.first()?.before))
}

/// All onsets of a zone around `now`, in their order; `None` if there are more than are read.
fn onsets(component: &Component, now: Timestamp, search: &mut Bounds) -> Option<Vec<Onset>> {
    if component.parts.len() > MOST_PARTS {
        return None;
    }
    let mut onsets = Vec::new();
    for part in &component.parts {
        onsets.extend(of_part(part, now, search).into_iter().flatten());
    }
    onsets.sort_by_key(|onset| onset.at);
    (!search.cut).then_some(onsets)
}

/// The onsets of a part of a zone, if it can be read.
fn of_part(part: &Component, now: Timestamp, search: &mut Bounds) -> Option<Vec<Onset>> {
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
    let listed = clocks("RDATE").chain([first]).take_while(|_| search.take_start());
    let mut starts: Vec<DateTime> = listed.take(MOST_PARTS + 1).collect();
    search.cut |= starts.len() > MOST_PARTS || part.rules.len() > MOST_RULES;
    let clock = TimeZone::UTC.to_datetime(now);
    let years = |count: i32| SignedDuration::from_hours(i64::from(count) * 366 * 24);
    let span = clock.saturating_sub(years(3))..clock.saturating_add(years(4));
    let zone = TimeZone::fixed(before);
    let rules = part.rules.iter().take(MOST_RULES);
    let rules = rules.filter_map(|line| Rule::read(line.strip_prefix("RRULE:")?).ok());
    // What ended before costs nothing, however long the history of a zone is.
    let begins = Some(zones::time_of(&zone, span.start));
    for rule in rules.filter(|rule| !rule.has_ended(span.start, begins, &zone)) {
        let named = Series::new(rule.clone(), first, false).starts(&span, search).into_iter();
        starts.extend(named.filter(|start| !rule.has_ended(*start, Some(zones::time_of(&zone, *start)), &zone)));
    }
    let onset = |start: DateTime| Onset { at: zones::time_of(&zone, start), before, after };
    Some(starts.into_iter().map(onset).collect())
}
