//! Starts and ends as Google keeps them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Map, Value};

use super::refused::Refused;
use crate::simulator::zone::zone;

/// A start or an end as it is kept: a day, or a time with the offset that the calendar's zone has then. `which` is the name
/// of the field.
pub(super) fn moment(given: &Value, calendar: &str, which: &str) -> Result<Value, Refused> {
    let invalid = || Refused::new(400, "invalid", format!("Invalid {which} time."));
    let text = |name: &str| given[name].as_str();
    let is_known = |name: &String| ["date", "dateTime", "timeZone"].contains(&name.as_str());
    if !given.as_object().is_some_and(|given| given.keys().all(is_known)) {
        return Err(invalid());
    }
    let mut kept = Map::new();
    match (text("date"), text("dateTime")) {
        (Some(date), None) => {
            date.parse::<Date>().map_err(|_| invalid())?;
            kept.insert("date".to_owned(), date.into());
        }
        (None, Some(time)) => {
            let undefined = || Refused::new(400, "invalid", format!("Invalid time zone definition for {which} time."));
            let own = zone(calendar).unwrap_or(TimeZone::UTC);
            let given = text("timeZone").map(|name| zone(name).ok_or_else(undefined)).transpose()?;
            let at = match (time.parse::<Timestamp>(), given) {
                (Ok(at), _) => at,
                (Err(_), Some(zone)) => {
                    let local: DateTime = time.parse().map_err(|_| invalid())?;
                    local.to_zoned(zone).map_err(|_| invalid())?.timestamp()
                }
                (Err(_), None) => {
                    return Err(Refused::new(
                        400,
                        "required",
                        format!("Missing time zone definition for {which} time."),
                    ));
                }
            };
            kept.insert("dateTime".to_owned(), local(at, &own).into());
            kept.insert("timeZone".to_owned(), text("timeZone").unwrap_or(calendar).into());
        }
        (Some(_), Some(_)) | (None, None) => return Err(invalid()),
    }
    Ok(kept.into())
}

/// A time with the offset of a zone, to the second.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    Zoned::new(at, zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// The time of a start or an end that is kept; of a day, its beginning in the zone.
pub(super) fn time(moment: &Value, calendar: &str) -> Option<Timestamp> {
    if let Some(time) = moment["dateTime"].as_str() {
        return time.parse().ok();
    }
    let day: Date = moment["date"].as_str()?.parse().ok()?;
    let zone = zone(calendar).unwrap_or(TimeZone::UTC);
    Some(day.to_zoned(zone).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_has_the_offset_of_its_calendar() {
        for (given, expected) in [
            (json!({ "date": "2026-12-01" }), json!({ "date": "2026-12-01" })),
            (
                json!({ "dateTime": "2026-07-01T10:00:00Z" }),
                json!({ "dateTime": "2026-07-01T12:00:00+02:00", "timeZone": "Europe/Vienna" }),
            ),
            (
                json!({ "dateTime": "2026-12-01T10:00:00", "timeZone": "America/New_York" }),
                json!({ "dateTime": "2026-12-01T16:00:00+01:00", "timeZone": "America/New_York" }),
            ),
        ] {
            assert_eq!(moment(&given, "Europe/Vienna", "start").unwrap(), expected);
        }
        for given in [
            json!(7),
            json!({}),
            json!({ "date": "2026-13-01" }),
            json!({ "date": "2026-12-01", "dateTime": "2026-12-01T10:00:00Z" }),
            json!({ "dateTime": "2026-12-01T10:00:00" }),
            json!({ "dateTime": "2026-12-01T10:00:00Z", "timeZone": "Moon/Crater" }),
            json!({ "dateTime": "2026-12-01T10:00:00Z", "zone": "UTC" }),
        ] {
            assert!(moment(&given, "Europe/Vienna", "start").is_err(), "{given}");
        }
    }
}
