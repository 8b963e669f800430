//! Blocks as iCalendar: a calendar with one event.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Block, Moment};

/// The property by which a block is known wherever a copy of it turns up.
pub(super) const MARKER: &str = "X-HOOKTIDE-BLOCK";

/// The longest line, in bytes without its end.
const LONGEST: usize = 75;

/// The text of a block. Its identifier is the block's key.
pub fn block(block: &Block, now: Timestamp) -> String {
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//Hooktide//Hooktide//EN".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}", block.key),
        format!("DTSTAMP:{}", utc(now)),
        moment("DTSTART", block.start),
    ];
    // An end has to be later than the start; what takes no time has none.
    if block.end > block.start {
        lines.push(moment("DTEND", block.end));
    }
    lines.extend([
        format!("SUMMARY:{}", escaped(&block.title)),
        "TRANSP:OPAQUE".to_owned(),
        "CLASS:PRIVATE".to_owned(),
        format!("{MARKER}:1"),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ]);
    lines.iter().map(|line| folded(line)).collect()
}

fn moment(name: &str, moment: Moment) -> String {
    match moment {
        Moment::At(at) => format!("{name}:{}", utc(at)),
        Moment::Day(day) => format!("{name};VALUE=DATE:{}", day.strftime("%Y%m%d")),
    }
}

/// A point in time, in UTC.
pub(super) fn utc(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a property's value. Control characters are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A line with its end, folded between letters where it is long.
fn folded(line: &str) -> String {
    let (mut folded, mut length) = (String::with_capacity(line.len() + 2), 0);
    for letter in line.chars() {
        if length + letter.len_utf8() > LONGEST {
            folded.push_str("\r\n ");
            length = 1;
        }
        folded.push(letter);
        length += letter.len_utf8();
    }
    folded + "\r\n"
}
