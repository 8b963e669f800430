//! Blocks in a calendar. Each is created under a transaction id that is its key, so that Graph creates it once, and has the key
//! in a property as well, since no list can be filtered by transaction ids.

use http::header::IF_MATCH;
use http::{HeaderValue, Method, StatusCode};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::times::{Time, instant};
use super::{calendar_path, errors, event_path, get, object, request};
use crate::lenient::{Lenient, Object, Unread, fields};
use crate::microsoft_graph::MicrosoftGraph;
use crate::{Answer, Ask, Block, Moment, Refusal, Target, There, WriteStep, WriteTask, Written};

/// The property that has a block's key: a name within a namespace of ours.
const PROPERTY: &str = "String {6d70a3b5-7a1c-4d2b-9f0e-3b6c5f0c8e21} Name hooktide";
/// The code of a refusal to create what was created already.
const DUPLICATE: &str = "ErrorDuplicateTransactionId";
/// The code of a refusal to write, which is about the calendar as a rule.
const DENIED: &str = "ErrorAccessDenied";
/// What to do about a calendar that takes no blocks.
const CLOSED: &str = "Microsoft does not let the app write to this calendar: choose one that its owner can write to, or, where \
                      that is so, authorise the connection again, with the right to write to calendars";
/// The fields of a block that are asked for.
const FIELDS: &str = "id,iCalUId,start,end,isAllDay,showAs,isCancelled";

fields! {
    struct Found {
        items: Lenient<Vec<Lenient<Object<Event>>>> = "value",
    }
}

fields! {
    struct Event {
        id: Lenient<String> = "id",
        etag: Lenient<String> = "@odata.etag",
        uid: Lenient<String> = "iCalUId",
        start: Lenient<Object<Time>> = "start",
        end: Lenient<Object<Time>> = "end",
        all_day: Lenient<bool> = "isAllDay",
        shows: Lenient<String> = "showAs",
        cancelled: Lenient<bool> = "isCancelled",
    }
}

impl Target for MicrosoftGraph {
    fn ask(&self, task: &WriteTask<'_>, step: &WriteStep<'_>) -> Ask {
        let events = format!("{}/events", calendar_path(task.calendar));
        let one = |id: &str| event_path(task.calendar, id);
        match step {
            WriteStep::Create(block) => Ask::Http(request(task.api, Method::POST, &events, Some(&created(block)))),
            WriteStep::Change { id, etag, block } => write(task, Method::PATCH, (&one(id), *etag), Some(&times(block))),
            WriteStep::Remove { id, etag } => write(task, Method::DELETE, (&one(id), *etag), None),
            WriteStep::Look { id: Some(id), .. } => get(task.api, &one(id), &[("$select", FIELDS)]),
            WriteStep::Look { id: None, block } => {
                let of_key = format!(
                    "singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '{}')",
                    block.key.replace('\'', "''")
                );
                get(task.api, &events, &[("$filter", &of_key), ("$select", FIELDS), ("$top", "2")])
            }
        }
    }

    fn read(&self, _task: &WriteTask<'_>, step: &WriteStep<'_>, answer: &Answer) -> Result<Written, Refusal> {
        match step {
            // Seen with 409, and with 400.
            WriteStep::Create(_) if errors::says(answer, DUPLICATE) => return Ok(Written::Taken),
            WriteStep::Create(_) | WriteStep::Look { id: None, .. } => {}
            WriteStep::Change { .. } | WriteStep::Remove { .. } | WriteStep::Look { id: Some(_), .. } => {
                match answer.status() {
                    StatusCode::PRECONDITION_FAILED => return Ok(Written::Changed),
                    _ if errors::is_gone(answer) => return Ok(Written::Gone),
                    _ => {}
                }
            }
        }
        if answer.status() == StatusCode::FORBIDDEN && errors::says(answer, DENIED) {
            return Err(Refusal::Closed(CLOSED));
        }
        errors::sort(answer)?;
        match step {
            WriteStep::Create(block) | WriteStep::Change { block, .. } | WriteStep::Look { id: Some(_), block } => {
                object::<Event>(answer)?.there(block).map(Written::There)
            }
            WriteStep::Remove { .. } => Ok(Written::Gone),
            WriteStep::Look { id: None, block } => {
                let found = object::<Found>(answer)?.items.read().ok_or(Refusal::Unreadable("`value` is no list"))?;
                let found = found.into_iter().find_map(Lenient::read).map(|Object(event)| event);
                found.map_or(Ok(Written::Gone), |event| event.there(block).map(Written::There))
            }
        }
    }
}

