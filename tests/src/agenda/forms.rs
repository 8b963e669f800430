//! How each provider takes an entry.

use jiff::Span;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::entry::{Entry, Stretch, Taken};

/// Fields of an edit.
pub type Fields = Map<String, Value>;

fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

fn end(of: Stretch) -> DateTime {
    of.start.checked_add(Span::new().minutes(of.minutes)).expect("a time")
}

/// A start and an end as Google takes them.
pub fn google_times(entry: &Entry, of: Stretch) -> Fields {
    let moment = |at: DateTime| match entry.all_day {
        true => json!({ "date": at.date().to_string() }),
        false => json!({ "dateTime": entry.instant(at).to_string(), "timeZone": entry.zone_name() }),
    };
    // What is long is so by the clock that ticks on.
    let end = match entry.all_day {
        true => moment(end(of)),
        false => json!({ "dateTime": entry.times(of).1, "timeZone": entry.zone_name() }),
    };
    object(json!({ "start": moment(of.start), "end": end }))
}

/// An entry as Google takes it, without the occurrences that differ; its calendar's id is that of its owner.
pub fn google(entry: &Entry, calendar: &str) -> Fields {
    let mut fields = google_times(entry, entry.at);
    let rule = entry.every.map(|_| json!([format!("RRULE:{}", rule(entry))]));
    fields.insert("recurrence".to_owned(), rule.unwrap_or_default());
    fields.insert("summary".to_owned(), "Own".into());
    let is = |taken: Taken| entry.taken == taken;
    fields.insert("transparency".to_owned(), if is(Taken::Free) { "transparent" } else { "opaque" }.into());
    fields.insert("status".to_owned(), if is(Taken::Tentative) { "tentative" } else { "confirmed" }.into());
    let declined = json!([{ "email": calendar, "responseStatus": "declined" }]);
    fields.insert("attendees".to_owned(), if is(Taken::Declined) { declined } else { Value::Null });
    fields
}

/// A start and an end as Graph takes them.
pub fn graph_times(entry: &Entry, of: Stretch) -> Fields {
    let moment = |at: DateTime| json!({ "dateTime": at.to_string(), "timeZone": entry.zone_name() });
    object(json!({ "start": moment(of.start), "end": moment(end(of)) }))
}

/// An entry as Graph takes it, without the occurrences that differ.
pub fn graph(entry: &Entry) -> Fields {
    let mut fields = graph_times(entry, entry.at);
    let first = entry.at.start.date();
    let day = format!("{:?}", first.weekday()).to_ascii_lowercase();
    let recurrence = entry.every.map(|every| {
        let pattern = match every.days % 7 {
            0 => json!({ "type": "weekly", "interval": every.days / 7, "daysOfWeek": [day] }),
            _ => json!({ "type": "daily", "interval": every.days }),
        };
        let range = match every.times {
            Some(times) => json!({ "type": "numbered", "startDate": first.to_string(), "numberOfOccurrences": times }),
            None => json!({ "type": "noEnd", "startDate": first.to_string() }),
        };
        json!({ "pattern": pattern, "range": range })
    });
    let shown = match entry.taken {
        Taken::Free => "free",
        Taken::Tentative => "tentative",
        Taken::Busy | Taken::Declined => "busy",
    };
    let response = if entry.taken == Taken::Declined { json!({ "response": "declined" }) } else { Value::Null };
    fields.extend(object(json!({
        "subject": "Own",
        "isAllDay": entry.all_day,
        "showAs": shown,
        "recurrence": recurrence,
        "responseStatus": response,
    })));
    fields
}

/// The properties of an entry in iCalendar, by their names with parameters; `null` for those that it has not.
pub fn ical(entry: &Entry, of: Stretch) -> Fields {
    let parameter = match (entry.all_day, entry.zone_name()) {
        (true, _) => ";VALUE=DATE".to_owned(),
        (false, "UTC") => String::new(),
        (false, zone) => format!(";TZID={zone}"),
    };
    let text = |at: DateTime| match (entry.all_day, entry.zone_name()) {
        (true, _) => at.strftime("%Y%m%d").to_string(),
        (false, "UTC") => at.strftime("%Y%m%dT%H%M%SZ").to_string(),
        (false, _) => at.strftime("%Y%m%dT%H%M%S").to_string(),
    };
    let gone = entry.others.iter().filter(|(_, other)| other.is_none());
    let gone: Vec<String> = gone.map(|(day, _)| text(day.to_datetime(entry.at.start.time()))).collect();
    let mut fields = Fields::new();
    fields.insert(format!("DTSTART{parameter}"), text(of.start).into());
    fields.insert(format!("DTEND{parameter}"), text(end(of)).into());
    let is_series = of == entry.at;
    let recurs = entry.every.filter(|_| is_series).map(|_| Value::from(rule(entry)));
    fields.insert("RRULE".to_owned(), recurs.unwrap_or_default());
    let exdates = if gone.is_empty() || !is_series { Value::Null } else { json!(gone) };
    fields.insert(format!("EXDATE{parameter}"), exdates);
    let transparent = matches!(entry.taken, Taken::Free | Taken::Declined);
    fields.insert("TRANSP".to_owned(), if transparent { "TRANSPARENT" } else { "OPAQUE" }.into());
    let status = if entry.taken == Taken::Tentative { "TENTATIVE" } else { "CONFIRMED" };
    fields.insert("STATUS".to_owned(), status.into());
    fields
}

/// The whole text of an entry in iCalendar, with the occurrences that differ.
pub fn ical_text(entry: &Entry, uid: &str, stamp: &str) -> String {
    let component = |fields: &Fields, more: &[String]| {
        let mut lines = vec![format!("UID:{uid}"), format!("DTSTAMP:{stamp}"), "SUMMARY:Own".to_owned()];
        lines.extend(more.iter().cloned());
        for (name, value) in fields {
            let values = match value {
                Value::String(text) => vec![text.as_str()],
                Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            lines.extend(values.into_iter().map(|text| format!("{name}:{text}")));
        }
        format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", lines.join("\r\n"))
    };
    let mut text = component(&ical(entry, entry.at), &[]);
    for (day, other) in entry.others.iter().filter_map(|(day, other)| Some((*day, (*other)?))) {
        // The start that the rule gives it, with the parameters that a start has.
        let original = Stretch { start: day.to_datetime(entry.at.start.time()), minutes: entry.at.minutes };
        let fields = ical(entry, original);
        let (name, value) = fields.iter().find(|(name, _)| name.starts_with("DTSTART")).expect("a start");
        let id = format!("{}:{}", name.replace("DTSTART", "RECURRENCE-ID"), value.as_str().expect("a text"));
        let mut fields = ical(entry, other);
        fields.retain(|name, _| name != "RRULE" && !name.starts_with("EXDATE"));
        text.push_str(&component(&fields, &[id]));
    }
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Own//EN\r\n{text}END:VCALENDAR\r\n")
}

/// The rule by which an entry recurs, as iCalendar has it.
fn rule(entry: &Entry) -> String {
    let Some(every) = entry.every else { return String::new() };
    let times = every.times.map(|times| format!(";COUNT={times}")).unwrap_or_default();
    match every.days % 7 {
        0 => format!("FREQ=WEEKLY;INTERVAL={}{times}", every.days / 7),
        _ => format!("FREQ=DAILY;INTERVAL={}{times}", every.days),
    }
}
