//! Where a reading is: the cursor, as compact JSON. It has the window that the round was begun with, since nothing can be read of
//! Graph's links.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::window::Window;
use crate::{Next, Page, Refusal};

/// How often changes are begun anew because a page is no longer kept, until everything is read in place of them.
const MOST_RESTARTS: u8 = 3;
/// How long the ids of series are together that wait, and that were asked for, in bytes each.
const MOST_SERIES: (usize, usize) = (12 * 1024, 8 * 1024);
/// How many series are asked for in one step.
const AT_ONCE: usize = 4;
/// How many events a page has, and how many at the least where answers were too slow or too large.
const PAGE: (u16, u16) = (100, 5);

/// Where a reading is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The window of the round.
    pub(super) window: Window,
    /// The link to what is read next, below the API's address. A round begins without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<String>,
    /// Whether this round reads what changed, and not the window from its beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_later: bool,
    /// Whether the link is that of the next round: only series are left to be asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_read: bool,
    /// How many events a page of this round has, if fewer than usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u16>,
    /// How often the round was begun anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    restarts: u8,
    /// The series of which a page did not have everything, and that are asked for before the next page.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    waiting: BTreeSet<String>,
    /// The series that were asked for in this round: no page has everything of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    asked: BTreeSet<String>,
}

fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// Where the link of a page leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Link {
    /// To the next page of the round.
    Page(String),
    /// To the next round: this one is read.
    Round(String),
}

impl Place {
    /// The beginning of a round that reads the window of that time.
    pub(super) fn begin(now: Timestamp) -> Self {
        let (waiting, asked) = (BTreeSet::new(), BTreeSet::new());
        let window = Window::at(now);
        Self { window, link: None, is_later: false, is_read: false, size: None, restarts: 0, waiting, asked }
    }

    /// How many events a page has.
    pub(super) fn page_size(&self) -> u16 {
        self.size.unwrap_or(PAGE.0)
    }

    /// The cursor from which the round goes on with pages of half the size, unless they are as short as can be.
    pub(super) fn shorter(&self) -> Option<String> {
        let size = self.page_size() / 2;
        let can_be = self.waiting.is_empty() && size >= PAGE.1;
        can_be.then(|| written(&Self { size: Some(size), ..self.clone() }))
    }

    /// Whether a round can be where it says.
    pub(super) fn is_of_a_round(&self) -> bool {
        self.link.is_some() || !self.is_later && !self.is_read
    }

    /// The series that are asked for now.
    pub(super) fn asks_for(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().take(AT_ONCE).map(String::as_str)
    }

    /// Whether a series was asked for in this round.
    pub(super) fn has_asked_for(&self, series: &str) -> bool {
        self.asked.contains(series) || self.waiting.contains(series)
    }

    /// Lets a series wait to be asked for, unless too many do.
    pub(super) fn wait_for(&mut self, series: &str) -> bool {
        let length: usize = self.waiting.iter().map(String::len).sum();
        let has_room = length + series.len() <= MOST_SERIES.0;
        if has_room {
            self.waiting.insert(series.to_owned());
        }
        has_room
    }

    /// The way on once the series that were asked for are read.
    pub(super) fn after_series(&self, now: Timestamp) -> Next {
        let mut place = self.clone();
        let read: Vec<String> = self.asks_for().map(str::to_owned).collect();
        for series in read {
            place.waiting.remove(&series);
            let length: usize = place.asked.iter().map(String::len).sum();
            if length + series.len() <= MOST_SERIES.1 {
                place.asked.insert(series);
            }
        }
        place.next(now)
    }

    /// The way on after a page.
    pub(super) fn after_page(mut self, link: Link, now: Timestamp) -> Result<Next, Refusal> {
        let (link, is_read) = match link {
            Link::Page(link) if Some(&link) == self.link.as_ref() => {
                return Err(Refusal::Unreadable("the same page again"));
            }
            Link::Page(link) => (link, false),
            Link::Round(link) => (link, true),
        };
        (self.link, self.is_read) = (Some(link), is_read);
        Ok(self.next(now))
    }

    fn next(self, now: Timestamp) -> Next {
        if !self.is_read || !self.waiting.is_empty() {
            return Next::More(written(&self));
        }
        // What was deleted meanwhile is known by now; what is new in the window of today is not.
        if self.is_later && self.window.is_old(now) {
            return Next::More(written(&Self::begin(now)));
        }
        let later = Self { is_later: true, ..Self::begin(now) };
        Next::Done(written(&Self { window: self.window, link: self.link, ..later }))
    }

    /// The beginning, once more, where a page is no longer kept. There is nothing to read in place of everything.
    pub(super) fn over(&self, refusal: Refusal, is_everything: bool, now: Timestamp) -> Result<Page, Refusal> {
        let goes_on = is_everything || self.restarts < MOST_RESTARTS;
        if refusal != Refusal::Expired || self.is_later || self.link.is_none() || !goes_on {
            return Err(refusal);
        }
        let begun = Self { restarts: self.restarts.saturating_add(1), ..Self::begin(now) };
        Ok(Page::of(Vec::new(), Next::More(written(&begun))))
    }
}

