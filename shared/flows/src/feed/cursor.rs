//! A reader's place in the feed: one position for each lane, in an opaque text.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;

/// The first byte of the text.
const FOLLOWING: u8 = 1;
/// The first byte of the text while its reader is on the way from the oldest to the end.
const FROM_OLDEST: u8 = 2;
/// How many days a reader from the oldest may rest on the way.
const REST: u32 = 1;
const SECONDS_OF_A_DAY: i64 = 24 * 3600;
/// More lanes than any deployment has.
const MOST_LANES: usize = 64;

/// A reader's place: for each lane the next position, and how many half entries of it were had (an entry may be told
/// on two channels, and a reader may be cut off between them).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The day it was given on; older than what is kept, it says nothing any more.
    day: u32,
    /// Whether its reader is on the way from the oldest to the end.
    from_oldest: bool,
    places: Vec<(u64, u32)>,
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no cursor; leave `after` out, or give the `next` of an earlier answer")]
pub struct InvalidCursor;

impl Cursor {
    /// Before the oldest that is kept.
    pub fn oldest(lanes: u8, now: Timestamp) -> Self {
        Self { day: day_of(now), from_oldest: true, places: vec![(0, 0); usize::from(lanes)] }
    }

    /// Reads a text; lanes that it does not know start at their oldest.
    pub fn parse(text: &str, lanes: u8) -> Result<Self, InvalidCursor> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidCursor)?;
        let [kind @ (FOLLOWING | FROM_OLDEST), rest @ ..] = bytes.as_slice() else { return Err(InvalidCursor) };
        let mut numbers = Vec::new();
        let mut rest = rest;
        while !rest.is_empty() {
            numbers.push(read_number(&mut rest).ok_or(InvalidCursor)?);
        }
        let [day, places @ ..] = numbers.as_slice() else { return Err(InvalidCursor) };
        if !places.len().is_multiple_of(2) || places.len() / 2 > MOST_LANES {
            return Err(InvalidCursor);
        }
        let day = u32::try_from(*day).map_err(|_| InvalidCursor)?;
        let mut places: Vec<(u64, u32)> = places
            .chunks_exact(2)
            .map(|place| Ok((place[0], u32::try_from(place[1]).map_err(|_| InvalidCursor)?)))
            .collect::<Result<_, InvalidCursor>>()?;
        if places.len() < usize::from(lanes) {
            places.resize(usize::from(lanes), (0, 0));
        }
        Ok(Self { day, from_oldest: *kind == FROM_OLDEST, places })
    }

    /// The text.
    pub fn to_text(&self) -> String {
        let mut bytes = vec![if self.from_oldest { FROM_OLDEST } else { FOLLOWING }];
        write_number(&mut bytes, u64::from(self.day));
        for (position, taken) in &self.places {
            write_number(&mut bytes, *position);
            write_number(&mut bytes, u64::from(*taken));
        }
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Whether everything before `other` is before this as well.
    pub fn reaches(&self, other: &Self) -> bool {
        (0..self.lanes().max(other.lanes())).all(|lane| self.place(lane) >= other.place(lane))
    }

    /// The place of a reader who had what is before either of both, and has read to the end.
    pub fn joined(self, other: &Self) -> Self {
        let lanes = self.lanes().max(other.lanes());
        let places = (0..lanes).map(|lane| self.place(lane).max(other.place(lane))).collect();
        Self { day: self.day.max(other.day), from_oldest: self.from_oldest && other.from_oldest, places }
    }

    pub(super) fn lanes(&self) -> u8 {
        u8::try_from(self.places.len()).unwrap_or(u8::MAX)
    }

    pub(super) fn place(&self, lane: u8) -> (u64, u32) {
        self.places.get(usize::from(lane)).copied().unwrap_or_default()
    }

    pub(super) fn at(mut self, lane: u8, position: u64, taken: u32) -> Self {
        if let Some(place) = self.places.get_mut(usize::from(lane)) {
            *place = (position, taken);
        }
        self
    }

    pub(super) fn seen_at(self, now: Timestamp) -> Self {
        Self { day: day_of(now), ..self }
    }

    /// Ends the way from the oldest, unless there is more of it.
    pub(super) fn on_the_way(self, more: bool) -> Self {
        Self { from_oldest: self.from_oldest && more, ..self }
    }

    /// Whether what is missing expired before its reader came: from the oldest on, a reader is promised what is left.
    pub(super) fn passes_over_gaps(&self, now: Timestamp) -> bool {
        self.from_oldest && self.day.saturating_add(REST) >= day_of(now)
    }

    pub(super) fn is_older_than(&self, keep: Duration, now: Timestamp) -> bool {
        let days = u32::try_from(keep.as_secs() / SECONDS_OF_A_DAY.unsigned_abs()).unwrap_or(u32::MAX);
        // What was there at the beginning of that day may have expired during the last.
        self.day.saturating_add(days) <= day_of(now)
    }
}

fn day_of(now: Timestamp) -> u32 {
    u32::try_from(now.as_second().div_euclid(SECONDS_OF_A_DAY)).unwrap_or(0)
}

/// LEB128.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(
            day in any::<u32>(),
            from_oldest in any::<bool>(),
            places in prop::collection::vec((any::<u64>(), any::<u32>()), 4..8),
        ) {
            let cursor = Cursor { day, from_oldest, places };
            prop_assert_eq!(Cursor::parse(&cursor.to_text(), 4), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_refused(text in "[A-Za-z0-9_-]{0,80}") {
            prop_assert!(Cursor::parse(&text, 4).map_or(true, |cursor| cursor.lanes() >= 4));
        }
    }

    #[test]
    fn a_cursor_ends_with_what_is_kept() {
        let day = |day: i64| Timestamp::from_second(day * SECONDS_OF_A_DAY).unwrap();
        let cursor = Cursor::oldest(4, day(100));
        let keep = Duration::from_secs(30 * 24 * 3600);
        assert!(!cursor.is_older_than(keep, day(129)));
        assert!(cursor.is_older_than(keep, day(130)));
    }

    #[test]
    fn a_reader_from_the_oldest_passes_over_gaps_until_it_comes_to_the_end_or_rests() {
        let day = |day: i64| Timestamp::from_second(day * SECONDS_OF_A_DAY).unwrap();
        let cursor = Cursor::oldest(4, day(100));
        assert!(cursor.clone().on_the_way(true).passes_over_gaps(day(101)));
        assert!(!cursor.clone().on_the_way(true).passes_over_gaps(day(102)));
        assert!(!cursor.on_the_way(false).on_the_way(true).passes_over_gaps(day(100)));
    }
}
