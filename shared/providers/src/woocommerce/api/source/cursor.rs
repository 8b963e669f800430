//! The place of a reading. All times are Unix seconds by the store's own clock.

use serde::{Deserialize, Serialize};

use super::window::{FEWEST_ROWS, MOST_ROWS};
use crate::Next;

/// How long a change may take from the date that it gets to when all of it can be read, in seconds: a store writes the date
/// first, and PHP ends most requests after that time.
const SETTLES: i64 = 30;

/// Where a reading is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The time after which changes are read; everything is read without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<i64>,
    /// The walk through the lists, if one is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) walk: Option<Walk>,
    /// The products that are read with their variations before the walk goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) waiting: Vec<Waiting>,
    /// How many rows a page has at the most, where the store did not answer in time with more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

/// A walk through the lists: what is in the bin first, since what comes back from there meanwhile would be in neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The store's time at the first answer.
    pub(super) began: Option<i64>,
    /// The newest date that was seen.
    pub(super) newest: Option<i64>,
    /// The list.
    pub(super) list: List,
    /// How many rows of the list were seen.
    pub(super) covered: u64,
    /// The id of the last row that was seen.
    pub(super) last: u64,
    /// How often the walk went back for rows that may have moved, since it last went on.
    pub(super) backs: u8,
}

/// One of the lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum List {
    /// What is in the bin.
    #[default]
    Bin,
    /// All else.
    Shop,
    /// None any more.
    End,
}

/// A product that is to be read with its variations, and how many of them it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting(pub(super) u64, pub(super) usize);

impl Walk {
    /// Goes on to the next list.
    pub(super) fn turn(&mut self) {
        let list = match self.list {
            List::Bin => List::Shop,
            List::Shop | List::End => List::End,
        };
        *self = Self { list, covered: 0, last: 0, backs: 0, ..self.clone() };
    }

    /// Notes a date that was seen.
    pub(super) fn saw(&mut self, date: i64) {
        self.newest = self.newest.max(Some(date));
    }

    /// The time that changes are read after, once this walk is complete: what it may not have seen, or not in full, is later.
    fn watermark(&self, since: Option<i64>) -> Option<i64> {
        let settled = self.began? - SETTLES;
        let seen = self.newest.or(since).map_or(settled, |newest| newest.min(settled));
        since.max(Some(seen))
    }
}

impl Cursor {
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// How many rows a page has at the most.
    pub(super) fn rows(&self) -> u64 {
        self.rows.map_or(MOST_ROWS, |rows| rows.clamp(FEWEST_ROWS, MOST_ROWS))
    }

    /// The same place, with half as many rows a page from there on; `None` where they are few already.
    pub(super) fn shorter(self) -> Option<String> {
        let rows = Some(self.rows() / 2).filter(|rows| *rows >= FEWEST_ROWS)?;
        Some(Self { rows: Some(rows), ..self }.text())
    }

    /// The same, with a walk that begins if none is on.
    pub(super) fn walking(self) -> Self {
        Self { walk: self.walk.or_else(|| Some(Walk::default())), ..self }
    }

    /// Notes a product that is to be read with its variations.
    pub(super) fn wait(&mut self, product: Waiting) {
        if !self.waiting.iter().any(|Waiting(id, _)| *id == product.0) {
            self.waiting.push(product);
        }
    }

    /// The way on.
    pub(super) fn next(self) -> Next {
        let ended = self.walk.as_ref().is_none_or(|walk| walk.list == List::End);
        if self.waiting.is_empty() && ended {
            let since = self.walk.as_ref().and_then(|walk| walk.watermark(self.since));
            return Next::Done(Self { since, ..Self::default() }.text());
        }
        Next::More(self.text())
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_after_what_a_complete_walk_has_settled() {
        for (began, newest, since, expected) in [
            // Idle since long: nothing is read again.
            (Some(10_000), Some(5_000), None, Some(5_000)),
            (Some(10_000), None, Some(5_000), Some(5_000)),
            // A change may still be under way.
            (Some(10_000), Some(9_999), Some(5_000), Some(9_970)),
            // A date ahead of the store's clock does not hide what comes before it.
            (Some(10_000), Some(99_999), Some(5_000), Some(9_970)),
            // The mark never goes back.
            (Some(10_000), Some(9_999), Some(9_990), Some(9_990)),
            (Some(10_000), None, None, Some(9_970)),
            (None, None, None, None),
        ] {
            let walk = Walk { began, newest, ..Walk::default() };
            assert_eq!(walk.watermark(since), expected, "{began:?} {newest:?} {since:?}");
        }
    }

    #[test]
    fn pages_are_halved_until_they_are_few_and_whole_again_for_the_next_reading() {
        let mut cursor = Cursor { since: Some(7), walk: Some(Walk::default()), ..Cursor::default() };
        for rows in [50, 25] {
            let text = cursor.shorter().expect("fewer");
            cursor = Cursor::read(&text).unwrap();
            assert_eq!((cursor.rows(), cursor.since), (rows, Some(7)));
        }
        assert_eq!(cursor.clone().shorter(), None);
        cursor.walk = Some(Walk { list: List::End, ..Walk::default() });
        let Next::Done(text) = cursor.next() else { panic!("there is more") };
        assert_eq!(Cursor::read(&text).unwrap().rows(), MOST_ROWS);
        let odd = Cursor::read(r#"{"rows":0}"#).unwrap();
        assert_eq!(odd.rows(), FEWEST_ROWS, "whatever it says");
    }

    #[test]
    fn the_longest_cursor_is_short() {
        let waiting = (0..200).map(|at| Waiting(u64::MAX - at, 2_000)).collect();
        let walk = Some(Walk { covered: u64::MAX, last: u64::MAX, began: Some(i64::MIN), ..Walk::default() });
        let cursor = Cursor { since: Some(i64::MIN), walk, waiting, rows: Some(FEWEST_ROWS) };
        assert!(cursor.text().len() < 8 * 1024);
        assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
    }
}
