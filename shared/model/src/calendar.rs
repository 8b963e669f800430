//! The normalised entry of a calendar, the same for every provider.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

/// An entry of a calendar: a single event, a series, or an occurrence of a series that differs from it.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalendarEvent {
    /// The provider's id.
    pub id: String,
    /// The provider's id of the calendar.
    pub calendar: String,
    /// The identifier that the entry has in every calendar, whoever copies it (`UID` of iCalendar, RFC 5545, section 3.8.4.7).
    pub uid: Option<String>,
    /// The title, where the connection shares titles.
    pub title: Option<String>,
    /// The series that it is an occurrence of: the id of the series' own entry.
    pub series: Option<String>,
    /// The rules by which it recurs, as lines of iCalendar (`RRULE:...`), where it is a series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recurrence: Vec<String>,
    /// The occurrences of a series that differ from its rules, by their `original_start`; or, without rules, all that the provider
    /// lists of the window that was asked for. Providers whose occurrences are entries of their own leave it empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occurrences: Vec<Occurrence>,
    /// The start that the series gives this occurrence, in the form of `start`; it never changes.
    pub original_start: Option<String>,
    /// The start: RFC 3339 in UTC, or a plain date where it lasts all day. Absent where the provider gives none.
    pub start: Option<String>,
    /// The end, which is not part of it, in the form of `start`.
    pub end: Option<String>,
    /// Whether it lasts whole days.
    pub all_day: bool,
    /// The time zone by which it recurs, or its days are counted: a name of the IANA database, as the provider gives it.
    pub time_zone: Option<String>,
    /// The provider's status, such as `confirmed`, `tentative` or `cancelled`: an occurrence of a series that is cancelled stays,
    /// as a hole in it.
    pub status: Option<String>,
    /// Whether its time is taken: it is neither cancelled, nor free, nor declined.
    pub busy: bool,
    /// Whether that is not certain: it is tentative, or its owner has not said yes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tentative: bool,
    /// What its owner answered to the invitation, in the provider's words, such as `accepted` or `declined`.
    pub response: Option<String>,
    /// The type that the provider gives it, in the provider's words, such as `outOfOffice`.
    pub event_type: Option<String>,
    /// Who may see it, in the provider's words, such as `private`.
    pub visibility: Option<String>,
    /// Whether we made it ourselves, to block the time of another calendar's event.
    pub own_block: bool,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}

/// An occurrence of a series.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The provider's id, where it has one of its own.
    pub id: Option<String>,
    /// The start that the rules give it, in the form of `start`; absent where there are no rules.
    pub original_start: Option<String>,
    /// The start, as of an entry; absent where it does not take place.
    pub start: Option<String>,
    /// The end, as of an entry.
    pub end: Option<String>,
    /// Whether its time is taken.
    pub busy: bool,
    /// Whether that is not certain.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tentative: bool,
    /// Whether all later occurrences that the rules give differ in the same way, up to the next one of this kind: they are moved
    /// by as much, last as long and are as busy, or do not take place (`RANGE=THISANDFUTURE` of iCalendar).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub following: bool,
}

/// The text that the provider's id, `UID` or reference of a block of ours begins with, so that it is known wherever a copy of it
/// turns up. Its letters are those that ids of Google's may have (base32hex).
pub const BLOCK_PREFIX: &str = "hooktide";

/// The longest text of digits and letters after the prefix.
const BLOCK_DIGITS: std::ops::RangeInclusive<usize> = 26..=64;

/// Whether an identifier is that of a block of ours: the prefix, and digits of base32hex, perhaps with an `@` and a host, as
/// exports of calendars have it.
pub fn is_block(id: &str) -> bool {
    let Some(rest) = id.strip_prefix(BLOCK_PREFIX) else { return false };
    let digits = rest.split_once('@').map_or(rest, |(digits, _)| digits);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'v').contains(&byte);
    BLOCK_DIGITS.contains(&digits.len()) && digits.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_known_by_its_identifier_wherever_it_turns_up() {
        let digits = "0123456789abcdefghijklmnopqrstuv";
        for (id, expected) in [
            (format!("hooktide{digits}"), true),
            (format!("hooktide{digits}@google.com"), true),
            (format!("Hooktide{digits}"), false),
            (format!("hooktide{digits}w"), false),
            ("hooktide".to_owned(), false),
            ("hooktide-meeting@example.com".to_owned(), false),
            (digits.to_owned(), false),
        ] {
            assert_eq!(is_block(&id), expected, "{id}");
        }
    }
}
