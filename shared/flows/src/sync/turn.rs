//! Whom the next step of a reading asks for. Pure.
//!
//! The entities that hints name come first, one by one, and then everything, or what changed. An entity whose question fails is
//! put off until the rest is read, so that it holds up nothing. Where its question fails again and again although the provider
//! answers the others, the reading goes on without it; where the provider answers nothing, no entity is to blame.

use std::collections::BTreeSet;

use super::circle;
use crate::asking::Failure;
use hooktide_providers::{Next, Reach, Refusal};
use hooktide_store::records::resource::Reading;

/// How often in a row the question about an entity fails before the reading goes on without it.
const MOST_FAILURES: u32 = 3;

/// Whom a step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// An entity, by the provider's id.
    One(String),
    /// Everything, or what changed since the last reading.
    Rest,
}

impl Turn {
    /// The next turn; `None` if nothing is left but entities that this run has tried.
    pub(super) fn of(reading: &Reading, tried: &BTreeSet<String>) -> Option<Self> {
        let named = reading.entities.first();
        if named.is_none() && reading.done.is_none() {
            return Some(Self::Rest);
        }
        let one = named.or_else(|| reading.put_off.keys().find(|entity| !tried.contains(*entity)));
        one.cloned().map(Self::One)
    }

    /// The extent of its question.
    pub(super) fn reach(&self, reading: &Reading) -> Reach<'_> {
        match self {
            Self::One(entity) => Reach::One(entity),
            Self::Rest if reading.everything => Reach::Everything,
            Self::Rest => Reach::Changes,
        }
    }

    /// Notes the way on after a page.
    pub(super) fn goes_on(&self, reading: &mut Reading, next: Next) -> Result<(), Failure> {
        reading.pages += 1;
        match (self, next) {
            (_, Next::More(cursor)) => {
                if circle::closes(reading, &cursor) {
                    return Err(Failure::Endless("the same pages again"));
                }
                reading.cursor = Some(cursor);
            }
            (Self::One(entity), Next::Done(_)) => leave(reading, entity),
            (Self::Rest, Next::Done(cursor)) => {
                (reading.cursor, reading.lap) = (None, None);
                reading.done = Some(cursor);
            }
        }
        Ok(())
    }
}

/// Whether a failure may be due to what was asked for: there is no answer, or one that says nothing. Who says when to come again
/// speaks of everything.
pub(super) fn may_blame(failure: &Failure) -> bool {
    matches!(failure, Failure::Silent(_) | Failure::Refused(Refusal::Unavailable { after: None }))
}

/// Notes that the question about an entity failed; whether the reading is to go on without it. Else it is put off.
pub(super) fn fails(reading: &mut Reading, entity: &str) -> bool {
    let failures = reading.put_off.get(entity).copied().unwrap_or_default() + 1;
    // The rest was read since it failed before.
    if failures >= MOST_FAILURES && reading.done.is_some() {
        return true;
    }
    leave(reading, entity);
    reading.put_off.insert(entity.to_owned(), failures);
    reading.pages += 1;
    false
}

