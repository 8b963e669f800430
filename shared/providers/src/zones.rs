//! Time zones by their names in the IANA database, whose copy is a part of the program: no host has to have one.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The zone of a name of the IANA database, in any case of its letters.
pub(crate) fn by_name(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The names of all zones.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let names: Vec<String> = TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    names.into_iter()
}

/// The time at which a clock on the wall shows this. What the clock skips is moved forward by as much as is skipped, and the
/// first of two is taken (RFC 5545, section 3.3.5).
pub(crate) fn time_of(zone: &TimeZone, clock: DateTime) -> Timestamp {
    let beyond = if clock.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_ambiguous_timestamp(clock).compatible().unwrap_or(beyond)
}

/// The time at which a day begins.
pub(crate) fn beginning(zone: &TimeZone, day: Date) -> Timestamp {
    time_of(zone, day.to_datetime(jiff::civil::Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_a_clock_skips_is_moved_forward_and_the_first_of_two_is_taken() {
        let cases = "Europe/Berlin 2026-03-29T01:59:59 2026-03-29T00:59:59Z \
                     Europe/Berlin 2026-03-29T02:30:00 2026-03-29T01:30:00Z \
                     Europe/Berlin 2026-03-29T03:00:00 2026-03-29T01:00:00Z \
                     europe/berlin 2026-10-25T02:30:00 2026-10-25T00:30:00Z \
                     America/New_York 2026-03-08T02:30:00 2026-03-08T07:30:00Z \
                     America/New_York 2026-11-01T01:30:00 2026-11-01T05:30:00Z \
                     Australia/Lord_Howe 2026-10-04T02:15:00 2026-10-03T15:45:00Z \
                     America/Sao_Paulo 2018-11-04T00:00:00 2018-11-04T03:00:00Z";
        let words: Vec<&str> = cases.split(' ').collect();
        for case in words.chunks(3) {
            let [zone, clock, expected] = case else { panic!("{case:?}") };
            let zone = by_name(zone).unwrap();
            assert_eq!(time_of(&zone, clock.parse().unwrap()).to_string(), *expected, "{clock}");
        }
        assert!(by_name("Middle/Earth").is_none());
        assert!(names().count() > 400);
    }
}
