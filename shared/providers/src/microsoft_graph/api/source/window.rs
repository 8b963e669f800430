//! The window of time that is read: Graph expands series in one, and keeps it in the links of a round.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Moment;
use crate::microsoft_graph::api::times::{instant, midnight};

/// How many days back and ahead a window reaches when it is begun: more than anybody needs, so that it serves for two days.
const REACH: (i32, i32) = (2, 64);
/// How many days a window serves.
const SERVES: i32 = 1;

/// A window of time, in whole days of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The first day.
    pub(super) start: Date,
    /// The day after the last one.
    pub(super) end: Date,
}

impl Window {
    /// The window that is begun at that time.
    pub(super) fn at(now: Timestamp) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let (back, ahead) = REACH;
        Self { start: shifted(today, -back), end: shifted(today, ahead) }
    }

    /// Whether it was begun so long ago that another takes its place.
    pub(super) fn is_old(self, now: Timestamp) -> bool {
        Self::at(now).start > shifted(self.start, SERVES)
    }

    /// Its bounds as parameters have them.
    pub(super) fn bounds(self) -> (String, String) {
        (midnight(self.start).to_string(), midnight(self.end).to_string())
    }

    /// Whether some of what begins and ends then lies in it. What has no beginning that can be read may lie anywhere.
    pub(super) fn has(self, start: Option<Moment>, end: Option<Moment>) -> bool {
        let Some(start) = start.map(instant) else { return true };
        let end = end.map_or(start, instant).max(start);
        let (first, last) = (midnight(self.start), midnight(self.end));
        start < last && (end > first || start >= first)
    }

    /// Whether what begins then was in a window of some days ago as well, so that it is no news that it is in this one.
    pub(super) fn had(self, start: Option<Moment>) -> bool {
        start.is_some_and(|start| instant(start) < midnight(shifted(self.end, -2 * (SERVES + 1))))
    }
}

/// A day so many days later.
fn shifted(day: Date, days: i32) -> Date {
    day.saturating_add(Span::new().days(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_window_serves_for_two_days_and_reaches_a_day_back_and_sixty_ahead_all_the_time() {
        let begun = at("2026-11-28T12:00:00Z");
        let window = Window::at(begun);
        assert_eq!(window.bounds(), ("2026-11-26T00:00:00Z".to_owned(), "2027-01-31T00:00:00Z".to_owned()));
        for (now, expected) in [
            ("2026-11-28T00:00:00Z", false),
            ("2026-11-28T23:59:59Z", false),
            ("2026-11-29T23:59:59Z", false),
            ("2026-11-30T00:00:00Z", true),
            ("2027-11-30T00:00:00Z", true),
        ] {
            assert_eq!(window.is_old(at(now)), expected, "{now}");
        }
        let last = at("2026-11-29T23:59:59Z");
        assert!(midnight(window.start) < last - jiff::SignedDuration::from_hours(24));
        assert!(midnight(window.end) > last + jiff::SignedDuration::from_hours(60 * 24));
    }

    #[test]
    fn what_reaches_into_the_window_is_in_it() {
        let window = Window::at(at("2026-11-28T12:00:00Z"));
        let moment = |text: &str| match text.parse() {
            Ok(time) => Some(Moment::At(time)),
            Err(_) => text.parse().ok().map(Moment::Day),
        };
        for (start, end, expected) in [
            ("2026-11-25T10:00:00Z", "2026-11-26T00:00:00Z", false),
            ("2026-11-25T10:00:00Z", "2026-11-26T00:00:01Z", true),
            ("2026-11-26T00:00:00Z", "2026-11-26T00:00:00Z", true),
            ("1990-01-01", "2030-01-01", true),
            ("2027-01-30", "2027-01-31", true),
            ("2027-01-31T00:00:00Z", "2027-01-31T01:00:00Z", false),
            ("2026-12-02T10:00:00Z", "2026-12-01T10:00:00Z", true),
            ("2026-11-25T10:00:00Z", "", false),
            ("", "2020-01-01", true),
        ] {
            assert_eq!(window.has(moment(start), moment(end)), expected, "{start} {end}");
        }
        assert!(window.had(moment("2027-01-26")) && !window.had(moment("2027-01-28")) && !window.had(None));
    }
}