/// The cursor of a place, whose fields always serialise.
fn written(place: &Place) -> String {
    serde_json::to_string(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    fn place(next: &Next) -> Place {
        match next {
            Next::More(text) | Next::Done(text) => {
                assert!(text.len() < 32 * 1024, "{}", text.len());
                serde_json::from_str(text).unwrap()
            }
        }
    }

    fn page(link: &str) -> Link {
        Link::Page(link.to_owned())
    }

    fn round(link: &str) -> Link {
        Link::Round(link.to_owned())
    }

    #[test]
    fn a_round_goes_on_until_it_has_the_link_of_the_next_one() {
        let first = Place::begin(now());
        let second = place(&first.clone().after_page(page("/a"), now()).unwrap());
        assert_eq!((second.link.as_deref(), second.is_later), (Some("/a"), false));
        assert!(second.clone().after_page(page("/a"), now()).is_err(), "the same page again");
        let done = second.after_page(round("/b"), now()).unwrap();
        assert!(matches!(done, Next::Done(_)));
        let later = place(&done);
        assert_eq!((later.link.as_deref(), later.is_later, later.window), (Some("/b"), true, first.window));
        let again = later.clone().after_page(round("/b"), now()).unwrap();
        assert_eq!(again, done, "nothing changed, so the link is the same");
        assert_eq!(place(&later.after_page(page("/c"), now()).unwrap()).link.as_deref(), Some("/c"));
    }

    #[test]
    fn a_window_that_is_old_is_read_to_its_end_before_another_begins() {
        let done = Place::begin(now()).after_page(round("/b"), now()).unwrap();
        let (later, two_days) = (place(&done), now() + jiff::SignedDuration::from_hours(48));
        let more = place(&later.clone().after_page(page("/c"), two_days).unwrap());
        assert_eq!((more.link.as_deref(), more.window), (Some("/c"), later.window), "deletions are known only there");
        let next = more.after_page(round("/d"), two_days).unwrap();
        assert!(matches!(next, Next::More(_)), "{next:?}");
        assert_eq!(place(&next), Place::begin(two_days));
        let rolled = place(&next).after_page(round("/e"), two_days).unwrap();
        assert!(matches!(rolled, Next::Done(_)), "{rolled:?}");
        assert_eq!(place(&rolled).window, Window::at(two_days));
    }

    #[test]
    fn series_are_asked_for_a_few_at_a_time_before_the_round_goes_on_or_ends() {
        let mut first = Place::begin(now());
        (0..AT_ONCE + 1).for_each(|number| assert!(first.wait_for(&number.to_string())));
        let next = first.after_page(round("/b"), now()).unwrap();
        assert!(matches!(next, Next::More(_)));
        let asking = place(&next);
        assert_eq!(asking.asks_for().count(), AT_ONCE);
        let next = asking.after_series(now());
        assert!(matches!(next, Next::More(_)));
        let asking = place(&next);
        assert_eq!(asking.asks_for().collect::<Vec<_>>(), [AT_ONCE.to_string()]);
        assert!(asking.has_asked_for("0") && asking.has_asked_for("4") && !asking.has_asked_for("5"));
        let done = asking.after_series(now());
        assert!(matches!(done, Next::Done(_)));
        assert!(!place(&done).has_asked_for("0"), "the next round is another");
        let mut full = Place::begin(now());
        let waits = (0..200).filter(|number| full.wait_for(&format!("{number:0150}"))).count();
        assert_eq!(waits, MOST_SERIES.0 / 150);
        place(&full.after_page(page(&"a".repeat(8 * 1024)), now()).unwrap());
    }

    #[test]
    fn a_page_that_is_no_longer_kept_begins_the_round_anew() {
        let read = |next: Next| place(&next);
        let fresh = Place { link: Some("/a".into()), restarts: 200, ..Place::begin(now()) };
        let begun = read(fresh.over(Refusal::Expired, true, now()).unwrap().next);
        assert_eq!((begun.link, begun.restarts), (None, 201));
        let mut changes = Place { restarts: 0, ..fresh.clone() };
        for _ in 0..MOST_RESTARTS {
            let begun = read(changes.over(Refusal::Expired, false, now()).unwrap().next);
            changes = Place { link: Some("/a".into()), ..begun };
        }
        for (place, refusal, is_everything) in [
            (&changes, Refusal::Expired, false),
            (&fresh, Refusal::Invalid, true),
            (&Place::begin(now()), Refusal::Expired, true),
            (&Place { is_later: true, ..fresh.clone() }, Refusal::Expired, false),
        ] {
            assert_eq!(place.over(refusal, is_everything, now()).unwrap_err(), refusal, "{place:?}");
        }
    }

    #[test]
    fn pages_are_halved_until_they_are_as_short_as_can_be_and_the_next_round_has_whole_ones() {
        let (mut at, mut sizes) = (Place::begin(now()), vec![]);
        while let Some(text) = at.shorter() {
            at = serde_json::from_str(&text).unwrap();
            sizes.push(at.page_size());
        }
        assert_eq!(sizes, [50, 25, 12, 6]);
        let next = at.after_page(page("/a"), now()).unwrap();
        assert_eq!(place(&next).page_size(), 6);
        assert_eq!(place(&place(&next).after_page(round("/b"), now()).unwrap()).page_size(), 100);
    }

    #[test]
    fn what_says_nothing_of_a_round_is_none() {
        let later = Place { is_later: true, ..Place::begin(now()) };
        assert!(!later.is_of_a_round() && Place::begin(now()).is_of_a_round());
        assert_eq!(serde_json::from_str::<Place>("{}").ok(), None);
    }
}
