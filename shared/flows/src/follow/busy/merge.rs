//! Merging: times that overlap or touch make one block. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::diff::{Place, Step, changed, ended, made};
use super::wanted::{Wanted, moment, text};
use hooktide_model::names::BlockState;
use hooktide_providers::Moment;
use hooktide_store::records::Stored;
use hooktide_store::records::block::{Block, Times};
use hooktide_store::records::slot::Stretch;

/// A time from a start to an end: whole days, or from one point to another. These two are never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    start: Moment,
    end: Moment,
}

impl Span {
    /// The time that a block has; `None` if it is none.
    pub(super) fn of(times: &Times) -> Option<Self> {
        let (start, end) = moment(&times.start).zip(moment(&times.end))?;
        let is_one = matches!((start, end), (Moment::At(_), Moment::At(_)) | (Moment::Day(_), Moment::Day(_)));
        (is_one && start < end).then_some(Self { start, end })
    }

    /// Whether they overlap, or one begins where the other one ends.
    pub(super) fn touches(&self, other: &Self) -> bool {
        self.is_days() == other.is_days() && self.start <= other.end && other.start <= self.end
    }

    /// Whether all of another one lies within it.
    pub(super) fn has(&self, other: &Self) -> bool {
        self.is_days() == other.is_days() && self.start <= other.start && other.end <= self.end
    }

    /// The time as a block has it.
    pub(super) fn times(&self) -> Times {
        Times { start: text(self.start), end: text(self.end) }
    }

