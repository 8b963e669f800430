//! The time zones that simulators know, by the rules that hold in this decade.

use jiff::tz::TimeZone;

/// Names of zones, and their rules as POSIX has them.
const ZONES: &[(&str, &str)] = &[
    ("UTC", "UTC0"),
    ("Etc/UTC", "UTC0"),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/Vienna", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/Zurich", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0"),
    ("Asia/Tokyo", "JST-9"),
];

/// The zone of that name; `None` if simulators do not know it.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    let (_, rules) = ZONES.iter().find(|(known, _)| *known == name)?;
    TimeZone::posix(rules).ok()
}
