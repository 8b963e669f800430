//! Where a reading is: the cursor, as compact JSON.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::lenient::Lenient;
use crate::protocols::cursor;
use crate::{Next, Page, Refusal};

/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 4 * 1024;
/// How long the ids of deleted series are together that later pages know of, in bytes.
const MOST_ENDED: usize = 8 * 1024;
/// How often changes are begun anew because a page is no longer kept, until everything is read in place of them.
const MOST_RESTARTS: u8 = 3;

/// Where a reading is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// The token since which changes are read; absent where everything is.
    pub(super) sync: Option<String>,
    /// The token of the next page.
    pub(super) page: Option<String>,
    /// How often it was begun anew.
    restarts: u8,
    /// The series that this reading has reported as deleted: their occurrences may be on later pages.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) ended: BTreeSet<String>,
}

impl Place {
    /// The same, with more series that are deleted, as far as there is room.
    pub(super) fn with_ended(&self, ids: impl Iterator<Item = String>) -> Self {
        let mut place = self.clone();
        let mut room = MOST_ENDED.saturating_sub(place.ended.iter().map(String::len).sum());
        for id in ids {
            if id.len() > room {
                break;
            }
            room -= id.len();
            place.ended.insert(id);
        }
        place
    }

    /// The parameters that lead there.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [("syncToken", &self.sync), ("pageToken", &self.page)];
        named.into_iter().filter_map(|(name, token)| Some((name, token.as_deref()?)))
    }

    /// The way on: to the next page, or from the last one on to later changes.
    pub(super) fn next(&self, page: Lenient<String>, sync: Lenient<String>) -> Result<Next, Refusal> {
        if page.is_there() {
            let page = Some(token(page)?);
            if page == self.page {
                return Err(Refusal::Unreadable("the same page again"));
            }
            return Ok(Next::More(cursor::write(&Self { page, ..self.clone() })));
        }
        if !sync.is_there() {
            return Err(Refusal::Unreadable("a list that neither goes on nor ends"));
        }
        Ok(Next::Done(cursor::write(&Self { sync: Some(token(sync)?), ..Self::default() })))
    }

    /// The beginning, once more, where a page is no longer kept. There is nothing to read in place of everything.
    pub(super) fn over(&self, refusal: Refusal) -> Result<Page, Refusal> {
        let goes_on = self.sync.is_none() || self.restarts < MOST_RESTARTS;
        if refusal != Refusal::Expired || self.page.is_none() || !goes_on {
            return Err(refusal);
        }
        let begun = Self { page: None, restarts: self.restarts.saturating_add(1), ..self.clone() };
        Ok(Page::of(Vec::new(), Next::More(cursor::write(&begun))))
    }
}

fn token(token: Lenient<String>) -> Result<String, Refusal> {
    let fits = |token: &String| (1..=LONGEST_TOKEN).contains(&token.len()) && !token.chars().any(char::is_control);
    token.read().filter(fits).ok_or(Refusal::Unreadable("a token of a list that is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Lenient<String> {
        Lenient::Read(text.to_owned())
    }

    fn place(next: Next) -> Place {
        match next {
            Next::More(text) | Next::Done(text) => {
                assert!(text.len() < 32 * 1024);
                cursor::read(Some(&text))
            }
        }
    }

    #[test]
    fn a_list_goes_on_until_it_gives_a_token_for_its_changes() {
        let first = Place::default();
        let second = place(first.next(read("a"), Lenient::Missing).unwrap());
        assert_eq!(second.parameters().collect::<Vec<_>>(), [("pageToken", "a")]);
        assert!(matches!(second.next(read("a"), read("s")), Err(Refusal::Unreadable("the same page again"))));
        let done = second.next(Lenient::Missing, read("s")).unwrap();
        assert!(matches!(done, Next::Done(_)));
        let changes = place(done);
        assert_eq!(changes.parameters().collect::<Vec<_>>(), [("syncToken", "s")]);
        let more = place(changes.next(read("b"), Lenient::Missing).unwrap());
        assert_eq!(more.parameters().collect::<Vec<_>>(), [("syncToken", "s"), ("pageToken", "b")]);
        let quotes = "\"".repeat(LONGEST_TOKEN);
        place(
            place(first.next(Lenient::Missing, read(&quotes)).unwrap()).next(read(&quotes), Lenient::Missing).unwrap(),
        );
        for (page, sync) in [
            (Lenient::Missing, Lenient::Missing),
            (Lenient::Odd, read("s")),
            (read(""), read("s")),
            (read("a\n"), read("s")),
            (read(&"a".repeat(LONGEST_TOKEN + 1)), Lenient::Missing),
            (Lenient::Missing, Lenient::Null),
        ] {
            assert!(matches!(first.next(page.clone(), sync), Err(Refusal::Unreadable(_))), "{page:?}");
        }
    }

    #[test]
    fn deleted_series_are_known_on_later_pages_as_far_as_there_is_room() {
        let ids = (0..1_000).map(|number| format!("{number:064}"));
        let known = Place::default().with_ended(ids).with_ended(["b".repeat(1_000)].into_iter());
        assert_eq!(known.ended.len(), MOST_ENDED / 64);
        let second = place(known.next(read("a"), Lenient::Missing).unwrap());
        assert_eq!(second.ended, known.ended);
        assert_eq!(place(second.next(Lenient::Missing, read("s")).unwrap()).ended.len(), 0);
    }

    #[test]
    fn a_page_that_is_no_longer_kept_begins_the_list_anew() {
        let everything = Place { page: Some("a".into()), restarts: 200, ..Place::default() };
        let begun = place(everything.over(Refusal::Expired).unwrap().next);
        assert_eq!((begun.page, begun.restarts), (None, 201));
        let mut changes = Place { sync: Some("s".into()), page: Some("a".into()), ..Place::default() };
        for _ in 0..MOST_RESTARTS {
            let begun = place(changes.over(Refusal::Expired).unwrap().next);
            assert_eq!((begun.sync.as_deref(), begun.page.as_deref()), (Some("s"), None));
            changes = Place { page: Some("a".into()), ..begun };
        }
        assert_eq!(changes.over(Refusal::Expired).unwrap_err(), Refusal::Expired);
        assert_eq!(everything.over(Refusal::Invalid).unwrap_err(), Refusal::Invalid);
        assert_eq!(Place::default().over(Refusal::Expired).unwrap_err(), Refusal::Expired);
    }
}
