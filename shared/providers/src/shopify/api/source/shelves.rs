//! Where a reading of the stock is: the cursor, as compact JSON. Levels are listed by location, and no list shows more than
//! 25,000 rows, so a long one begins anew behind the last inventory item of a window.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::place::{MOST_ROWS, WINDOW};
use crate::protocols::cursor;
use crate::{Next, Refusal};

/// Where a reading of the stock is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The time after which changes are read; absent where everything is.
    pub(super) since: Option<Timestamp>,
    /// The time from which the next reading goes on: that of the first answer of this one.
    pub(super) until: Option<Timestamp>,
    /// The token of the next page of locations.
    pub(super) after: Option<String>,
    /// Locations that have more levels than were read.
    pub(super) waiting: Vec<Shelf>,
    /// Whether the list of locations is read.
    pub(super) ended: bool,
}

/// A location whose levels are read, page by page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shelf {
    /// The location.
    pub(super) location: u64,
    /// The token of the next page of its levels.
    pub(super) after: Option<String>,
    /// The inventory item behind which the list of its levels begins.
    pub(super) from: Option<u64>,
    /// The last inventory item of this list so far.
    last: Option<u64>,
    /// Whether the list goes by other than the items.
    is_mixed: bool,
    /// How many rows this list had.
    rows: u32,
}

impl Place {
    /// The way on: the next step, or the cursor after a reading that is complete.
    pub(super) fn next(&self) -> Next {
        if !self.waiting.is_empty() || !self.ended {
            return Next::More(cursor::write(self));
        }
        Next::Done(cursor::write(&Self { since: self.until.or(self.since), ..Self::default() }))
    }
}

impl Shelf {
    /// A location of which nothing was read yet.
    pub(super) fn new(location: u64) -> Self {
        Self { location, ..Self::default() }
    }

    /// Goes on after a page with levels of these `items`, to the page of that token or to a new list behind the last of them;
    /// `None` where nothing is left.
    pub(super) fn turn(mut self, token: Option<String>, rows: u32, items: &[u64]) -> Result<Option<Self>, Refusal> {
        for item in items {
            self.is_mixed |= Some(*item) <= self.last.or(self.from);
            self.last = self.last.max(Some(*item));
        }
        let Some(token) = token else { return Ok(None) };
        self.rows = self.rows.saturating_add(rows);
        if self.rows >= WINDOW && !self.is_mixed && self.last > self.from {
            return Ok(Some(Self { from: self.last, ..Self::new(self.location) }));
        }
        if self.rows >= MOST_ROWS {
            // Shopify documents no order of this list, and a window needs that of the items.
            return Err(Refusal::Unreadable(
                "a location has over 25,000 levels, which it does not list by their items",
            ));
        }
        Ok(Some(Self { after: Some(token), ..self }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> Option<String> {
        Some(number.to_string())
    }

    #[test]
    fn a_cursor_is_bounded_and_reads_back() {
        let (from, last) = (Some(u64::MAX - 1), Some(u64::MAX));
        let after = Some("x".repeat(2048));
        let shelf = Shelf { location: u64::MAX, after: after.clone(), from, last, is_mixed: true, rows: u32::MAX };
        let now = Some(Timestamp::UNIX_EPOCH);
        let place = Place { since: now, until: now, after, waiting: vec![shelf; 8], ended: true };
        let Next::More(text) = place.next() else { panic!("there is more") };
        assert!(text.len() < 32 * 1024);
        assert_eq!(cursor::read::<Place>(Some(&text)), place);
        for odd in ["", "7"] {
            assert_eq!(cursor::read::<Place>(Some(odd)), Place::default(), "{odd}");
        }
        // Before there were windows, a location was written with its token alone: it goes on from there.
        let former = r#"{"until":"2026-11-28T12:00:00Z","waiting":[[7,"token"]]}"#;
        let shelf = Shelf { after: Some("token".to_owned()), ..Shelf::new(7) };
        assert_eq!(cursor::read::<Place>(Some(former)).waiting, [shelf]);
    }

    #[test]
    fn a_long_list_is_read_by_windows_of_items_and_each_level_once() {
        let (mut shelf, mut read, mut windows) = (Shelf::new(7), 0_u64, Vec::new());
        loop {
            // 45,003 levels, of items 10, 20, 30 and so on.
            let from = shelf.from.unwrap_or_default();
            let page: Vec<u64> =
                (read + 1..=45_003).map(|item| item * 10).filter(|item| *item > from).take(80).collect();
            read += u64::try_from(page.len()).unwrap();
            let more = (read < 45_003).then(|| token(read)).flatten();
            let Some(next) = shelf.turn(more, 80, &page).unwrap() else { break };
            if next.after.is_none() {
                windows.push((read, next.from));
            }
            assert_eq!(next.location, 7);
            shelf = next;
        }
        assert_eq!(windows, [(20_000, Some(200_000)), (40_000, Some(400_000))]);
        assert_eq!(read, 45_003);
    }

    #[test]
    fn a_list_in_another_order_goes_as_far_as_it_is_shown_and_no_level_is_left_out_in_silence() {
        for items in [[5, 4], [4, 4], [9, 3]] {
            let mut shelf = Shelf::new(7);
            let mut pages = 0;
            let refused = loop {
                match shelf.clone().turn(token(pages), 80, &items) {
                    Ok(next) => shelf = next.expect("there is more"),
                    Err(refused) => break refused,
                }
                pages += 1;
            };
            assert!(matches!(refused, Refusal::Unreadable(_)), "{refused:?}");
            assert_eq!((pages, shelf.from), (312, None), "{items:?}");
            assert_eq!(shelf.turn(None, 40, &items), Ok(None), "what ends in time is read");
        }
    }

    #[test]
    fn a_reading_is_done_once_nothing_waits() {
        let until = Some(Timestamp::UNIX_EPOCH);
        let ended = Place { until, ended: true, ..Place::default() };
        assert_eq!(ended.next(), Next::Done(r#"{"since":"1970-01-01T00:00:00Z"}"#.to_owned()));
        for place in [Place { waiting: vec![Shelf::new(7)], ..ended.clone() }, Place { ended: false, ..ended }] {
            assert!(matches!(place.next(), Next::More(_)), "{place:?}");
        }
    }
}
