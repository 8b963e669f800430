//! iCalendar (RFC 5545): events of calendars that are read as texts, and blocks that are written as such.
//!
//! A text is divided into its components first, so that its length and its depth cost nothing, and so that one odd component
//! never costs another. What a component needs is then read by `calcard`, behind `parsed.rs` alone, but for rules: `calcard`
//! lets numbers that are too large wrap around, and expands from the beginning of a series only. Rules are kept as they are
//! written, and followed by `recurrence`.

mod block;
mod busy;
mod components;
mod entries;
mod event;
mod lines;
mod normalised;
mod observances;
mod parsed;
#[cfg(test)]
mod tests;
mod zones;

use hooktide_model::calendar::CalendarEvent;
use jiff::Timestamp;

pub use self::block::block;
pub use self::normalised::normalised;
use self::zones::Zones;

/// How many events of a calendar are read.
const MOST_EVENTS: usize = 20_000;
/// Why the others are not.
const TOO_MANY: &str = "the calendar has more events than are read";

/// What the events of a text have in common.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The calendar, by the provider's id.
    pub calendar: &'a str,
    /// The time zone of times that name none, unless the calendar has one of its own; by its IANA name.
    pub zone: Option<&'a str>,
    /// The addresses of the calendar's owner, by which its own answers to invitations are known.
    pub own_addresses: &'a [String],
    /// Whether titles are kept.
    pub share_titles: bool,
    /// When the text was asked for.
    pub now: Timestamp,
}

/// An event of a calendar, with all of its exceptions.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its identifier, by which a copy of it is known too.
    pub uid: String,
    /// The event, unless it cannot be read. Its id is the identifier.
    pub event: Result<CalendarEvent, &'static str>,
    /// When it was last changed.
    pub last_modified: Option<Timestamp>,
    /// How often its owner has revised it.
    pub sequence: Option<i64>,
    /// The parts that could not be read, or were read otherwise than they are written.
    pub unread: Vec<&'static str>,
}

/// Reads all events of a text, in the order of their identifiers. A text that is no calendar, or not a whole one, is an error:
/// nothing is to be concluded from what it lacks.
pub fn read(text: &str, context: &Context<'_>) -> Result<Vec<Entry>, &'static str> {
    let components = components::components(text)?;
    let zones = Zones::new(&components, context);
    Ok(entries::entries(components.events, &zones, context))
}

/// The IANA name of a time zone of another name, such as those of Windows.
pub fn zone_named(name: &str) -> Option<String> {
    zones::named(name)
}
