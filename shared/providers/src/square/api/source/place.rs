//! Where a reading is: the cursor, as compact JSON.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::protocols::cursor;
use crate::{Next, Reach, Refusal};

/// The longest token of a page, in bytes.
const LONGEST_PAGE: usize = 8 * 1024;
/// The longest list of images that is kept, in ids and in the bytes of one.
const MOST_IMAGES: (usize, usize) = (200, 64);
/// How often a reading starts over because a page is no longer kept.
const MOST_RESTARTS: u8 = 3;

/// Where a reading is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The time after which changes are read; absent where everything is.
    pub(super) since: Option<Timestamp>,
    /// The time from which the next reading goes on, by the first page of this one.
    pub(super) until: Option<Timestamp>,
    /// The token of the next page.
    pub(super) page: Option<String>,
    /// How often it started over.
    pub(super) restarts: u8,
    /// The item that a variation led to.
    pub(super) item: Option<String>,
    /// Images that changed, without an item that has them so far.
    pub(super) images: Vec<String>,
    /// Whether the items that have these images are looked for.
    pub(super) looks: bool,
    /// Whether more images changed than are kept, so that every item may have one.
    pub(super) any: bool,
}

impl Place {
    /// Whether this is the first page of a reading.
    pub(super) fn begins(&self) -> bool {
        self.page.is_none() && !self.looks
    }

    /// The next page, if its token is a new one.
    pub(super) fn turn(&self, page: String) -> Result<Self, Refusal> {
        if page.len() > LONGEST_PAGE {
            return Err(Refusal::Unreadable("the token of a page is too long"));
        }
        if self.page.as_ref() == Some(&page) {
            return Err(Refusal::Unreadable("the same page again"));
        }
        Ok(Self { page: Some(page), ..self.clone() })
    }

    /// The cursor after a reading that is complete.
    pub(super) fn done(&self) -> Next {
        Next::Done(cursor::write(&Self { since: self.until.or(self.since), ..Self::default() }))
    }

    /// The beginning of the reading, once more, where a page is no longer kept. After a few times everything is read in place
    /// of the changes; there is nothing in place of everything.
    pub(super) fn over(&self, reach: Reach<'_>) -> Result<Next, Refusal> {
        let goes_on = self.restarts < MOST_RESTARTS || reach == Reach::Everything;
        if self.begins() || !goes_on {
            return Err(Refusal::Expired);
        }
        let restarts = self.restarts.saturating_add(1);
        Ok(Next::More(cursor::write(&Self { since: self.since, restarts, ..Self::default() })))
    }

    /// Keeps an image that changed.
    pub(super) fn keep_image(&mut self, id: String) {
        if self.images.len() < MOST_IMAGES.0 && id.len() <= MOST_IMAGES.1 {
            self.images.push(id);
        } else {
            self.any = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_bounded_and_reads_back() {
        let mut place =
            Place { since: Some(Timestamp::UNIX_EPOCH), page: Some("x".repeat(LONGEST_PAGE)), ..Place::default() };
        (0..1_000).for_each(|number| place.keep_image(format!("{number:064}")));
        assert!(cursor::write(&place).len() < 32 * 1024);
        assert_eq!(cursor::read::<Place>(Some(&cursor::write(&place))), place);
        assert!(place.any && place.images.len() == MOST_IMAGES.0);
        for odd in ["", "7", "null", "<html>", r#"{"since":"never"}"#] {
            assert_eq!(cursor::read::<Place>(Some(odd)), Place::default(), "{odd}");
        }
    }

    #[test]
    fn the_same_page_is_not_read_twice() {
        let place = Place::default().turn("a".to_owned()).unwrap();
        assert!(matches!(place.turn("a".to_owned()), Err(Refusal::Unreadable(_))));
        assert!(matches!(place.turn("x".repeat(LONGEST_PAGE + 1)), Err(Refusal::Unreadable(_))));
        assert_eq!(place.turn("b".to_owned()).unwrap().page.as_deref(), Some("b"));
    }

    #[test]
    fn a_reading_starts_over_a_few_times_only() {
        let mut place = Place { since: Some(Timestamp::UNIX_EPOCH), ..Place::default() };
        assert_eq!(place.over(Reach::Changes), Err(Refusal::Expired), "there was no page");
        for _ in 0..MOST_RESTARTS {
            let Ok(Next::More(next)) = place.turn("a".to_owned()).unwrap().over(Reach::Changes) else {
                panic!("it starts over")
            };
            place = cursor::read(Some(&next));
            assert_eq!((place.since, place.page.as_deref()), (Some(Timestamp::UNIX_EPOCH), None));
        }
        let turned = place.turn("a".to_owned()).unwrap();
        assert_eq!(turned.over(Reach::Changes), Err(Refusal::Expired));
        assert!(turned.over(Reach::Everything).is_ok(), "there is nothing else to read");
    }
}
