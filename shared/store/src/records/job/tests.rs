use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ports::{Condition, Item};
use crate::records;

fn at(milli: i64) -> Timestamp {
    Timestamp::from_millisecond(milli).unwrap()
}

const DEBOUNCE: Duration = Duration::from_secs(2);

fn raise_for(reason: MarkReason, stored: Option<Mark>, now: i64) -> Mark {
    let stored = stored.map(|record| Stored { rev: 1, record });
    let (tenant, reasons) = (Tenant::system(), BTreeMap::from([(reason, 1)]));
    let raise = Raise {
        tenant: &tenant,
        job: JobKind::SYNC,
        resource: "stock/c",
        reasons: &reasons,
        entities: &BTreeSet::new(),
    };
    raised(stored.as_ref(), &raise, DEBOUNCE, at(now))
}

fn raise(stored: Option<Mark>, now: i64) -> Mark {
    raise_for(MarkReason::Hint, stored, now)
}

/// A mark that rests between two steps of a job that was begun at 2 s.
fn resting(due_at: i64) -> Mark {
    Mark { running: false, due_at, ..claimed(&raise(None, 0), at(2_000)).unwrap() }
}

#[test]
fn a_mark_says_why_it_was_raised_and_how_often() {
    let mut mark = raise(None, 0);
    for reason in [MarkReason::Missed, MarkReason::Hint, MarkReason::Removed] {
        mark = raise_for(reason, Some(mark), 100);
    }
    let expected = [(MarkReason::Hint, 2), (MarkReason::Removed, 1), (MarkReason::Missed, 1)];
    assert_eq!((mark.hints, &mark.reasons), (4, &BTreeMap::from(expected)));
    let item = records::encode(&key(&mark.tenant, &mark.job, &mark.resource), 1, &mark, Upkeep::default());
    assert_eq!(records::decode::<Mark>(item.unwrap()).unwrap().record, mark);
}

/// A mark as code wrote it that recorded neither reasons nor whether the job was begun.
fn former(running: bool, is_again: bool) -> Mark {
    let old = json!({
        "tenant": "acme", "job": "sync", "resource": "stock/c", "hints": 3, "first_hint_at": 0, "due_at": 2000,
        "fence": 1, "running": running, "again": is_again,
    });
    serde_json::from_value(old).unwrap()
}

#[test]
fn a_mark_of_older_code_has_no_reasons_and_is_raised_like_any_other() {
    let waiting = former(false, false);
    assert_eq!(waiting.reasons, BTreeMap::new());
    let mark = raise(Some(waiting), 500);
    assert_eq!((mark.hints, mark.reasons), (4, BTreeMap::from([(MarkReason::Hint, 1)])));
    let running = raise(Some(former(true, false)), 500);
    assert_eq!((running.again, &running.later), (true, &BTreeMap::from([(MarkReason::Hint, 1)])));
    let more = again(&former(true, true), at(3_000), at(1_000));
    assert_eq!((more.running, more.again, more.due_at), (false, false, 3_000), "one more run waits");
}

#[test]
fn only_a_mark_that_no_message_is_under_way_for_is_announced() {
    let waiting = raise(None, 0);
    let later = raise(Some(waiting.clone()), 1_000);
    let running = claimed(&later, at(4_000)).unwrap();
    let lapsed = raise(Some(running.clone()), 400_000);
    let parked = Mark { due_at: i64::from(u32::MAX), ..waiting.clone() };
    let cases = [
        (None, &waiting, true),
        (Some(&waiting), &later, false),
        (Some(&running), &raise(Some(running.clone()), 5_000), false),
        (Some(&running), &lapsed, true),
        (Some(&parked), &raise(Some(parked.clone()), 3_000), true),
        (Some(&resting(60_000)), &raise(Some(resting(60_000)), 3_000), false),
        (Some(&resting(60_000)), &raise_for(MarkReason::Asked, Some(resting(60_000)), 3_000), true),
    ];
    for (number, (before, mark, expected)) in cases.into_iter().enumerate() {
        assert_eq!(mark.is_news(before), expected, "case {number}");
    }
}

#[test]
fn hints_are_folded_until_it_is_quiet_but_no_longer_than_ten_seconds() {
    let mut mark = raise(None, 0);
    assert_eq!(mark.due_at, 2_000);
    for now in [1_000, 2_000, 3_500, 5_000, 6_500, 8_000, 9_500] {
        mark = raise(Some(mark), now);
    }
    assert_eq!((mark.hints, mark.due_at), (8, 10_000));
}

