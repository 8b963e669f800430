//! The components of a text: its events and time zones, each with the properties that are read.

use std::borrow::Cow;

/// How deeply components may be nested.
const DEEPEST: usize = 8;
/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;
/// How many events a text may have, read or not.
const MOST: usize = 200_000;
/// What is read of an event.
const OF_EVENT: &str = "UID RECURRENCE-ID DTSTART DTEND DURATION RRULE EXRULE RDATE EXDATE STATUS TRANSP CLASS SUMMARY \
    SEQUENCE LAST-MODIFIED DTSTAMP ATTENDEE X-MICROSOFT-CDO-BUSYSTATUS X-HOOKTIDE-BLOCK";
/// What is read of a time zone and its parts.
const OF_ZONE: &str = "TZID X-LIC-LOCATION DTSTART TZOFFSETFROM TZOFFSETTO RRULE RDATE";

/// What a text consists of.
#[derive(Debug, Default)]
pub(super) struct Components {
    /// Its events, and their exceptions.
    pub(super) events: Vec<Component>,
    /// Its time zones.
    pub(super) zones: Vec<Component>,
    /// The name of the zone that the whole calendar has, by a property that is no standard but common.
    pub(super) zone: Option<String>,
}

/// A component, as it is written.
#[derive(Debug, Default, Clone)]
pub(super) struct Component {
    /// The lines of its properties, each ended, but for those of its rules.
    pub(super) lines: String,
    /// Its rules, such as `RRULE:FREQ=DAILY`.
    pub(super) rules: Vec<String>,
    /// The parts of a time zone.
    pub(super) parts: Vec<Component>,
    /// Whether one of its lines is too long to be read.
    pub(super) is_too_long: bool,
}

/// Divides a text into its components; an error where it is no calendar, or not a whole one.
pub(super) fn components(text: &str) -> Result<Components, &'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let end = if text.contains('\n') { '\n' } else { '\r' };
    let begins = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    match text {
        "" => return Err("it is empty"),
        _ if text.starts_with('<') => return Err("it is a web page, not a calendar"),
        _ if !begins("BEGIN:VCALENDAR") => return Err("it is not a calendar in the form of iCalendar"),
        _ => {}
    }
    let mut reader = Reader::default();
    for line in (Unfolded { text, end }) {
        reader.line(&line)?;
    }
    match (reader.open.is_empty(), reader.has_ended) {
        (true, true) => Ok(reader.found),
        _ => Err("it is cut off: its end is missing"),
    }
}

/// The lines of a text, those that were folded as one. Lines end by this letter, and one more before it.
struct Unfolded<'a> {
    text: &'a str,
    end: char,
}

impl<'a> Iterator for Unfolded<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let mut line = Cow::Borrowed(self.physical()?);
        while self.text.starts_with([' ', '\t']) {
            let more = self.physical()?;
            // The rest of a line that is too long is left out; it is known to be too long by what it has.
            if line.len() <= LONGEST_LINE {
                line.to_mut().push_str(&more[1..]);
            }
        }
        Some(line)
    }
}

impl<'a> Unfolded<'a> {
    fn physical(&mut self) -> Option<&'a str> {
        (!self.text.is_empty()).then_some(())?;
        let (line, rest) = self.text.split_once(self.end).unwrap_or((self.text, ""));
        self.text = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

/// A reading of lines.
#[derive(Default)]
struct Reader {
    found: Components,
    /// The names of the components that have begun.
    open: Vec<String>,
    current: Component,
    part: Component,
    has_ended: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let Some(end) = line.find([':', ';']) else { return Ok(()) };
        let name = line[..end].trim().to_ascii_uppercase();
        let value = || line[end + 1..].trim().to_ascii_uppercase();
        match name.as_str() {
            "BEGIN" => self.begin(value()),
            "END" => {
                self.end(&value());
                Ok(())
            }
            _ => {
                self.property(&name, line, end);
                Ok(())
            }
        }
    }

    fn begin(&mut self, name: String) -> Result<(), &'static str> {
        if self.open.len() == DEEPEST {
            return Err("its components are nested too deeply");
        }
        match self.open.len() {
            0 => self.has_ended = false,
            1 => self.current = Component::default(),
            _ => self.part = Component::default(),
        }
        self.open.push(name);
        if self.found.events.len() > MOST {
            return Err("it has too many events");
        }
        Ok(())
    }

    /// Ends the component of that name and all within it. A name that has not begun is taken for that of the innermost
    /// component, but never for that of the calendar.
    fn end(&mut self, name: &str) {
        let named = self.open.iter().rposition(|open| open == name);
        let Some(depth) = named.or_else(|| self.open.len().checked_sub(1).filter(|depth| *depth > 0)) else { return };
        let name = self.open.drain(depth..).next().unwrap_or_default();
        match (depth, name.as_str()) {
            (0, "VCALENDAR") => self.has_ended = true,
            (1, "VEVENT") => self.found.events.push(std::mem::take(&mut self.current)),
            (1, "VTIMEZONE") => self.found.zones.push(std::mem::take(&mut self.current)),
            (2, "STANDARD" | "DAYLIGHT") => self.current.parts.push(std::mem::take(&mut self.part)),
            _ => {}
        }
    }

    fn property(&mut self, name: &str, line: &str, end: usize) {
        let open: Vec<&str> = self.open.iter().map(String::as_str).collect();
        let (component, read) = match open[..] {
            [_] => {
                if name == "X-WR-TIMEZONE" {
                    self.found.zone = Some(line[end + 1..].trim().to_owned());
                }
                return;
            }
            [_, "VEVENT"] => (&mut self.current, OF_EVENT),
            [_, "VTIMEZONE"] => (&mut self.current, OF_ZONE),
            [_, "VTIMEZONE", "STANDARD" | "DAYLIGHT"] => (&mut self.part, OF_ZONE),
            _ => return,
        };
        if !read.split(' ').any(|read| read == name) {
            return;
        }
        if line.len() > LONGEST_LINE {
            component.is_too_long = true;
            return;
        }
        match (name, line.rsplit_once(':')) {
            ("RRULE" | "EXRULE", Some((_, value))) => component.rules.push(format!("{name}:{}", value.trim())),
            _ => {
                component.lines.push_str(line);
                component.lines.push_str("\r\n");
            }
        }
    }
}
