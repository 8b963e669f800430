//! One event as it is kept, and what its fields may be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value, json};

use super::recurrence::Recurrence;
use super::refused::Refused;
use super::zone;

/// The fields that can be set.
const FIELDS: &str = "allowNewTimeProposals attendees body categories end hideAttendees importance isAllDay isOnlineMeeting \
    isReminderOn location locations recurrence reminderMinutesBeforeStart responseRequested sensitivity showAs \
    singleValueExtendedProperties start subject transactionId";
/// The fields that only somebody else, or the owner by an answer, changes.
const BY_OTHERS: &str = "isCancelled responseStatus isOrganizer isDraft";
/// The fields that have only these values.
const VALUES: &[(&str, &[&str])] = &[
    ("showAs", &["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"]),
    ("sensitivity", &["normal", "personal", "private", "confidential"]),
    ("importance", &["low", "normal", "high"]),
];
/// The longest transaction id, and the longest value of a property.
const LONGEST: (usize, usize) = (256, 4_096);

/// An event that was made: a single one, or a series.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Its immutable id.
    pub(super) id: String,
    pub(super) calendar: String,
    /// Its fields, as they were set. Times are by the clock of the zone that they have.
    pub(super) fields: Map<String, Value>,
    /// The days on which a series has another occurrence than by its rule, or none.
    pub(super) exceptions: BTreeMap<Date, Option<Map<String, Value>>>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// The change that touched it last.
    pub(super) changed: u64,
    pub(super) is_removed: bool,
}

impl Event {
    /// How it recurs, if it is a series.
    pub(super) fn recurrence(&self) -> Option<Recurrence> {
        self.fields.get("recurrence").filter(|given| given.is_object()).and_then(|given| Recurrence::of(given).ok())
    }

    /// The days in a window on which it recurs, each with the fields of that day: those of the series, with its times moved,
    /// and what an exception has instead. A single event has one, without a day.
    pub(super) fn within(&self, window: (Timestamp, Timestamp)) -> Vec<(Option<Date>, Map<String, Value>)> {
        let Some(recurrence) = self.recurrence() else {
            let fits = overlaps(&self.fields, window);
            return if fits { vec![(None, self.fields.clone())] } else { Vec::new() };
        };
        let end = window.1.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(2));
        let days = recurrence.days(end).into_iter().filter_map(|day| Some((day, self.on(day)?)));
        days.filter(|(_, fields)| overlaps(fields, window)).map(|(day, fields)| (Some(day), fields)).collect()
    }

    /// The fields of the occurrence of a day; `None` if there is none.
    pub(super) fn on(&self, day: Date) -> Option<Map<String, Value>> {
        let before = day.saturating_add(jiff::Span::new().days(1));
        if !self.recurrence()?.days(before).contains(&day) {
            return None;
        }
        let mut fields = self.fields.clone();
        fields.remove("recurrence");
        let (start, name) = zone::read(fields.get("start")?, "Start").ok()?;
        let (end, _) = zone::read(fields.get("end")?, "End").ok()?;
        let begins = day.to_datetime(start.time());
        let ends = begins.saturating_add(start.until(end).ok()?);
        for (which, at) in [("start", begins), ("end", ends)] {
            fields.insert(which.to_owned(), json!({ "dateTime": at.to_string(), "timeZone": name }));
        }
        match self.exceptions.get(&day) {
            None => {}
            Some(None) => return None,
            Some(Some(others)) => fields.extend(others.clone()),
        }
        Some(fields)
    }
}

/// Whether an event with these times lies in a window.
fn overlaps(fields: &Map<String, Value>, (first, last): (Timestamp, Timestamp)) -> bool {
    let at = |which: &str| {
        let (local, name) = zone::read(fields.get(which)?, which).ok()?;
        Some(zone::instant(local, if is_all_day(fields) { "UTC" } else { &name }))
    };
    match (at("start"), at("end")) {
        (Some(start), Some(end)) => start < last && (end > first || start >= first),
        _ => false,
    }
}