#[test]
fn a_mark_names_what_its_hints_are_about_unless_that_is_too_much() {
    let named = |stored: Option<Mark>, ids: &[&str]| {
        let entities = ids.iter().map(|id| (*id).to_owned()).collect();
        let (tenant, reasons) = (Tenant::system(), BTreeMap::from([(MarkReason::Unsettled, 1)]));
        let stored = stored.map(|record| Stored { rev: 1, record });
        let raise =
            Raise { tenant: &tenant, job: JobKind::SYNC, resource: "stock/c", reasons: &reasons, entities: &entities };
        raised(stored.as_ref(), &raise, DEBOUNCE, at(0))
    };
    let ids = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
    let waiting = named(Some(named(None, &["14"])), &["20", "14"]);
    assert_eq!(ids(&waiting.entities), "14 20");
    let running = named(claimed(&waiting, at(2_000)), &["14"]);
    assert_eq!((ids(&running.entities), ids(&running.later_entities)), ("14 20".into(), "14".into()));
    assert_eq!(ids(&again(&running, at(3_000), at(2_500)).entities), "14");
    assert_eq!(ids(&anew(&running, at(3_000), at(2_500)).entities), "14 20");
    let many: Vec<String> = (0..=MOST_NAMED).map(|id| id.to_string()).collect();
    let many = named(None, &many.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(many.entities.is_empty() && many.names_too_many());
    let asked = Mark { reasons: BTreeMap::from([(MarkReason::Full, 1)]), ..many.clone() };
    assert!(!asked.names_too_many() && !waiting.names_too_many());
    assert_eq!(many.hints, 1, "it is one hint all the same");
}

#[test]
fn a_job_that_rests_is_hurried_only_by_who_asks_for_it() {
    for (reason, due_at, expected) in [
        (MarkReason::Hint, 60_000, 60_000),
        (MarkReason::Missed, 60_000, 60_000),
        (MarkReason::Asked, 60_000, 5_000),
        (MarkReason::Full, 60_000, 5_000),
        (MarkReason::Full, 4_000, 4_000),
        // A clock that was ahead put it to rest.
        (MarkReason::Hint, i64::from(u32::MAX) * 1_000, 5_000),
    ] {
        let mark = raise_for(reason, Some(resting(due_at)), 3_000);
        assert_eq!(
            (mark.due_at, mark.again, &mark.later),
            (expected, true, &BTreeMap::from([(reason, 1)])),
            "{reason}"
        );
        assert_eq!(mark.reasons, BTreeMap::from([(MarkReason::Hint, 1)]), "what it was begun for stays");
    }
}

#[test]
fn a_lapsed_run_can_be_taken_over_and_is_fenced_off() {
    let first = claimed(&raise(None, 0), at(2_000)).unwrap();
    let second = claimed(&first, at(72_000)).unwrap();
    assert_eq!((first.fence, second.fence), (1, 2));
    assert!(is_run_of(&raise(Some(second.clone()), 73_000), &second) && !is_run_of(&second, &first));
}

#[test]
fn a_clock_that_was_ahead_delays_nothing() {
    let (ahead, now) = (1_000_000_000, 5_000);
    let mark = raise(Some(raise(None, ahead)), now);
    assert_eq!((mark.hints, mark.due_at), (2, 7_000));
    let running = claimed(&raise(None, ahead), at(ahead)).unwrap();
    assert!(claimed(&running, at(now)).is_some_and(|taken_over| taken_over.fence == 2));
}

/// The store's one item, as the table keeps it.
#[derive(Default)]
struct Store(Option<Item>);

impl Store {
    fn mark(&self) -> Option<Stored<Mark>> {
        self.0.clone().map(|item| records::decode(item).unwrap())
    }

    fn holds(&self, condition: &Condition) -> bool {
        let item = self.0.as_ref().map(Item::inner);
        match condition {
            Condition::Absent => item.is_none(),
            Condition::Present => item.is_some(),
            Condition::Equals(name, value) => item.is_some_and(|item| item.get(*name) == Some(value)),
            Condition::All(all) => all.iter().all(|one| self.holds(one)),
            Condition::Any(_) | Condition::Less(..) => panic!("marks need no {condition:?}"),
        }
    }

    /// Carries out a write, if its condition holds.
    fn write(&mut self, write: Write) -> bool {
        let (Write::Put { condition, .. } | Write::Update { condition, .. } | Write::Delete { condition, .. }) = &write
        else {
            panic!("marks need no {write:?}")
        };
        if !condition.as_ref().is_none_or(|condition| self.holds(condition)) {
            return false;
        }
        match write {
            Write::Put { item, .. } => self.0 = Some(item),
            Write::Delete { .. } => self.0 = None,
            Write::Update { set, add, .. } => {
                let rev = self.mark().map_or(0, |stored| stored.rev);
                assert_eq!(add, [("rev", 1)]);
                let item = self.0.as_mut().expect("an update's condition needs an item").inner_mut();
                item.extend(set.into_iter().map(|(name, value)| (name.to_owned(), value)));
                item.insert("rev".to_owned(), records::number(rev + 1));
            }
            Write::Check { .. } => {}
        }
        true
    }
}

/// What happens to a mark.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A hint comes.
    Hint,
    /// A run claims it.
    Claim,
    /// The run lets it rest.
    Rest,
    /// The run ends the job, as the mark was when this many hints had not come yet.
    End(usize),
    /// The run is cut off: nobody holds the mark once its lease is over.
    CutOff,
    /// Nobody can do the job.
    Park,
}

