//! Times and lengths of time, as people write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// A time, given as such or by its distance from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This time.
    At(Timestamp),
    /// So long ago, or from now.
    Away(SignedDuration),
}

impl Moment {
    /// Reads `2026-11-23T08:00:00Z`, `2026-11-23` (its start, in UTC) or a distance such as `36h`, `7d` or `90m`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        // A date parser also takes what has a time of day, and drops it.
        let date =
            Some(text).filter(|text| text.len() == "2026-11-23".len()).and_then(|text| text.parse::<Date>().ok());
        if let Some(start) = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok()) {
            return Ok(Self::At(start.timestamp()));
        }
        duration(text).map(Self::Away).map_err(|_| {
            "expected a time such as 2026-11-23T08:00:00Z or 2026-11-23, or a distance such as 36h or 7d".to_owned()
        })
    }

    /// The time, where a distance counts back from `now`.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Away(distance) => now.checked_sub(distance).unwrap_or(Timestamp::MIN),
        }
    }

    /// The time, where a distance counts on from `now`.
    pub(crate) fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Away(distance) => now.checked_add(distance).unwrap_or(Timestamp::MAX),
        }
    }
}

/// Reads a length of time: `90` (seconds), `15m`, `36h`, `7d`, `1d 12h`.
pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let expected = || "expected a length of time such as 15m, 36h or 7d".to_owned();
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(SignedDuration::from_secs(seconds.into()));
    }
    let span: Span = text.parse().map_err(|_| expected())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if duration.is_negative() { Err(expected()) } else { Ok(duration) }
}

/// A server's time to the second, for tables; what is no time stays as it is.
pub(crate) fn to_the_second(text: &str) -> String {
    let seconds = text.parse::<Timestamp>().ok().and_then(|at| Timestamp::from_second(at.as_second()).ok());
    seconds.map_or_else(|| text.to_owned(), |at| at.to_string())
}

/// A server's time of day, for what scrolls by; what is no time stays as it is.
pub(crate) fn time_of_day(text: &str) -> String {
    let at: Option<Timestamp> = text.parse().ok();
    at.map_or_else(|| text.to_owned(), |at| at.strftime("%H:%M:%S%.3f").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "2026-11-23T12:00:00Z";

    fn before_noon(text: &str) -> Option<String> {
        Some(Moment::parse(text).ok()?.before(NOON.parse().ok()?).to_string())
    }

    #[test]
    fn times_dates_and_distances_are_moments() {
        assert_eq!(before_noon("2026-11-01T10:00:00+01:00").as_deref(), Some("2026-11-01T09:00:00Z"));
        assert_eq!(before_noon("2026-11-01").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(before_noon("36h").as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(before_noon("1d 12h").as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(before_noon("2w").as_deref(), Some("2026-11-09T12:00:00Z"));
    }

    #[test]
    fn what_has_no_fixed_length_or_no_zone_is_refused() {
        for text in ["1month", "2y", "-3h", "2026-11-01T10:00", "soon", ""] {
            assert!(Moment::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_distance_counts_on_for_an_end() {
        let end = Moment::Away(SignedDuration::from_hours(1)).after(Timestamp::UNIX_EPOCH);
        assert_eq!(end.to_string(), "1970-01-01T01:00:00Z");
    }

    #[test]
    fn tables_show_seconds_and_streams_show_the_time_of_day() {
        assert_eq!(to_the_second("2026-11-23T12:00:00.987654Z"), NOON);
        assert_eq!(time_of_day("2026-11-23T12:00:00.987654Z"), "12:00:00.987");
        assert_eq!(to_the_second("-"), "-");
    }
}
