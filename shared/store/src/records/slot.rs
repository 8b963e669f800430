//! Slots: where in time blocks lie whose neighbours matter, so that these are found without reading a whole calendar.

use serde::{Deserialize, Serialize};

use super::Record;
use super::block::{CalendarId, short};
use crate::key::{Area, Key, Partition};
use crate::ports::Range;
use hooktide_model::tenant::Tenant;

/// The length of a day, in seconds.
const DAY: i64 = 24 * 3600;
/// The longest time that has a slot for each of its days.
const LONGEST: i64 = 7 * DAY;
/// Makes every time that can be named a positive number of twelve digits, so that texts sort as times do.
const SHIFT: i64 = 400_000_000_000;

/// A time in a calendar, in seconds since 1970. Days count from midnight to midnight by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Whether it is whole days, which lie beside points in time.
    pub is_days: bool,
    /// The start.
    pub start: i64,
    /// The end.
    pub end: i64,
}

/// A slot: a block that begins there, or was going on at that midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The sort key of the block.
    pub block: String,
}

impl Record for Slot {
    const NAME: &'static str = "slot of a block";
}

/// The partition of a tenant's slots.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::BlockNames)
}

/// The keys of the slots of a block: one where it begins, and one for each midnight that it reaches; a single one where it is long.
pub fn keys(tenant: &Tenant, lies_in: &CalendarId, stretch: Stretch, block: &str) -> Vec<Key> {
    let [short_ones, long_ones] = prefixes(lies_in, stretch.is_days);
    let key = |place: String| partition(tenant).key(format!("{place}#{}", short(block)));
    if stretch.end.saturating_sub(stretch.start) > LONGEST {
        return vec![key(long_ones)];
    }
    let first = stretch.start.div_euclid(DAY) + 1;
    let midnights = (first..=stretch.end.div_euclid(DAY)).map(|day| day * DAY);
    [stretch.start].into_iter().chain(midnights).map(|at| key(format!("{short_ones}{:012}", at + SHIFT))).collect()
}

/// The ranges of the slots of all blocks that overlap or touch a time. They may hold others too.
pub fn near(lies_in: &CalendarId, stretch: Stretch) -> [Range; 2] {
    let [short_ones, long_ones] = prefixes(lies_in, stretch.is_days);
    let from = stretch.start.div_euclid(DAY) * DAY + SHIFT;
    let to = format!("{short_ones}{:012}#\u{10ffff}", stretch.end + SHIFT);
    [Range::Between(format!("{short_ones}{from:012}"), to), Range::Prefix(long_ones)]
}

/// The prefixes of the slots of a calendar: those of times that have one for each day, and those of long ones.
fn prefixes(lies_in: &CalendarId, is_days: bool) -> [String; 2] {
    let calendar = short(&format!("{}\n{}", lies_in.connection, lies_in.calendar));
    let kind = if is_days { "days" } else { "times" };
    [format!("slot#{calendar}#{kind}#"), format!("slot#{calendar}#long-{kind}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    /// Whether the slots of a block are among those near a time.
    fn is_near((start, end): (i64, i64), time: (i64, i64)) -> bool {
        let lies_in = CalendarId { connection: "c".to_owned(), calendar: "a".to_owned() };
        let stretch = |(start, end): (i64, i64)| Stretch { is_days: false, start: start * HOUR, end: end * HOUR };
        let keys = keys(&Tenant::parse("t").unwrap(), &lies_in, stretch((start, end)), "block");
        near(&lies_in, stretch(time)).iter().any(|range| {
            keys.iter().any(|key| match range {
                Range::Between(from, to) => (from.as_str()..=to.as_str()).contains(&key.sort()),
                Range::Prefix(prefix) => key.sort().starts_with(prefix),
                Range::All => true,
            })
        })
    }

    #[test]
    fn whatever_overlaps_or_touches_a_time_is_found_near_it() {
        let ends = [-50, -24, -1, 0, 5, 9, 10, 23, 24, 25, 48, 72, 24 * 9];
        let mut left_out = 0;
        for start in ends {
            for end in ends.into_iter().filter(|end| *end > start) {
                for from in ends {
                    for to in ends.into_iter().filter(|to| *to > from) {
                        let found = is_near((start, end), (from, to));
                        assert!(found || end < from || to < start, "{start} to {end} near {from} to {to}");
                        left_out += usize::from(!found);
                    }
                }
            }
        }
        assert!(left_out > 1_000, "not everything is near: {left_out}");
    }

    #[test]
    fn days_lie_beside_times_and_a_long_time_has_one_slot() {
        let lies_in = CalendarId { connection: "c".to_owned(), calendar: "a".to_owned() };
        let count = |days: i64| {
            let stretch = Stretch { is_days: true, start: 0, end: days * DAY };
            keys(&Tenant::parse("t").unwrap(), &lies_in, stretch, "block").len()
        };
        assert_eq!([1, 7, 8, 10_000].map(count), [2, 8, 1, 1]);
        let [days, times] = [true, false].map(|is_days| near(&lies_in, Stretch { is_days, start: 0, end: DAY }));
        assert!(days.iter().zip(&times).all(|(days, times)| days != times));
    }
}