/// A write to what nobody changed since.
fn write(task: &WriteTask<'_>, method: Method, (path, etag): (&str, Option<&str>), body: Option<&Value>) -> Ask {
    let mut request = request(task.api, method, path, body);
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        request.headers_mut().insert(IF_MATCH, etag);
    }
    Ask::Http(request)
}

/// A block as it is created: nobody is invited, reminded or asked, and others see that the time is taken.
fn created(block: &Block) -> Value {
    let mut body = times(block);
    body["transactionId"] = block.key.as_str().into();
    body["isReminderOn"] = false.into();
    body["responseRequested"] = false.into();
    body["sensitivity"] = "private".into();
    body["singleValueExtendedProperties"] = json!([{ "id": PROPERTY, "value": block.key }]);
    body
}

/// The fields of a block that can change.
fn times(block: &Block) -> Value {
    let is_day = matches!(block.start, Moment::Day(_));
    json!({
        "subject": block.title,
        "start": time(block.start),
        "end": time(block.end),
        "isAllDay": is_day,
        "showAs": "busy",
    })
}

/// A start or an end: a time of UTC without an offset, or a midnight.
fn time(moment: Moment) -> Value {
    let local = instant(moment).to_zoned(TimeZone::UTC).datetime();
    json!({ "dateTime": local.to_string(), "timeZone": "UTC" })
}

impl Event {
    /// The block that it is, compared with the one that it should be.
    fn there(self, block: &Block) -> Result<There, Refusal> {
        let id = self.id.read().filter(|id| !id.is_empty()).ok_or(Refusal::Unreadable("an event without an id"))?;
        let is_day = self.all_day.read().unwrap_or_default();
        let when = |time: Lenient<Object<Time>>| {
            time.read().and_then(|Object(time)| time.when(is_day, &mut Unread::default(), ""))
        };
        let is_then = when(self.start) == Some(block.start) && when(self.end) == Some(block.end);
        let is_taken = self.shows.read().is_some_and(|shows| shows == "busy");
        let is_cancelled = self.cancelled.read().unwrap_or_default();
        let is_as_wanted = is_then && is_taken && !is_cancelled;
        Ok(There { id, etag: self.etag.read(), uid: self.uid.read(), is_as_wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(start: Moment, end: Moment) -> Block {
        Block { key: "hooktide0".into(), start, end, title: "Busy".into() }
    }

    #[test]
    fn a_block_is_written_in_utc_or_in_whole_days_and_read_back_as_it_is_wanted() {
        let at = |text: &str| Moment::At(text.parse().unwrap());
        let day = |text: &str| Moment::Day(text.parse().unwrap());
        for (block, start, end, all_day) in [
            (
                block(at("2026-12-01T09:30:00Z"), at("2026-12-01T10:00:00Z")),
                "2026-12-01T09:30:00",
                "2026-12-01T10:00:00",
                false,
            ),
            (block(day("2026-12-01"), day("2026-12-03")), "2026-12-01T00:00:00", "2026-12-03T00:00:00", true),
        ] {
            let body = created(&block);
            let time = |text: &str| json!({ "dateTime": text, "timeZone": "UTC" });
            assert_eq!((&body["start"], &body["end"], &body["isAllDay"]), (&time(start), &time(end), &json!(all_day)));
            assert_eq!((&body["showAs"], &body["transactionId"]), (&json!("busy"), &json!("hooktide0")));
            let padded = |text: &str| json!({ "dateTime": format!("{text}.0000000"), "timeZone": "UTC" });
            let whole =
                json!({ "id": "a", "start": padded(start), "end": padded(end), "isAllDay": all_day, "showAs": "busy" });
            for (name, value, expected) in [
                ("subject", json!("Another"), true),
                ("showAs", json!("free"), false),
                ("isCancelled", json!(true), false),
                ("isAllDay", json!(!all_day), false),
                ("end", padded("2026-12-09T00:00:00"), false),
                ("start", json!(7), false),
            ] {
                let mut event = whole.clone();
                event[name] = value;
                let event: Event = serde_json::from_value(event).unwrap();
                assert_eq!(event.there(&block).unwrap().is_as_wanted, expected, "{name}");
            }
        }
    }
}