    /// The time from the earlier start to the later end.
    #[must_use]
    pub(super) fn with(self, other: &Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Where it is among slots.
    pub(super) fn stretch(&self) -> Stretch {
        Stretch { is_days: self.is_days(), start: seconds(self.start), end: seconds(self.end) }
    }

    fn is_days(&self) -> bool {
        matches!(self.start, Moment::Day(_))
    }

    /// How long both last at once, in seconds.
    fn overlap(&self, other: &Self) -> i64 {
        if self.touches(other) { seconds(self.end.min(other.end)) - seconds(self.start.max(other.start)) } else { 0 }
    }
}

fn seconds(moment: Moment) -> i64 {
    match moment {
        Moment::At(at) => at.as_second(),
        Moment::Day(day) => day.to_zoned(TimeZone::UTC).map_or(0, |day| day.timestamp().as_second()),
    }
}

/// The times that cover all of these and nothing else, none of which touch each other.
pub(super) fn merged(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut all: Vec<Span> = spans.into_iter().collect();
    all.sort();
    let mut merged: Vec<Span> = Vec::new();
    for span in all {
        match merged.last_mut() {
            Some(last) if last.touches(&span) => *last = last.with(&span),
            Some(_) | None => merged.push(span),
        }
    }
    merged
}

/// The times from the first start to the last end: one of days, and one of times.
pub(super) fn hulls(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut hulls: BTreeMap<bool, Span> = BTreeMap::new();
    for span in spans {
        hulls.entry(span.is_days()).and_modify(|hull| *hull = hull.with(&span)).or_insert(span);
    }
    hulls.into_values().collect()
}

/// The steps from the merged blocks that there are to those that cover these times. A block goes on as the one that it has most in
/// common with; one that a person changed or deleted holds for its very times only.
pub(super) fn steps(spans: &[Span], existing: &[Stored<Block>], place: Place<'_>, now: Timestamp) -> Vec<Step> {
    let mut free: Vec<(Span, &Stored<Block>)> = existing
        .iter()
        .filter(|stored| stored.record.state != BlockState::Removing)
        .filter_map(|stored| Some((Span::of(&stored.record.times())?, stored)))
        .collect();
    let mut steps = Vec::new();
    for span in spans {
        let fits =
            |(of, stored): &(Span, &Stored<Block>)| of == span || of.overlap(span) > 0 && !is_theirs(&stored.record);
        let candidates = free.iter().enumerate().filter(|(_, one)| fits(one));
        let best = candidates.max_by_key(|(at, (of, _))| (of == span, of.overlap(span), std::cmp::Reverse(*at)));
        let best = best.map(|(at, _)| at);
        let (start, end) = (text(span.start), text(span.end));
        steps.extend(match best.map(|at| free.remove(at)) {
            Some((_, stored)) => {
                let wanted = Wanted { occurrence: stored.record.stem.occurrence.clone(), start, end };
                changed(stored, &wanted, place.title).map(Step::Change)
            }
            // No name is used twice: that of a block which is gone may be taken for ever.
            None => {
                let occurrence = format!("{start}~{}", now.as_millisecond());
                Some(Step::Make(made(&Wanted { occurrence, start, end }, place)))
            }
        });
    }
    steps.extend(free.into_iter().filter_map(|(_, stored)| ended(stored)));
    steps
}

/// Whether a person made something of a block.
fn is_theirs(block: &Block) -> bool {
    block.state == BlockState::Left && block.failures == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::busy::diff::tests::{block, calendar};

    fn span(text: &str) -> Span {
        let (start, end) = text.split_once('-').unwrap();
        let at = |hour: &str| match hour.split_once('d') {
            Some((_, day)) => format!("2026-12-{day}"),
            None => format!("2026-12-01T{hour}:00:00Z"),
        };
        Span::of(&Times { start: at(start), end: at(end) }).unwrap()
    }

    #[test]
    fn what_overlaps_or_touches_is_one_and_days_lie_beside_times() {
        for (pieces, whole) in [
            ("", ""),
            ("09-10", "09-10"),
            ("11-12 09-10", "09-10 11-12"),
            ("09-10 10-11", "09-11"),
            ("09-12 10-11 11-13", "09-13"),
            ("09-10 09-10", "09-10"),
            ("d01-d02 09-10 d02-d03 d05-d06", "09-10 d01-d03 d05-d06"),
        ] {
            let [pieces, whole] = [pieces, whole].map(|text| text.split_whitespace().map(span).collect::<Vec<Span>>());
            assert_eq!(merged(pieces), whole);
        }
        for (start, end) in [("2026-12-01", "2026-12-01T09:00:00Z"), ("2026-12-01", "2026-12-01"), ("?", "2026-12-01")]
        {
            assert_eq!(Span::of(&Times { start: start.to_owned(), end: end.to_owned() }), None);
        }
    }

    #[test]
    fn a_merged_block_goes_on_as_the_one_that_it_has_most_in_common_with() {
        use BlockState::{Left, Removing, There, Wanted};
        let lies_in = calendar("c2");
        let place = Place {
            lies_in: &lies_in,
            from: &lies_in,
            event: "",
            user: "anna",
            title: "Busy",
            merges: false,
            past: Timestamp::MIN,
        };
        let stored = |(times, state, id): &(&str, BlockState, Option<&str>)| {
            let mut stored = block(times, "08", *state, *id);
            let Span { start, end } = span(times);
            (stored.record.start, stored.record.end) = (text(start), text(end));
            stored
        };
        let hours = |block: &Block| format!("{}-{}", &block.start[11..13], &block.end[11..13]);
        let there = |times| (times, There, Some("1"));
        for (existing, wanted, expected) in [
            (vec![], "09-10", "make 09-10"),
            (vec![there("09-10")], "09-10", ""),
            (vec![there("09-10")], "09-12", "09-10 to 09-12"),
            (vec![there("09-10")], "11-12", "make 11-12, remove 09-10"),
            (vec![there("09-10"), there("11-14")], "09-14", "11-14 to 09-14, remove 09-10"),
            (vec![there("09-14")], "09-10 11-14", "09-14 to 09-10, make 11-14"),
            (vec![there("09-10"), there("09-12")], "09-12", "remove 09-10"),
            (vec![("09-10", Removing, Some("1"))], "09-10", "make 09-10"),
            (vec![("09-10", Wanted, None)], "", "forget 09-10"),
            (vec![("09-10", Left, None)], "09-10", ""),
            (vec![("09-10", Left, Some("1"))], "09-11", "make 09-11, forget 09-10"),
        ] {
            let existing: Vec<Stored<Block>> = existing.iter().map(stored).collect();
            let spans: Vec<Span> = wanted.split_whitespace().map(span).collect();
            let told = steps(&spans, &existing, place, Timestamp::UNIX_EPOCH).into_iter().map(|step| match step {
                Step::Make(block) => format!("make {}", hours(&block)),
                Step::Change(stored) => format!("{} to {}", stored.record.stem.occurrence, hours(&stored.record)),
                Step::Remove(stored) => format!("remove {}", hours(&stored.record)),
                Step::Forget(stored) => format!("forget {}", hours(&stored.record)),
            });
            assert_eq!(told.collect::<Vec<_>>().join(", "), expected, "{wanted}");
        }
    }
}
