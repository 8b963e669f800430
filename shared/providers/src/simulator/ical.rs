//! Texts of iCalendar that simulators keep and serve: by lines, without a meaning.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// A time as iCalendar has it in UTC.
pub(crate) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A calendar around its components.
pub(crate) fn calendar(head: &[String], components: &str) -> String {
    let head: String = head.iter().map(|line| format!("{line}\r\n")).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{components}END:VCALENDAR\r\n")
}

/// An event of these lines.
pub(crate) fn event(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("{}\r\n", folded(line))).collect();
    format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n")
}

/// The components of that name in a text, each as its lines, unfolded.
pub(crate) fn components(text: &str, name: &str) -> Vec<Vec<String>> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let (begins, ends) = (format!("BEGIN:{name}"), format!("END:{name}"));
    let (mut found, mut open): (Vec<Vec<String>>, Option<Vec<String>>) = (Vec::new(), None);
    for line in unfolded.lines() {
        if line == begins {
            open = Some(Vec::new());
        } else if line == ends {
            found.extend(open.take());
        } else if let Some(open) = &mut open {
            open.push(line.to_owned());
        }
    }
    found
}

/// The value of a property among lines.
pub(crate) fn value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find(|line| name_of(line).eq_ignore_ascii_case(name))?.split_once(':').map(|(_, value)| value)
}

/// The name of a line's property.
pub(crate) fn name_of(line: &str) -> &str {
    line.split([':', ';']).next().unwrap_or_default()
}

/// The lines after an edit, whose fields are properties by their names, with or without parameters; `null` removes one. Without a
/// time, an event lasts an hour, from the next full one on.
pub(crate) fn edited(lines: &[String], fields: &Map<String, Value>, now: Timestamp) -> Result<Vec<String>, String> {
    let mut lines = lines.to_vec();
    for (name, value) in fields {
        let is_property = |byte: u8| byte.is_ascii_alphanumeric() || b"-;=/_+".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_property) {
            return Err(format!("{name} is no property"));
        }
        let base = name_of(name).to_owned();
        lines.retain(|line| !name_of(line).eq_ignore_ascii_case(&base));
        let texts: Vec<&str> = match value {
            Value::Null => Vec::new(),
            Value::String(text) => vec![text],
            Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                return Err(format!("{name} is a text, or several"));
            }
        };
        if texts.iter().any(|text| text.contains(['\r', '\n'])) {
            return Err(format!("{name} is one line"));
        }
        lines.extend(texts.into_iter().map(|text| format!("{name}:{text}")));
    }
    if value(&lines, "DTSTART").is_none() {
        let hour = |hours: i64| {
            let full = (now.as_second().div_euclid(3_600) + hours) * 3_600;
            stamp(Timestamp::from_second(full).unwrap_or(now))
        };
        lines.extend([format!("DTSTART:{}", hour(1)), format!("DTEND:{}", hour(2))]);
    }
    lines.retain(|line| !["DTSTAMP", "LAST-MODIFIED"].contains(&name_of(line)));
    lines.push(format!("DTSTAMP:{}", stamp(now)));
    // As clients do it: by a clock of their own.
    lines.push(format!("LAST-MODIFIED:{}", stamp(now - SignedDuration::from_secs(7))));
    Ok(lines)
}

/// A line in pieces of at most 75 bytes (RFC 5545, section 3.1).
fn folded(line: &str) -> String {
    let mut folded = String::with_capacity(line.len() + 8);
    let mut room = 75;
    for letter in line.chars() {
        if letter.len_utf8() > room {
            folded.push_str("\r\n ");
            room = 74;
        }
        room -= letter.len_utf8();
        folded.push(letter);
    }
    folded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_edited_by_the_names_of_their_properties() {
        let before = ["UID:1".to_owned(), "DTSTART;TZID=Europe/Vienna:20261201T090000".to_owned()];
        let fields = json!({ "DTSTART;VALUE=DATE": "20261202", "EXDATE": ["a", "b"], "LOCATION": null });
        let after = edited(&before, fields.as_object().unwrap(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(value(&after, "dtstart"), Some("20261202"));
        assert_eq!(after.iter().filter(|line| name_of(line) == "EXDATE").count(), 2);
        let text = calendar(&[], &event(&after));
        let found = components(&text, "VEVENT");
        assert_eq!(found, [after]);
        for fields in [json!({ "A:B": "x" }), json!({ "A": 7 }), json!({ "A": "x\ny" })] {
            assert!(edited(&before, fields.as_object().unwrap(), Timestamp::UNIX_EPOCH).is_err(), "{fields}");
        }
    }

    #[test]
    fn a_long_line_is_folded_and_read_whole() {
        let line = format!("SUMMARY:{}", "ä".repeat(100));
        let text = calendar(&[], &event(std::slice::from_ref(&line)));
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        assert_eq!(components(&text, "VEVENT"), [[line]]);
    }
}