/// Goes on without an entity.
pub(super) fn leave(reading: &mut Reading, entity: &str) {
    reading.entities.remove(entity);
    reading.put_off.remove(entity);
    (reading.cursor, reading.lap) = (None, None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::begin;
    use hooktide_model::names::Via;
    use jiff::Timestamp;

    fn reading(everything: bool, entities: &[&str]) -> Reading {
        let entities = entities.iter().map(|entity| (*entity).to_owned()).collect();
        Reading { entities, ..begin::fresh(everything, Via::Webhook, 1, Timestamp::UNIX_EPOCH) }
    }

    fn one(entity: &str) -> Turn {
        Turn::One(entity.to_owned())
    }

    /// Goes on until nothing is left, where the questions about these entities fail, and that about the rest if `is_out`; one
    /// run after the other. Returns the turns of each run, and whom the reading went on without.
    fn runs(mut reading: Reading, failing: &[&str], is_out: impl Fn(usize) -> bool) -> (Vec<Vec<Turn>>, Vec<String>) {
        let (mut runs, mut without) = (Vec::new(), Vec::new());
        while runs.len() < 20 {
            let (mut turns, mut tried) = (Vec::new(), BTreeSet::new());
            let out = is_out(runs.len());
            while let Some(turn) = Turn::of(&reading, &tried) {
                turns.push(turn.clone());
                match &turn {
                    Turn::One(entity) if out || failing.contains(&entity.as_str()) => {
                        tried.insert(entity.clone());
                        if fails(&mut reading, entity) {
                            leave(&mut reading, entity);
                            without.push(entity.clone());
                        }
                    }
                    Turn::Rest if out => break,
                    turn => turn.goes_on(&mut reading, Next::Done("1".to_owned())).unwrap(),
                }
            }
            runs.push(turns);
            if reading.done.is_some() && reading.put_off.is_empty() {
                break;
            }
            // A run that fails reads the rest again.
            reading.done = None;
        }
        (runs, without)
    }

    #[test]
    fn named_entities_come_first_and_then_the_rest() {
        for (everything, entities, turns, reach) in [
            (false, &["1", "2"][..], vec![one("1"), one("2"), Turn::Rest], Reach::Changes),
            (false, &[], vec![Turn::Rest], Reach::Changes),
            (true, &[], vec![Turn::Rest], Reach::Everything),
        ] {
            assert_eq!(Turn::Rest.reach(&reading(everything, entities)), reach);
            assert_eq!(runs(reading(everything, entities), &[], |_| false), (vec![turns], Vec::new()));
        }
        assert_eq!(one("1").reach(&reading(false, &["1"])), Reach::One("1"));
    }

    #[test]
    fn an_entity_whose_question_always_fails_is_read_last_and_gone_past_after_three_failures() {
        let [bad, good] = [one("1"), one("2")];
        let expected = vec![vec![bad.clone(), good, Turn::Rest], vec![Turn::Rest, bad.clone()], vec![Turn::Rest, bad]];
        assert_eq!(runs(reading(false, &["1", "2"]), &["1"], |_| false), (expected, vec!["1".to_owned()]));
        let all: Vec<String> = (0..64).map(|number| number.to_string()).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (runs, without) = runs(reading(false, &all), &all, |_| false);
        assert_eq!((runs.len(), without.len()), (3, 64), "many of these cost no more runs");
    }

    #[test]
    fn no_entity_is_blamed_for_a_provider_that_answers_nothing() {
        for outage in [1, 2, 7] {
            let (runs, without) = runs(reading(false, &["1", "2"]), &[], |run| run < outage);
            assert_eq!((runs.len(), without), (outage + 1, Vec::new()), "{runs:?}");
        }
    }

    #[test]
    fn the_pages_of_an_entity_and_of_the_rest_are_gone_through_and_a_circle_is_found() {
        let mut reading = reading(false, &["1"]);
        one("1").goes_on(&mut reading, Next::More("a".to_owned())).unwrap();
        assert_eq!((Turn::of(&reading, &BTreeSet::new()), reading.cursor.as_deref()), (Some(one("1")), Some("a")));
        let circle = one("1").goes_on(&mut reading, Next::More("a".to_owned()));
        assert_eq!(circle, Err(Failure::Endless("the same pages again")));
        one("1").goes_on(&mut reading, Next::Done(String::new())).unwrap();
        assert_eq!((reading.cursor.as_deref(), reading.lap, reading.done.as_deref()), (None, None, None));
        Turn::Rest.goes_on(&mut reading, Next::More("b".to_owned())).unwrap();
        assert_eq!(Turn::of(&reading, &BTreeSet::new()), Some(Turn::Rest));
        Turn::Rest.goes_on(&mut reading, Next::Done("c".to_owned())).unwrap();
        assert_eq!((reading.cursor.as_deref(), reading.done.as_deref(), reading.pages), (None, Some("c"), 5));
        assert_eq!(Turn::of(&reading, &BTreeSet::new()), None);
    }

    #[test]
    fn only_a_failure_that_may_be_about_what_was_asked_for_is_held_against_it() {
        use std::time::Duration;
        let unavailable = |after| Failure::Refused(Refusal::Unavailable { after });
        for (failure, expected) in [
            (Failure::Silent("the request took too long".to_owned()), true),
            (unavailable(None), true),
            (unavailable(Some(Duration::from_secs(60))), false),
            (Failure::Refused(Refusal::Limited { after: None }), false),
            (Failure::Refused(Refusal::Refused), false),
            (Failure::Resting(Duration::from_secs(60)), false),
            (Failure::Later(Timestamp::UNIX_EPOCH), false),
            (Failure::NoCredentials, false),
        ] {
            assert_eq!(may_blame(&failure), expected, "{failure:?}");
        }
    }
}
