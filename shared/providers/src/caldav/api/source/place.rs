//! Where the reading of a calendar is: the cursor, as compact JSON.
//!
//! Everything begins with the token since which changes are, taken before the list of members, so that what changes meanwhile is
//! read once more. Members are fetched in batches. A cursor has room for some names only: where there are more, the list is asked
//! for again, and gone on with after the last name.

use serde::{Deserialize, Serialize};

use crate::protocols::cursor;
use crate::{Next, Reach, Refusal, Task};

/// How many texts are fetched at once.
const BATCH: u8 = 50;
/// How long the names that are still to be fetched are together, in bytes.
const MOST_LEFT: usize = 12 * 1024;

/// What is asked now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Step {
    /// What the calendar says of itself.
    #[default]
    Begin,
    /// The names of its members.
    List,
    /// The texts of the next ones.
    Fetch,
    /// What changed.
    Changes,
}

/// Where a reading is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    pub(super) step: Step,
    /// The token since which changes are asked for; absent where the server knows no such tokens.
    pub(super) token: Option<String>,
    /// The first token that this reading was given, from which the next one goes on.
    pub(super) next: Option<String>,
    /// The mark of the calendar's state, which changes with any of its members.
    pub(super) ctag: Option<String>,
    /// The time zone by which the calendar counts its days.
    pub(super) zone: Option<String>,
    /// The name after which the list goes on.
    pub(super) after: Option<String>,
    /// The names that are still to be fetched.
    pub(super) left: Vec<String>,
    /// Whether there are more names than these.
    pub(super) goes_on: bool,
    /// Whether the server has more changes than it told.
    pub(super) is_cut: bool,
    /// How many texts are fetched at once.
    pub(super) batch: u8,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            step: Step::Begin,
            token: None,
            next: None,
            ctag: None,
            zone: None,
            after: None,
            left: Vec::new(),
            goes_on: false,
            is_cut: false,
            batch: BATCH,
        }
    }
}

impl Place {
    /// Where the reading of a task is.
    pub(super) fn of(task: &Task<'_>) -> Self {
        cursor::read(task.cursor)
    }

    /// The same with the names that follow, as many as there is room for, in their order.
    pub(super) fn with_names(&self, names: impl Iterator<Item = String>) -> Self {
        let mut names: Vec<String> =
            names.filter(|name| self.after.as_ref().is_none_or(|after| name > after)).collect();
        names.sort();
        names.dedup();
        let mut room = MOST_LEFT;
        let has_room = |name: &&String| {
            room = room.saturating_sub(name.len() + 3);
            room > 0
        };
        // One fits at least, or the reading would not go on.
        let count = names.iter().take_while(has_room).count().max(1).min(names.len());
        let goes_on = count < names.len();
        names.truncate(count);
        Self { step: Step::Fetch, after: names.last().cloned(), left: names, goes_on, ..self.clone() }
    }

    /// The names to fetch next.
    pub(super) fn batch(&self) -> &[String] {
        &self.left[..self.left.len().min(self.batch.max(1).into())]
    }

    /// The way on once these are fetched, or nothing is to be fetched.
    pub(super) fn after_batch(&self, reach: Reach<'_>) -> Result<Next, Refusal> {
        let rest: Vec<String> = self.left.iter().skip(self.batch().len()).cloned().collect();
        let is_listing = reach == Reach::Everything;
        let again = if is_listing { Step::List } else { Step::Changes };
        if !rest.is_empty() {
            return Ok(Next::More(cursor::write(&Self { left: rest, ..self.clone() })));
        }
        let bare = Self { left: Vec::new(), goes_on: false, ..self.clone() };
        if self.goes_on {
            return Ok(Next::More(cursor::write(&Self { step: again, ..bare })));
        }
        let token = if is_listing { self.token.clone() } else { self.next.clone().or_else(|| self.token.clone()) };
        let ended = Self { step: Step::Changes, token, next: None, after: None, is_cut: false, ..bare };
        if !self.is_cut {
            return Ok(Next::Done(cursor::write(&ended)));
        }
        if ended.token == self.token {
            return Err(Refusal::Unreadable("a list of changes that is cut off at the same place again"));
        }
        Ok(Next::More(cursor::write(&ended)))
    }

    /// The same with half as many texts at once; `None` where there cannot be fewer.
    pub(super) fn shorter(&self) -> Option<String> {
        let fewer = self.step == Step::Fetch && self.batch > 1;
        fewer.then(|| cursor::write(&Self { batch: self.batch / 2, ..self.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:060}.ics")).collect()
    }

    fn place(next: Result<Next, Refusal>) -> (Place, bool) {
        match next.unwrap() {
            Next::More(text) => (cursor::read(Some(&text)), true),
            Next::Done(text) => (cursor::read(Some(&text)), false),
        }
    }

    #[test]
    fn a_long_list_is_gone_through_in_parts_that_a_cursor_has_room_for() {
        let all = names(1_000);
        let begun = Place { step: Step::List, token: Some("t".into()), ..Place::default() };
        let (mut at, mut fetched) = (begun.clone(), Vec::new());
        loop {
            at = match at.step {
                Step::List => at.with_names(all.iter().rev().cloned()),
                _ => at,
            };
            fetched.extend_from_slice(at.batch());
            let (next, goes_on) = place(at.after_batch(Reach::Everything));
            assert!(cursor::write(&next).len() < 20_000);
            at = next;
            if !goes_on {
                break;
            }
        }
        assert_eq!(fetched, all);
        assert_eq!(at, Place { step: Step::Changes, ..begun });
    }

    #[test]
    fn changes_go_on_from_the_first_token_that_was_given() {
        let begun = Place { step: Step::Changes, token: Some("a".into()), ..Place::default() };
        let first = Place { next: Some("b".into()), ..begun.clone() }.with_names(names(1).into_iter());
        let (done, goes_on) = place(first.after_batch(Reach::Changes));
        assert_eq!((done.token.as_deref(), done.next, goes_on), (Some("b"), None, false));
        let cut = Place { is_cut: true, ..first };
        let (more, goes_on) = place(cut.after_batch(Reach::Changes));
        assert_eq!((more.token.as_deref(), more.step, goes_on), (Some("b"), Step::Changes, true));
        let same = Place { next: Some("a".into()), is_cut: true, ..begun.clone() };
        assert!(matches!(same.after_batch(Reach::Changes), Err(Refusal::Unreadable(_))));
        assert_eq!(begun.shorter(), None);
        let half: Place = cursor::read(cut.shorter().as_deref());
        assert_eq!((half.batch, &half.left), (BATCH / 2, &cut.left));
        assert_eq!(Place { batch: 1, ..cut }.shorter(), None);
    }

    #[test]
    fn a_name_longer_than_the_room_is_fetched_alone() {
        let long = "x".repeat(MOST_LEFT * 2);
        let at = Place::default().with_names([long.clone(), "y".to_owned()].into_iter());
        assert_eq!((at.left, at.goes_on), (vec![long], true));
        assert_eq!(Place::default().with_names(std::iter::empty()).left, Vec::<String>::new());
    }
}
