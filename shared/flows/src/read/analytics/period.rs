//! Periods: where buckets begin and end, by the clocks of a time zone.
//!
//! Buckets are stretches of time, not of what clocks show: an hour that exists twice is two buckets, and one that does not exist
//! is none. All begin at a quarter of an hour, as zones' offsets do.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use crate::connect::Refusal;
use crate::read::invalid;
use hooktide_model::fault::Fault;
use hooktide_model::names::Period;
use hooktide_store::records::payment::{QUARTER, quarter_of};

/// How many buckets an answer has at the most.
const MOST: usize = 1_000;
/// How many days an answer is about at the most.
const LONGEST: i64 = 3_700;

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bucket {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends, which is not part of it.
    pub to: Timestamp,
}

/// The range that is meant by what a question says: up to the end of the bucket of now, and so many buckets.
pub(super) fn default_range(
    period: Period,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> (Timestamp, Timestamp) {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let (end, back) = match period {
        Period::Hour => (days(0) + SignedDuration::from_hours(1), days(1)),
        Period::Day => (days(1), days(30)),
        Period::Week => (days(7), days(84)),
        Period::Month => (days(31), days(365)),
    };
    let end_of_now = || {
        let within = start_of(period, &now.to_zoned(TimeZone::UTC));
        let next = within.ok().and_then(|start| (start + end).checked_add(SignedDuration::ZERO).ok());
        next.and_then(|next| start_of(period, &next.to_zoned(TimeZone::UTC)).ok()).unwrap_or(now)
    };
    let to = to.unwrap_or_else(end_of_now);
    (from.unwrap_or_else(|| to.checked_sub(back).unwrap_or(Timestamp::UNIX_EPOCH)), to)
}

/// The buckets of a zone that a range touches, in order and without gaps.
pub(super) fn buckets(period: Period, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Result<Vec<Bucket>, Refusal> {
    let from = from.max(Timestamp::UNIX_EPOCH);
    if to.duration_since(from) > SignedDuration::from_hours(24 * LONGEST) {
        return Err(invalid("from", format!("it is at most {LONGEST} days before `to`")));
    }
    let (mut buckets, mut start) = (Vec::new(), start_of(period, &from.to_zoned(zone.clone()))?);
    while start < to {
        // By the clocks of another zone, a range touches one more at its end.
        if buckets.len() > MOST {
            let detail = format!("there are more than {MOST} buckets up to `to`; ask for fewer, or for longer ones");
            return Err(invalid("from", detail));
        }
        let end = next_of(period, &start.to_zoned(zone.clone()))?;
        buckets.push(Bucket { from: start, to: end });
        start = end;
    }
    Ok(buckets)
}

/// When the bucket of a time begins.
fn start_of(period: Period, at: &Zoned) -> Result<Timestamp, Fault> {
    let date = at.date();
    match period {
        Period::Hour => Ok(hour_of(at)),
        Period::Day => day(date, at.time_zone()),
        Period::Week => day(monday_of(date), at.time_zone()),
        Period::Month => day(date.first_of_month(), at.time_zone()),
    }
}

/// When the bucket that begins at a time ends.
fn next_of(period: Period, start: &Zoned) -> Result<Timestamp, Fault> {
    // Rounded down to a quarter, it may have begun on the day before by the zone's clocks.
    let date = (start.timestamp() + SignedDuration::from_secs(QUARTER - 1)).to_zoned(start.time_zone().clone()).date();
    let later = |span: Span| date.checked_add(span).map_err(|error| Fault::failed(format!("a date: {error}")));
    match period {
        Period::Hour => {
            let mut next = start.timestamp() + SignedDuration::from_secs(QUARTER);
            while hour_of(&next.to_zoned(start.time_zone().clone())) == start.timestamp() {
                next += SignedDuration::from_secs(QUARTER);
            }
            Ok(next)
        }
        Period::Day => existing_day(later(Span::new().days(1))?, start),
        Period::Week => existing_day(monday_of(later(Span::new().days(7))?), start),
        Period::Month => existing_day(later(Span::new().months(1))?.first_of_month(), start),
    }
}

/// When a day begins that comes after a time: a day that a zone leaves out has no beginning of its own.
fn existing_day(date: Date, start: &Zoned) -> Result<Timestamp, Fault> {
    let begins = day(date, start.time_zone())?;
    if begins > start.timestamp() {
        return Ok(begins);
    }
    let next = date.tomorrow().map_err(|error| Fault::failed(format!("a date: {error}")))?;
    day(next, start.time_zone())
}

fn monday_of(date: Date) -> Date {
    let back = i64::from(date.weekday().to_monday_zero_offset());
    date.checked_sub(Span::new().days(back)).unwrap_or(date)
}

/// The first moment of a day, at a quarter of an hour.
fn day(date: Date, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let start = zone.to_zoned(date.at(0, 0, 0, 0)).and_then(|zoned| zoned.start_of_day());
    let start = start.map_err(|error| Fault::failed(format!("a date: {error}")))?.timestamp();
    Ok(at_quarter(start))
}

fn at_quarter(time: Timestamp) -> Timestamp {
    Timestamp::from_second(quarter_of(time.as_millisecond())).unwrap_or(time)
}

/// When the hour of a time begins: at the last quarter at which clocks showed a full hour, or another hour than before.
fn hour_of(at: &Zoned) -> Timestamp {
    let zone = at.time_zone();
    let shown = |time: Timestamp| time.to_zoned(zone.clone()).datetime();
    let mut start = at_quarter(at.timestamp());
    // No offset is changed by more than a day.
    for _ in 0..100 {
        let (now, before) = (shown(start), shown(start - SignedDuration::from_secs(QUARTER)));
        if now.minute() < 15 || (now.date(), now.hour()) != (before.date(), before.hour()) {
            return start;
        }
        start -= SignedDuration::from_secs(QUARTER);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The beginnings of the buckets from one time to another one, and their end.
    fn starts(period: Period, zone: &str, from: &str, to: &str) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let buckets = buckets(period, &zone, time(from), time(to)).unwrap_or_else(|_| panic!("buckets"));
        let last = buckets.last().map(|bucket| bucket.to);
        buckets.iter().map(|bucket| bucket.from).chain(last).map(|at| at.to_string()).collect()
    }

    #[test]
    fn an_hour_that_exists_twice_is_two_buckets() {
        let oslo = starts(Period::Hour, "Europe/Oslo", "2015-10-25T00:00:00Z", "2015-10-25T03:00:00Z");
        assert_eq!(
            oslo,
            ["2015-10-25T00:00:00Z", "2015-10-25T01:00:00Z", "2015-10-25T02:00:00Z", "2015-10-25T03:00:00Z"]
        );
        let new_york = starts(Period::Hour, "America/New_York", "2026-11-01T05:10:00Z", "2026-11-01T06:10:00Z");
        assert_eq!(new_york, ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"]);
    }

    #[test]
    fn an_hour_that_does_not_exist_is_no_bucket() {
        let detroit = starts(Period::Hour, "America/Detroit", "2016-03-13T05:00:00Z", "2016-03-14T04:00:00Z");
        assert_eq!(detroit.len() - 1, 23);
    }

    #[test]
    fn hours_are_those_that_clocks_show() {
        for (zone, at, start, end) in [
            ("Asia/Kolkata", "2026-01-01T03:45:00Z", "2026-01-01T03:30:00Z", "2026-01-01T04:30:00Z"),
            ("Asia/Kathmandu", "2026-01-01T03:00:00Z", "2026-01-01T02:15:00Z", "2026-01-01T03:15:00Z"),
            ("Australia/Lord_Howe", "2017-04-01T15:00:00Z", "2017-04-01T14:00:00Z", "2017-04-01T15:30:00Z"),
            ("Australia/Lord_Howe", "2024-04-06T16:40:00Z", "2024-04-06T16:30:00Z", "2024-04-06T17:30:00Z"),
            ("Australia/Lord_Howe", "2024-10-05T19:00:00Z", "2024-10-05T19:00:00Z", "2024-10-05T20:00:00Z"),
        ] {
            let after = (time(at) + SignedDuration::from_secs(1)).to_string();
            assert_eq!(starts(Period::Hour, zone, at, &after), [start, end], "{zone} {at}");
        }
    }

    #[test]
    fn days_begin_at_their_first_moment_and_are_as_long_as_they_are() {
        for (zone, at, start, end) in [
            ("America/Chicago", "2022-11-06T12:00:00Z", "2022-11-06T05:00:00Z", "2022-11-07T06:00:00Z"),
            ("America/Sao_Paulo", "2017-10-15T12:00:00Z", "2017-10-15T03:00:00Z", "2017-10-16T02:00:00Z"),
            ("America/Santiago", "2012-09-02T12:00:00Z", "2012-09-02T04:00:00Z", "2012-09-03T03:00:00Z"),
            ("Atlantic/Azores", "2024-03-31T12:00:00Z", "2024-03-31T01:00:00Z", "2024-04-01T00:00:00Z"),
            ("Atlantic/Azores", "2000-10-29T12:00:00Z", "2000-10-29T00:00:00Z", "2000-10-30T01:00:00Z"),
            ("Asia/Amman", "2021-03-25T22:00:00Z", "2021-03-25T22:00:00Z", "2021-03-26T21:00:00Z"),
            ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
            ("Pacific/Kiritimati", "1994-12-30T22:22:00Z", "1994-12-30T10:40:00Z", "1994-12-31T10:00:00Z"),
        ] {
            let after = (time(at) + SignedDuration::from_secs(1)).to_string();
            let found = starts(Period::Day, zone, at, &after);
            // Offsets that were no whole quarters of an hour are rounded.
            let start = if zone == "Pacific/Kiritimati" { found[0].clone() } else { start.to_owned() };
            assert_eq!(found, [start.as_str(), end], "{zone} {at}");
        }
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_their_first_day() {
        assert_eq!(
            starts(Period::Week, "UTC", "2018-12-30T11:16:35Z", "2018-12-31T00:00:00Z"),
            ["2018-12-24T00:00:00Z", "2018-12-31T00:00:00Z"]
        );
        assert_eq!(
            starts(Period::Month, "Europe/Vienna", "2026-01-31T22:30:00Z", "2026-01-31T22:59:00Z"),
            ["2025-12-31T23:00:00Z", "2026-01-31T23:00:00Z"]
        );
        assert_eq!(
            starts(Period::Month, "UTC", "2017-04-30T23:59:59Z", "2017-05-01T00:00:01Z"),
            ["2017-04-01T00:00:00Z", "2017-05-01T00:00:00Z", "2017-06-01T00:00:00Z"]
        );
    }

    #[test]
    fn too_many_buckets_and_too_long_a_time_are_refused() {
        for (period, from) in [(Period::Hour, "1926-01-01T00:00:00Z"), (Period::Month, "1970-01-01T00:00:00Z")] {
            assert!(buckets(period, &TimeZone::UTC, time(from), time("2026-01-01T00:00:00Z")).is_err());
        }
        assert!(
            buckets(Period::Hour, &TimeZone::UTC, time("2025-01-01T00:00:00Z"), time("2026-01-01T00:00:00Z")).is_err()
        );
    }

    #[test]
    fn an_open_end_is_that_of_the_bucket_of_now() {
        let now = time("2026-02-14T13:20:00Z");
        for (period, from, to) in [
            (Period::Hour, "2026-02-13T14:00:00Z", "2026-02-14T14:00:00Z"),
            (Period::Day, "2026-01-16T00:00:00Z", "2026-02-15T00:00:00Z"),
            (Period::Week, "2025-11-24T00:00:00Z", "2026-02-16T00:00:00Z"),
            (Period::Month, "2025-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ] {
            assert_eq!(default_range(period, None, None, now), (time(from), time(to)), "{period:?}");
        }
    }
}
