//! Where a reading of products is: the cursor, as compact JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::whole::Pages;
use crate::protocols::cursor;
use crate::{Next, Refusal};

/// After how many rows a list begins anew behind the last of them: it goes on to 25,000 and no further.
pub(super) const WINDOW: u32 = 20_000;
/// How many rows a list shows.
pub(super) const MOST_ROWS: u32 = 25_000;
/// How many products wait at the most: those of one page.
const MOST_WAITING: usize = 64;

/// Where a reading of products is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The time after which changes are read; absent where everything is.
    pub(super) since: Option<Timestamp>,
    /// The time from which the next reading goes on: that of the first answer of this one.
    pub(super) until: Option<Timestamp>,
    /// The product from which on the list is read, by its id.
    pub(super) from_id: Option<u64>,
    /// The time from which on the list is read.
    pub(super) from_time: Option<Timestamp>,
    /// The token of the next page.
    pub(super) after: Option<String>,
    /// How many rows this list had.
    pub(super) rows: u32,
    /// Products that have more than a page of a list shows, and are read one by one.
    pub(super) waiting: Vec<u64>,
    /// The pages of the product that is read on its own now.
    pub(super) pages: Pages,
    /// Whether the list of products is read.
    pub(super) ended: bool,
    /// The token of the next page of deletions, if there is one.
    pub(super) erased: Option<String>,
}

impl Place {
    /// Whether nothing of the reading was read yet.
    pub(super) fn begins(&self) -> bool {
        self.until.is_none()
    }

    /// Lets a product wait until it is read on its own.
    pub(super) fn wait(&mut self, id: u64) -> Result<(), Refusal> {
        if self.waiting.len() >= MOST_WAITING {
            return Err(Refusal::Unreadable("a page has more products than were asked for"));
        }
        self.waiting.push(id);
        Ok(())
    }

    /// Goes on from the product that was read on its own.
    pub(super) fn go_on(&mut self) {
        self.waiting.remove(0);
        self.pages = Pages::default();
    }

    /// Goes on to the page of that token, or to a new list behind `last`, the greatest id and the latest time of this page.
    pub(super) fn turn(
        &mut self,
        token: Option<String>,
        rows: u32,
        (id, time): (Option<u64>, Option<Timestamp>),
    ) -> Result<(), Refusal> {
        let Some(token) = token else {
            (self.ended, self.after) = (true, None);
            return Ok(());
        };
        self.rows = self.rows.saturating_add(rows);
        let goes_on = id > self.from_id && id.is_some() || time > self.from_time && time.is_some();
        if self.rows >= WINDOW && goes_on {
            (self.from_id, self.from_time) = (id, time);
            (self.after, self.rows) = (None, 0);
            return Ok(());
        }
        if self.rows >= MOST_ROWS {
            // More changed at one time than a list shows. The list of everything goes by ids.
            return Err(Refusal::Expired);
        }
        self.after = Some(token);
        Ok(())
    }

    /// The way on: the next step, or the cursor after a reading that is complete.
    pub(super) fn next(&self) -> Next {
        if !self.waiting.is_empty() || !self.ended || self.erased.is_some() {
            return Next::More(cursor::write(self));
        }
        Next::Done(cursor::write(&Self { since: self.until.or(self.since), ..Self::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u32) -> Option<String> {
        Some(number.to_string())
    }

    #[test]
    fn a_cursor_is_bounded_and_reads_back() {
        let mut place = Place { until: Some(Timestamp::UNIX_EPOCH), ..Place::default() };
        (0..u64::try_from(MOST_WAITING).unwrap()).for_each(|id| place.wait(u64::MAX - id).unwrap());
        assert!(place.wait(1).is_err());
        (place.after, place.erased) = (Some("x".repeat(2048)), Some("y".repeat(2048)));
        place.pages = Pages::longest();
        let Next::More(text) = place.next() else { panic!("there is more") };
        assert!(text.len() < 32 * 1024);
        assert_eq!(cursor::read::<Place>(Some(&text)), place);
        for odd in ["", "7", "<html>", r#"{"since":"never"}"#] {
            assert_eq!(cursor::read::<Place>(Some(odd)), Place::default(), "{odd}");
        }
    }

    #[test]
    fn a_list_begins_anew_before_it_ends_by_itself() {
        let mut place = Place::default();
        let mut windows = Vec::new();
        for page in 1..=5_000 {
            place.turn(token(page), 16, (Some(u64::from(page) * 16), None)).unwrap();
            if place.after.is_none() {
                windows.push((page, place.from_id));
            }
        }
        assert_eq!(windows[..2], [(1_250, Some(20_000)), (2_500, Some(40_000))]);
        place.turn(None, 3, (None, None)).unwrap();
        assert!(place.ended);
    }

    #[test]
    fn what_changed_at_one_time_is_read_as_far_as_a_list_goes() {
        let at = Some(Timestamp::UNIX_EPOCH);
        let mut place = Place { from_time: at, ..Place::default() };
        let mut pages = 0;
        while place.turn(token(pages), 100, (None, at)).is_ok() {
            pages += 1;
        }
        assert_eq!(pages, 249);
        assert_eq!(place.turn(token(pages), 100, (None, at)), Err(Refusal::Expired));
    }

    #[test]
    fn a_reading_is_done_once_nothing_waits() {
        let until = Some(Timestamp::UNIX_EPOCH);
        let ended = Place { until, ended: true, ..Place::default() };
        assert!(matches!(ended.next(), Next::Done(_)));
        for place in [
            Place { waiting: vec![7], ..ended.clone() },
            Place { ended: false, ..ended.clone() },
            Place { erased: Some("a".to_owned()), ..ended.clone() },
        ] {
            assert!(matches!(place.next(), Next::More(_)), "{place:?}");
        }
    }
}
