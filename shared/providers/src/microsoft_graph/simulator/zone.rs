//! Times as Graph writes them, and its names of zones.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::refused::Refused;

/// Names of zones as Windows has them, and as everybody else does.
const OF_WINDOWS: &[(&str, &str)] = &[
    ("GMT Standard Time", "Europe/London"),
    ("W. Europe Standard Time", "Europe/Vienna"),
    ("Eastern Standard Time", "America/New_York"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
];

/// The zone of that name; `None` if the simulator does not know it.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    let known = OF_WINDOWS.iter().find(|(of_windows, _)| *of_windows == name);
    crate::simulator::zone::zone(known.map_or(name, |(_, known)| known))
}

/// A time as it is given: by the clock of a zone.
pub(super) fn read(given: &Value, which: &str) -> Result<(DateTime, String), Refused> {
    let invalid = || Refused::field(format!("The {which} property of the event is invalid."));
    let is_known = |name: &String| ["dateTime", "timeZone", "@odata.type"].contains(&name.as_str());
    let fields = given.as_object().filter(|fields| fields.keys().all(is_known)).ok_or_else(invalid)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let name = text("timeZone").unwrap_or("UTC");
    let unknown =
        || Refused::new(400, "TimeZoneNotSupportedException", format!("A zone of the name '{name}' is unknown."));
    let zone = zone(name).ok_or_else(unknown)?;
    let given = text("dateTime").ok_or_else(invalid)?;
    let local = match given.parse::<Timestamp>() {
        Ok(at) => at.to_zoned(zone).datetime(),
        Err(_) => given.parse::<DateTime>().map_err(|_| invalid())?,
    };
    Ok((local, name.to_owned()))
}

/// The point in time of a time by the clock of a zone.
pub(super) fn instant(local: DateTime, name: &str) -> Timestamp {
    let zone = zone(name).unwrap_or(TimeZone::UTC);
    local.to_zoned(zone).map_or(Timestamp::MIN, |zoned| zoned.timestamp())
}

/// A time by the clock of another zone, with seven digits of a second, and no offset.
pub(super) fn shown(at: Timestamp, name: &str) -> Value {
    let zone = zone(name).unwrap_or(TimeZone::UTC);
    json!({ "dateTime": padded(at.to_zoned(zone).datetime()), "timeZone": name })
}

/// A day that lasts from midnight on, whatever the zone.
pub(super) fn shown_day(local: DateTime, name: &str) -> Value {
    json!({ "dateTime": padded(local.date().to_datetime(Time::midnight())), "timeZone": name })
}

fn padded(local: DateTime) -> String {
    format!("{local:.7}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_by_the_clock_of_its_zone_and_shown_by_that_of_another() {
        for (time, name, expected) in [
            ("2026-12-02T09:30:00", "Europe/Vienna", "2026-12-02T08:30:00.0000000"),
            ("2026-07-02T09:30:00.0000000", "W. Europe Standard Time", "2026-07-02T07:30:00.0000000"),
            ("2026-12-02T09:30:00Z", "Europe/Vienna", "2026-12-02T09:30:00.0000000"),
            ("2026-12-02T09:30:00", "UTC", "2026-12-02T09:30:00.0000000"),
        ] {
            let (local, zone) = read(&json!({ "dateTime": time, "timeZone": name }), "Start").unwrap();
            assert_eq!(shown(instant(local, &zone), "UTC")["dateTime"], expected, "{time} {name}");
        }
        for given in [
            json!(7),
            json!({ "dateTime": "soon", "timeZone": "UTC" }),
            json!({ "timeZone": "UTC" }),
            json!({ "dateTime": "2026-12-02T09:30:00", "timeZone": "Moon/Crater" }),
            json!({ "dateTime": "2026-12-02T09:30:00", "date": "2026-12-02" }),
        ] {
            assert!(read(&given, "Start").is_err(), "{given}");
        }
    }
}
