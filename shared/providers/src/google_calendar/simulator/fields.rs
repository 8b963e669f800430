//! Partial answers: the `fields` that a request selects, such as `kind,items(id,start/date)`.

use serde_json::{Map, Value};

use super::query::is_among;
use super::refused::Refused;

/// How deep a selection can nest.
const DEEPEST: usize = 16;

/// The fields that answers have. Maps whose names a client makes up have others.
const KNOWN: &str = "accessRole additionalGuests anyoneCanAddSelf attachments attendees attendeesOmitted backgroundColor \
    birthdayProperties colorId comment conferenceData conferenceProperties created creator date dateTime defaultReminders \
    deleted description displayName email end endTimeUnspecified etag eventLabelId eventType expiration extendedProperties \
    focusTimeProperties foregroundColor guestsCanInviteOthers guestsCanModify guestsCanSeeOtherGuests hangoutLink hidden \
    htmlLink iCalUID id items kind location locked method minutes nextPageToken nextSyncToken notificationSettings optional \
    organizer originalStartTime outOfOfficeProperties overrides primary private privateCopy recurrence recurringEventId \
    reminders resource resourceId resourceUri responseStatus selected self sequence shared source start status summary \
    summaryOverride timeZone token transparency updated useDefault visibility workingLocationProperties";
/// The maps whose names a client makes up.
const MADE_UP: &[&str] = &["private", "shared"];

/// A selection: each field with what is selected of it; everything is where nothing is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Fields(Vec<(String, Fields)>);

impl Fields {
    /// Reads a selection. Everything is selected without one.
    pub(super) fn of(text: Option<&str>) -> Result<Self, Refused> {
        let Some(text) = text else { return Ok(Self::default()) };
        let mut rest = text;
        let refused = || Refused::parameter("fields", format!("Invalid field selection {text}"));
        let fields = Self::list(&mut rest, DEEPEST).ok_or_else(refused)?;
        if rest.is_empty() { Ok(fields) } else { Err(refused()) }
    }

    /// Reads `a,b/c,d(e,f)` as far as it goes.
    fn list(rest: &mut &str, depth: usize) -> Option<Self> {
        let mut fields = Vec::new();
        loop {
            fields.push(Self::one(rest, depth.checked_sub(1)?)?);
            match rest.strip_prefix(',') {
                Some(more) => *rest = more,
                None => return Some(Self(fields)),
            }
        }
    }

    fn one(rest: &mut &str, depth: usize) -> Option<(String, Self)> {
        let ends = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '*').unwrap_or(rest.len());
        let (name, after) = rest.split_at(ends);
        *rest = after;
        if name != "*" && !is_among(KNOWN, name) {
            return None;
        }
        let made_up = MADE_UP.contains(&name);
        let below = if let Some(after) = rest.strip_prefix('/').filter(|_| made_up) {
            let ends = after.find([',', ')']).unwrap_or(after.len());
            let (key, after) = after.split_at(ends);
            *rest = after;
            Self(vec![(key.to_owned(), Self::default())])
        } else if let Some(after) = rest.strip_prefix('/') {
            *rest = after;
            Self(vec![Self::one(rest, depth.checked_sub(1)?)?])
        } else if let Some(after) = rest.strip_prefix('(') {
            *rest = after;
            let below = Self::list(rest, depth)?;
            *rest = rest.strip_prefix(')')?;
            below
        } else {
            Self::default()
        };
        Some((name.to_owned(), below))
    }

    /// What is selected of a value.
    pub(super) fn select(&self, value: Value) -> Value {
        match value {
            Value::Array(values) => values.into_iter().map(|value| self.select(value)).collect(),
            Value::Object(object) if !self.0.is_empty() => {
                let of = |name: &str| self.0.iter().find(|(known, _)| known == name || known == "*");
                let selected = object.into_iter().filter_map(|(name, value)| {
                    let (_, below) = of(&name)?;
                    Some((name, below.select(value)))
                });
                Value::Object(selected.collect::<Map<_, _>>())
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_selected_stays() {
        let whole = json!({
            "kind": "k",
            "items": [{ "id": 1, "start": { "date": "d", "timeZone": "z" }, "attendees": [{ "self": 1, "email": "a" }] }],
        });
        for (fields, expected) in [
            ("kind", json!({ "kind": "k" })),
            ("items(id)", json!({ "items": [{ "id": 1 }] })),
            ("items/start/date,kind", json!({ "kind": "k", "items": [{ "start": { "date": "d" } }] })),
            ("items(id,attendees(self))", json!({ "items": [{ "id": 1, "attendees": [{ "self": 1 }] }] })),
            ("*", whole.clone()),
            ("etag,items/extendedProperties/private/a-b", json!({ "items": [{}] })),
        ] {
            assert_eq!(Fields::of(Some(fields)).unwrap().select(whole.clone()), expected, "{fields}");
        }
        assert_eq!(Fields::of(None).unwrap().select(whole.clone()), whole);
        let deep = "start(".repeat(100_000);
        for fields in
            ["", ",", "id,", "id(", "id()", "id)", "id kind", "id//id", "id*", "ids", "items(ids)", deep.as_str()]
        {
            assert!(Fields::of(Some(fields)).is_err(), "{fields}");
        }
    }
}