/// How many hints are for the run that is under way or comes next, and how many for the one after it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Owed {
    now: u64,
    later: u64,
}

/// A mark, its run, and what is owed by what happened.
#[derive(Default)]
struct World {
    store: Store,
    /// The marks as they were read, newest last.
    reads: Vec<Stored<Mark>>,
    run: Option<Mark>,
    is_begun: bool,
    owed: Owed,
    now: i64,
}

impl World {
    fn step(&mut self, step: Step) {
        self.now += 1;
        match step {
            Step::Hint => self.hint(),
            Step::Claim => self.claim(),
            Step::Rest => {
                let Some(run) = self.run.take() else { return };
                assert!(self.store.write(rest(&run, at(self.now))), "hints hold up no run that goes on");
            }
            Step::End(stale) => self.end(over, stale),
            Step::Park => self.end(|run| park(run, at(i64::from(u32::MAX))), 0),
            Step::CutOff => {
                self.run = None;
                self.now += i64::try_from(LEASE.as_millis()).unwrap();
            }
        }
    }

    fn hint(&mut self) {
        let stored = self.store.mark();
        let mark = raise(stored.clone().map(|stored| stored.record), self.now);
        assert!(self.store.write(store(stored.map(|stored| stored.rev), &mark).unwrap()));
        *(if self.is_begun { &mut self.owed.later } else { &mut self.owed.now }) += 1;
        self.reads.extend(self.store.mark());
    }

    fn claim(&mut self) {
        let Some(stored) = self.store.mark() else { return };
        let Some(mark) = claimed(&stored.record, at(self.now)) else {
            assert!(self.run.is_some(), "only a run that goes on keeps others away");
            return;
        };
        assert!(self.run.is_none(), "one run at a time");
        assert!(self.store.write(store(Some(stored.rev), &mark).unwrap()));
        (self.is_begun, self.run, self.reads) = (true, Some(mark), self.store.mark().into_iter().collect());
    }

    /// Ends the job: first by what was read some hints ago, and if that fails, by what is there.
    fn end(&mut self, end: impl Fn(&Mark) -> Write, stale: usize) {
        let Some(run) = self.run.take() else { return };
        let early = self.reads[self.reads.len().saturating_sub(1 + stale)].clone();
        let latest = self.store.mark().unwrap();
        assert!(is_run_of(&latest.record, &run));
        let parks = matches!(end(&run), Write::Update { .. });
        let more = if parks { anew } else { again };
        let write = |last: &Stored<Mark>| match last.record.again {
            true => store(Some(last.rev), &more(&last.record, at(self.now), at(self.now))).unwrap(),
            false => end(&run),
        };
        let (first, second) = (write(&early), write(&latest));
        if !self.store.write(first) {
            assert_ne!(early, latest, "only a hint is in the way");
            assert!(self.store.write(second));
        }
        let Owed { now, later } = self.owed;
        (self.is_begun, self.owed) = (false, Owed { now: if parks { now + later } else { later }, later: 0 });
    }

    /// Checks that the mark says what is owed.
    fn check(&self) {
        let found = self.store.mark().map(|stored| stored.record);
        let reasons =
            found.as_ref().map_or(Owed::default(), |mark| Owed { now: sum(&mark.reasons), later: sum(&mark.later) });
        assert_eq!(reasons, self.owed, "{found:?}");
        assert!(found.is_some() || self.owed == Owed::default());
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Hint),
        4 => Just(Step::Claim),
        2 => Just(Step::Rest),
        4 => (0..3_usize).prop_map(Step::End),
        1 => Just(Step::CutOff),
        1 => Just(Step::Park),
    ];
    prop::collection::vec(step, 0..40)
}

proptest! {
    #[test]
    fn every_hint_is_followed_by_a_run_that_begins_after_it_and_several_by_one(steps in steps()) {
        let mut world = World::default();
        for step in steps {
            world.step(step);
            world.check();
        }
        // At most two runs owe nothing to anybody any more.
        for _ in 0..2 {
            world.step(Step::CutOff);
            world.step(Step::Claim);
            world.step(Step::End(0));
            world.check();
        }
        prop_assert_eq!(world.store.mark().map(|stored| stored.record), None);
    }
}
