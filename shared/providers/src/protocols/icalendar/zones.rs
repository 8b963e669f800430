//! The time zones of a calendar, by the identifiers that it gives them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::components::{Component, Components};
use super::{Context, observances, parsed};
use crate::recurrence::Value;
use crate::{Moment, zones};

/// How many zones of a calendar are told by their rules.
const MOST_BY_RULES: usize = 50;
/// The longest name of a zone that is looked up, in bytes.
const LONGEST_NAME: usize = 256;
/// How many parts the name of a zone has, such as `America/Argentina/Ushuaia`.
const MOST_PARTS: usize = 3;

/// The time zones of a calendar.
#[derive(Debug)]
pub(super) struct Zones {
    /// IANA names by the calendar's identifiers.
    names: BTreeMap<String, String>,
    /// The IANA name of the zone of times that name none.
    floating: String,
}

/// A time zone that a property names.
#[derive(Debug)]
pub(super) struct Zone {
    /// Its clock.
    pub(super) clock: TimeZone,
    /// Its IANA name.
    name: String,
    /// Whether nobody knows it, so that it is that of times which name none.
    is_odd: bool,
}

/// A date or a time of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    /// The day, or the point in time.
    pub(super) moment: Moment,
    /// What a clock shows of it, as it is written.
    pub(super) written: DateTime,
    /// The IANA name of its zone, unless it is a day.
    pub(super) zone: Option<String>,
    /// Whether it names a zone that nobody knows.
    pub(super) is_odd: bool,
}

impl Zones {
    /// The zones that a calendar describes.
    pub(super) fn new(components: &Components, context: &Context<'_>) -> Self {
        let named_by = |zone: Option<&str>| zone.and_then(named);
        let floating = named_by(components.zone.as_deref()).or_else(|| named_by(context.zone));
        let mut zones = Self { names: BTreeMap::new(), floating: floating.unwrap_or_else(|| "UTC".to_owned()) };
        let (mut by_rules, mut search) = (0, observances::search());
        for component in &components.zones {
            let (id, place) = identity(component);
            let Some(id) = id else { continue };
            // What is shown to people is told better by its rules.
            let is_shown = id.starts_with('(');
            let mut name = named(&id).filter(|_| !is_shown).or_else(|| place.as_deref().and_then(named));
            if name.is_none() && by_rules < MOST_BY_RULES {
                by_rules += 1;
                name = observances::closest(component, context.now, &mut search);
            }
            if let Some(name) = name.or_else(|| named(&id)).or_else(|| named(without_number(&id))) {
                zones.names.insert(id.replace('\\', ""), name);
            }
        }
        zones
    }

    /// The zone of an identifier; that of times which name none, where nobody knows it.
    pub(super) fn zone(&self, id: Option<&str>) -> Zone {
        let id = id.map(str::trim).filter(|id| !id.is_empty());
        let name = id.and_then(|id| self.own(id).or_else(|| named(id)).or_else(|| named(without_number(id))));
        let is_odd = id.is_some() && name.is_none();
        let name = name.unwrap_or_else(|| self.floating.clone());
        Zone { clock: zones::by_name(&name).unwrap_or(TimeZone::UTC), name, is_odd }
    }

    /// The IANA name of a zone that the calendar describes. Commas in an identifier may be escaped, and may end it.
    fn own(&self, id: &str) -> Option<String> {
        let id = id.replace('\\', "");
        let mut begins = self.names.range(id.clone()..).take_while(|(known, _)| known.starts_with(&id));
        let by_beginning = begins.next().filter(|_| id.starts_with('('));
        self.names.get(&id).or(by_beginning.map(|(_, name)| name)).cloned()
    }

    /// The day that a value means where whole days recur: programs write a point in time as well, which begins a day in UTC, or
    /// is one of the calendar's zone.
    pub(super) fn day_of(&self, value: Value) -> Date {
        let Value::At(at) = value else { return value.day() };
        let in_utc = TimeZone::UTC.to_datetime(at);
        let begins_day = in_utc.time() == Time::midnight();
        if begins_day { in_utc.date() } else { self.zone(None).clock.to_datetime(at).date() }
    }

    /// The point in time at which a day begins for times that name no zone.
    pub(super) fn midnight(&self, day: Date) -> Timestamp {
        zones::beginning(&self.zone(None).clock, day)
    }
}

impl Zone {
    /// A value whose property names this zone.
    pub(super) fn when(&self, value: Value) -> When {
        let (moment, written, zone, is_odd) = match value {
            Value::Day(day) => (Moment::Day(day), day.to_datetime(Time::midnight()), None, false),
            Value::At(at) => (Moment::At(at), TimeZone::UTC.to_datetime(at), Some("UTC".to_owned()), false),
            Value::Clock(clock) => {
                (Moment::At(zones::time_of(&self.clock, clock)), clock, Some(self.name.clone()), self.is_odd)
            }
        };
        When { moment, written, zone, is_odd }
    }
}

/// A name without the number that Outlook adds where zones of one name differ: `GMT Standard Time 1`. The number of `UTC 3` says
/// which zone it is.
fn without_number(name: &str) -> &str {
    let named = name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end();
    if named.ends_with("Time") { named } else { name }
}

/// The identifier of a zone, and the place that some programs add.
fn identity(component: &Component) -> (Option<String>, Option<String>) {
    let properties = parsed::properties(&component.lines);
    let text = |name: &str| parsed::value(&properties, name)?.text().map(|text| text.trim().to_owned());
    (text("TZID"), text("X-LIC-LOCATION"))
}

/// The IANA name of a zone by the name that a program gives it: an IANA name, one within a path, or one of Windows.
pub(super) fn named(name: &str) -> Option<String> {
    let name = name.trim().trim_matches('"');
    if name.len() > LONGEST_NAME {
        return None;
    }
    let known = |name: &str| zones::by_name(name)?.iana_name().map(str::to_owned);
    let within_path = || {
        let parts: Vec<&str> = name.split('/').collect();
        let first = parts.len().saturating_sub(MOST_PARTS).max(1);
        (first..parts.len()).map(|from| parts[from..].join("/")).find_map(|rest| known(&rest))
    };
    let by_name = || parsed::zone_named(name).and_then(|name| known(&name));
    known(name).or_else(by_name).or_else(within_path)
}
