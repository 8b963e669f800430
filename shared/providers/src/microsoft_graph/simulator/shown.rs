//! Events as answers show them: with ids of the kind that is preferred, times in the zone that is, and texts rewritten.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::event::{Event, is_all_day};
use super::zone;
use crate::simulator::drawn;

/// What a request prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefer {
    pub(super) is_immutable: bool,
    pub(super) zone: String,
    pub(super) page: Option<usize>,
}

/// The mark of what a change left.
pub(super) fn etag(changed: u64) -> String {
    format!("W/\"{}\"", change_key(changed))
}

fn change_key(changed: u64) -> String {
    data_encoding::BASE64.encode(format!("change {changed:010}").as_bytes())
}

/// The id of an event that changes where it is moved to another calendar.
pub(super) fn movable_id(id: &str, calendar: &str) -> String {
    format!("AAMkAD{}AAA=", drawn::id(0, &format!("{calendar} {id}"), 40))
}

impl Event {
    /// Its id of the kind that is preferred.
    pub(super) fn shown_id(&self, prefer: &Prefer) -> String {
        if prefer.is_immutable { self.id.clone() } else { movable_id(&self.id, &self.calendar) }
    }

    /// The id of the occurrence of a day.
    pub(super) fn occurrence_id(&self, day: Date, prefer: &Prefer) -> String {
        format!("OID.{}.{day}", self.shown_id(prefer))
    }

    /// The event, or its occurrence of a day with its fields, in full.
    pub(super) fn shown(&self, of: Option<(Date, &Map<String, Value>)>, prefer: &Prefer) -> Value {
        let fields = of.map_or(&self.fields, |(_, fields)| fields);
        let mut shown = json!({
            "@odata.etag": etag(self.changed),
            "id": self.shown_id(prefer),
            "createdDateTime": padded(self.created),
            "lastModifiedDateTime": padded(self.modified),
            "changeKey": change_key(self.changed),
            "categories": [],
            "transactionId": null,
            "originalStartTimeZone": fields["start"]["timeZone"],
            "originalEndTimeZone": fields["end"]["timeZone"],
            "iCalUId": uid(&self.id),
            "reminderMinutesBeforeStart": 15,
            "isReminderOn": true,
            "hasAttachments": false,
            "subject": "",
            "bodyPreview": "",
            "importance": "normal",
            "sensitivity": "normal",
            "isAllDay": false,
            "isCancelled": false,
            "isOrganizer": true,
            "responseRequested": true,
            "seriesMasterId": null,
            "showAs": "busy",
            "type": "singleInstance",
            "isOnlineMeeting": false,
            "isDraft": false,
            "recurrence": null,
            "responseStatus": { "response": "organizer", "time": "0001-01-01T00:00:00Z" },
            "body": { "contentType": "html", "content": "" },
            "attendees": [],
        });
        let hidden = ["start", "end", "body", "singleValueExtendedProperties"];
        for (name, value) in fields.iter().filter(|(name, _)| !hidden.contains(&name.as_str())) {
            shown[name.as_str()] = value.clone();
        }
        shown["body"]["content"] = rewritten(&fields.get("body").cloned().unwrap_or_default()).into();
        for which in ["start", "end"] {
            shown[which] = moment(fields, which, prefer);
        }
        if self.recurrence().is_some() {
            shown["type"] = "seriesMaster".into();
        }
        if let Some((day, _)) = of {
            shown["id"] = self.occurrence_id(day, prefer).into();
            shown["seriesMasterId"] = self.shown_id(prefer).into();
            shown["type"] = if self.exceptions.contains_key(&day) { "exception" } else { "occurrence" }.into();
            shown["recurrence"] = Value::Null;
            // Each has one of its own.
            shown["iCalUId"] = uid(&format!("{} {day}", self.id)).into();
        }
        shown
    }

    /// The occurrence of a day as rounds have it: nothing but what it is, and when.
    pub(super) fn stripped(&self, day: Date, fields: &Map<String, Value>, prefer: &Prefer) -> Value {
        let whole = self.shown(Some((day, fields)), prefer);
        let mut stripped = json!({ "@odata.type": "#microsoft.graph.event" });
        let is_exception = self.exceptions.contains_key(&day);
        for name in ["@odata.etag", "id", "seriesMasterId", "type", "start", "end"] {
            stripped[name] = whole[name].clone();
        }
        // What differs from the series is shown with an exception.
        let own = self.exceptions.get(&day).cloned().flatten().unwrap_or_default();
        for (name, value) in own.iter().filter(|(name, _)| is_exception && !["start", "end"].contains(&name.as_str())) {
            stripped[name.as_str()] = value.clone();
        }
        stripped
    }
}

/// The `UID` that an event has everywhere.
fn uid(text: &str) -> String {
    format!("040000008200E00074C5B7101A82E008{}", drawn::id(0, &format!("uid {text}"), 32))
}

fn moment(fields: &Map<String, Value>, which: &str, prefer: &Prefer) -> Value {
    let Some(Ok((local, name))) = fields.get(which).map(|given| zone::read(given, which)) else { return Value::Null };
    if is_all_day(fields) {
        return zone::shown_day(local, &prefer.zone);
    }
    zone::shown(zone::instant(local, &name), &prefer.zone)
}

fn padded(at: Timestamp) -> String {
    format!("{at:.7}")
}

/// A text as a page of HTML, as Outlook keeps it.
fn rewritten(body: &Value) -> String {
    match body["content"].as_str() {
        None | Some("") => String::new(),
        Some(text) => format!(
            "<html>\r\n<head>\r\n<style type=\"text/css\">\r\n</style>\r\n</head>\r\n\
             <body>\r\n{text}\r\n</body>\r\n</html>\r\n"
        ),
    }
}
