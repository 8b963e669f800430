//! One event: what can be set, and what must fit.

use serde_json::{Map, Value};

use super::query::is_among;
use super::refused::Refused;
use super::zone;

/// The fields that can be set.
const FIELDS: &str = "anyoneCanAddSelf attachments attendees birthdayProperties colorId conferenceData description end \
    eventLabelId eventType extendedProperties focusTimeProperties gadget guestsCanInviteOthers \
    guestsCanModify guestsCanSeeOtherGuests location outOfOfficeProperties recurrence reminders \
    sequence source start status summary transparency visibility workingLocationProperties";
/// The fields that are Google's: what a client gives is passed over.
const READ_ONLY: &str = "attendeesOmitted created creator endTimeUnspecified etag hangoutLink htmlLink iCalUID id kind \
    locked organizer originalStartTime privateCopy recurringEventId updated";
/// The fields that have only these values.
const VALUES: &[(&str, &[&str])] = &[
    ("status", &["confirmed", "tentative", "cancelled"]),
    ("transparency", &["opaque", "transparent"]),
    ("visibility", &["default", "public", "private", "confidential"]),
    ("eventType", &["birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"]),
];
/// The values that are as usual: they are left out of answers.
const USUAL: &[(&str, &str)] = &[("transparency", "opaque"), ("visibility", "default")];
/// The beginnings of the lines by which an event recurs.
const RULES: &[&str] = &["RRULE:", "EXRULE:", "RDATE", "EXDATE"];
/// The most characters of a property's name, and of its value.
const OF_PROPERTY: (usize, usize) = (44, 1024);

/// An event that was made, also if it is deleted.
pub(super) struct Event {
    pub(super) value: Value,
    /// The change that touched it last.
    pub(super) changed: u64,
    /// Whether nothing is left of it but its id, which stays taken.
    pub(super) is_purged: bool,
}

/// Sets what is given, as PATCH does: objects are merged, lists replaced, and `null` removes. The event must fit then.
pub(super) fn patch(event: &mut Value, given: &Map<String, Value>, zone: &str) -> Result<(), Refused> {
    let sort = event["eventType"].clone();
    for (name, value) in given {
        if is_among(FIELDS, name) {
            merge(&mut event[name.as_str()], value);
        } else if !is_among(READ_ONLY, name) {
            let message = format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
            return Err(Refused::new(400, "badRequest", message));
        }
    }
    if !sort.is_null() && sort != event["eventType"] {
        return Err(Refused::new(400, "eventTypeRestriction", "The event type cannot be changed."));
    }
    check(event, zone)?;
    if let Some(event) = event.as_object_mut() {
        event.retain(|name, value| !value.is_null() && !USUAL.iter().any(|(of, usual)| name == of && value == usual));
    }
    Ok(())
}

/// The fields that are left where a client writes an event as a whole.
pub(super) fn emptied(event: &Value) -> Value {
    let kept = event.as_object().into_iter().flatten();
    let kept = kept.filter(|(name, _)| is_among(READ_ONLY, name) || *name == "eventType" || *name == "sequence");
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    kept.chain([("status".to_owned(), "confirmed".into())]).collect::<Map<_, _>>().into()
}

fn merge(field: &mut Value, given: &Value) {
    if let Value::Object(given) = given
        && let Value::Object(fields) = field
    {
        for (name, value) in given {
            merge(fields.entry(name.as_str()).or_insert(Value::Null), value);
        }
        fields.retain(|_, value| !value.is_null());
        return;
    }
    *field = given.clone();
}

fn check(event: &mut Value, zone: &str) -> Result<(), Refused> {
    for which in ["start", "end"] {
        if event[which].is_null() {
            return Err(Refused::new(400, "required", format!("Missing {which} time.")));
        }
        event[which] = zone::moment(&event[which], zone, which)?;
    }
    let (start, end) = (zone::time(&event["start"], zone), zone::time(&event["end"], zone));
    if event["start"]["date"].is_string() != event["end"]["date"].is_string() {
        return Err(Refused::new(400, "invalid", "Start and end times must either both be date or both be dateTime."));
    }
    if start > end {
        return Err(Refused::new(400, "timeRangeEmpty", "The specified time range is empty."));
    }
    for (name, values) in VALUES {
        let fits = event[*name].is_null() || values.iter().any(|value| event[*name] == *value);
        if !fits {
            return Err(Refused::new(400, "invalid", format!("Invalid value for: {name}")));
        }
    }
    recurs(&event["recurrence"])?;
    if event["attendees"].as_array().into_iter().flatten().any(|attendee| !attendee["email"].is_string()) {
        return Err(Refused::new(400, "required", "Missing attendee email."));
    }
    for sort in ["private", "shared"] {
        let (name, text) = OF_PROPERTY;
        let fits = |(key, value): (&String, &Value)| {
            key.chars().count() <= name && value.as_str().is_some_and(|value| value.chars().count() <= text)
        };
        if !event["extendedProperties"][sort].as_object().into_iter().flatten().all(fits) {
            return Err(Refused::new(400, "invalid", "Invalid extended property."));
        }
    }
    Ok(())
}

fn recurs(recurrence: &Value) -> Result<(), Refused> {
    let is_rule = |line: &Value| line.as_str().is_some_and(|line| RULES.iter().any(|start| line.starts_with(start)));
    match recurrence {
        Value::Null => Ok(()),
        Value::Array(lines) if lines.iter().all(is_rule) => Ok(()),
        _ => Err(Refused::new(400, "invalid", "Invalid recurrence rule.")),
    }
}
