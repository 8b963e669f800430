//! Occurrences of a series, which come to be where somebody changes or cancels one of them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use super::calendars::Calendar;
use super::zone;
use crate::simulator::zone::zone as known_zone;

/// The occurrence of a series that an id names, as `<series>_<day>` or `<series>_<time>`. Its rules are not worked out: any day
/// counts from the first one on, at the time of day that the series has.
pub(super) fn occurrence(of: &Calendar, id: &str) -> Option<Value> {
    let (series, when) = id.rsplit_once('_')?;
    let series = &of.events.get(series)?.value;
    if series["status"] == "cancelled" || !series["recurrence"].is_array() {
        return None;
    }
    let (start, end) = match series["start"]["date"].is_string() {
        true => days(series, when)?,
        false => times(series, when, of.text("timeZone"))?,
    };
    let mut occurrence = series.clone();
    occurrence.as_object_mut()?.remove("recurrence");
    occurrence["id"] = id.into();
    occurrence["recurringEventId"] = series["id"].clone();
    occurrence["originalStartTime"] = start.clone();
    (occurrence["start"], occurrence["end"]) = (start, end);
    Some(occurrence)
}

fn days(series: &Value, when: &str) -> Option<(Value, Value)> {
    let day = |name: &str| series[name]["date"].as_str()?.parse::<Date>().ok();
    let (first, end) = (day("start")?, day("end")?);
    let at = Date::strptime("%Y%m%d", when).ok().filter(|at| *at >= first)?;
    let until = at.checked_add(first.until(end).ok()?).ok()?;
    Some((json!({ "date": at.to_string() }), json!({ "date": until.to_string() })))
}

fn times(series: &Value, when: &str, calendar: &str) -> Option<(Value, Value)> {
    let name = series["start"]["timeZone"].as_str().unwrap_or(calendar);
    let (zone, own) = (known_zone(name)?, known_zone(calendar)?);
    let (first, end) = (zone::time(&series["start"], calendar)?, zone::time(&series["end"], calendar)?);
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", when).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let of_day = |at: Timestamp| Zoned::new(at, zone.clone()).time();
    if at < first || of_day(at) != of_day(first) {
        return None;
    }
    let moment = |at: Timestamp| json!({ "dateTime": zone::local(at, &own), "timeZone": name });
    Some((moment(at), moment(at.checked_add(first.duration_until(end)).ok()?)))
}
