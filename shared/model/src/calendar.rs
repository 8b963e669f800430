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
    /// The series that it is an occurrence of: the id of the series' own entry.
    pub series: Option<String>,
    /// The rules by which it recurs, as lines of iCalendar (`RRULE:...`), where it is a series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recurrence: Vec<String>,
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
    /// Whether we made it ourselves, to block the time of another calendar's event.
    pub own_block: bool,
    /// When the provider last changed it; RFC 3339, in UTC.
    pub updated_at: String,
}