/// Whether an event lasts all day.
pub(super) fn is_all_day(fields: &Map<String, Value>) -> bool {
    fields.get("isAllDay") == Some(&Value::Bool(true))
}

/// Whether a name is one of those in a text, which spaces divide.
pub(super) fn is_among(names: &str, name: &str) -> bool {
    names.split(' ').any(|known| known == name)
}

/// Sets what is given, as PATCH does. The event must fit then. `by_others` says that the fields of others can be set as well.
pub(super) fn patch(
    fields: &mut Map<String, Value>,
    given: &Map<String, Value>,
    by_others: bool,
) -> Result<(), Refused> {
    for (name, value) in given {
        match name.as_str() {
            name if name.starts_with('@') => {}
            "singleValueExtendedProperties" => set_properties(fields, value)?,
            name if is_among(FIELDS, name) || by_others && is_among(BY_OTHERS, name) => {
                fields.insert(name.to_owned(), value.clone());
            }
            name => {
                let message =
                    format!("The property '{name}' does not exist on type 'microsoft.graph.event', or is read-only.");
                return Err(Refused::new(400, "RequestBodyRead", message));
            }
        }
    }
    fields.retain(|_, value| !value.is_null());
    check(fields)
}

/// Sets properties; others stay.
fn set_properties(fields: &mut Map<String, Value>, given: &Value) -> Result<(), Refused> {
    let invalid = || Refused::field("An extended property has an id and a value.");
    let kept = fields.entry("singleValueExtendedProperties").or_insert_with(|| json!([]));
    for property in given.as_array().ok_or_else(invalid)? {
        let text = |name: &str| property[name].as_str().filter(|text| text.len() <= LONGEST.1).ok_or_else(invalid);
        let (id, value) = (text("id")?, text("value")?);
        // A type, a namespace of its own or one of Microsoft's, and a name.
        if !(id.starts_with("String {") && id.contains("} Name ")) {
            return Err(Refused::new(400, "ErrorInvalidArgument", format!("The id '{id}' of a property is invalid.")));
        }
        let all = kept.as_array_mut().ok_or_else(invalid)?;
        all.retain(|other| other["id"] != id);
        all.push(json!({ "id": id, "value": value }));
    }
    Ok(())
}

fn check(fields: &Map<String, Value>) -> Result<(), Refused> {
    let required = || Refused::field("At least one property failed validation: Start and End are required.");
    let (start, zone) = zone::read(fields.get("start").ok_or_else(required)?, "Start")?;
    let (end, end_zone) = zone::read(fields.get("end").ok_or_else(required)?, "End")?;
    if is_all_day(fields) {
        let is_midnight = |at: DateTime| at.time() == Time::midnight();
        if !is_midnight(start) || !is_midnight(end) || zone != end_zone {
            return Err(Refused::field("The Event.Start property for an all-day event needs to be set to midnight."));
        }
        if end <= start {
            return Err(Refused::field("The duration of an event marked as All day must be at least 24 hours."));
        }
    }
    if zone::instant(end, &end_zone) < zone::instant(start, &zone) {
        return Err(Refused::field("The End of an event cannot be before its Start."));
    }
    for (name, values) in VALUES {
        if fields.get(*name).is_some_and(|value| value.as_str().is_none_or(|value| !values.contains(&value))) {
            return Err(Refused::new(400, "RequestBodyRead", format!("Cannot convert the value of '{name}'.")));
        }
    }
    for name in ["isAllDay", "isReminderOn", "responseRequested", "isCancelled"] {
        if fields.get(name).is_some_and(|value| !value.is_boolean()) {
            return Err(Refused::new(400, "RequestBodyRead", format!("Cannot convert the value of '{name}'.")));
        }
    }
    let is_text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= LONGEST.0);
    if ["transactionId", "subject"].iter().any(|name| fields.get(*name).is_some_and(|value| !is_text(value))) {
        return Err(Refused::new(400, "RequestBodyRead", "Cannot convert a value to a text."));
    }
    fields.get("recurrence").map_or(Ok(()), |given| Recurrence::of(given).map(drop))
}
