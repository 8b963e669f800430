//! The spine under a seed: whatever goes wrong, the invariants hold; the same seed is the same run; and each deliberate flaw
//! is found.

mod fairness;

use std::collections::BTreeSet;
use std::process::Command;

use hooktide_tests::simulation::mutations::Mutation;
use hooktide_tests::simulation::{Run, run};

/// How many steps `make test` takes for each seed.
const STEPS: u64 = 5_000;

/// Everything that can go wrong must have, or a run says nothing of it.
const FAULTS: [&str; 21] = [
    "fault: a call took long",
    "fault: a worker with the other version",
    "fault: a run ended at its deadline",
    "fault: answer lost",
    "fault: a tie",
    "fault: crash after a call",
    "fault: crash before a call",
    "fault: endpoints are absent",
    "fault: half a batch failed",
    "fault: handed out twice",
    "fault: sent again though accepted",
    "fault: tampered",
    "fault: throttled",
    "fault: transaction cancelled",
    "fault: unreadable",
    "a storm",
    "outcome: processed",
    "outcome: duplicate",
    "outcome: stale",
    "outcome: waiting",
    "outcome: dead",
];

#[test]
fn whatever_goes_wrong_the_invariants_hold() {
    let mut happened = BTreeSet::new();
    for seed in 1..=3 {
        let outcome = run(Run { seed, steps: STEPS, mutation: None });
        assert!(outcome.broken.is_empty(), "make simulate SEED={seed} STEPS={STEPS}: {:#?}", outcome.broken);
        happened.extend(outcome.counts.into_keys());
    }
    let never: Vec<&str> = FAULTS.into_iter().filter(|fault| !happened.contains(fault)).collect();
    assert_eq!(never, Vec::<&str>::new(), "these never happened");
}

#[test]
fn the_same_seed_is_the_same_run_in_another_process() {
    let hash = || {
        let simulate = Command::new(env!("CARGO_BIN_EXE_simulate")).args(["4", &STEPS.to_string(), "--hash"]).output();
        let output = simulate.expect("the simulation runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stdout).expect("text")
    };
    let (one, other) = (hash(), hash());
    assert_eq!(one, other);
    assert_ne!(one.trim(), run(Run { seed: 5, steps: STEPS, mutation: None }).hash, "another seed is another run");
}

/// Each flaw must be found with one of the first seeds by the invariant that names it, whatever else it breaks.
#[track_caller]
fn assert_found(mutation: Mutation, by: &str) {
    let mut others = Vec::new();
    for seed in 1..=16 {
        let broken = run(Run { seed, steps: 4 * STEPS, mutation: Some(mutation) }).broken;
        if broken.iter().any(|broken| broken.starts_with(by)) {
            return;
        }
        others.extend(broken);
    }
    panic!("{mutation:?} was not found by \"{by}\", only by {others:#?}");
}

#[test]
fn entities_that_forget_their_deliveries_are_found() {
    assert_found(Mutation::NoDeduplication, "the bus hears of every change");
}

#[test]
fn writes_without_a_guard_are_found() {
    assert_found(Mutation::NoGuard, "entities are what was journaled");
}

#[test]
fn ties_by_hash_are_found() {
    assert_found(Mutation::TieByHash, "the last told stands");
}

#[test]
fn a_resend_that_lifts_an_older_state_is_found() {
    assert_found(Mutation::ResendLifts, "the last told stands");
}

#[test]
fn tags_that_are_raised_after_the_commit_are_found() {
    assert_found(Mutation::TagsAfterCommit, "tags count the commits");
}

#[test]
fn a_journal_outside_of_the_commit_is_found() {
    assert_found(Mutation::JournalOutsideCommit, "entities are what was journaled");
}

#[test]
fn messages_that_are_deleted_before_they_are_processed_are_found() {
    assert_found(Mutation::DeletesBeforeCommit, "accepted is journaled");
}

#[test]
fn a_lease_that_nobody_heeds_is_found() {
    assert_found(Mutation::LeaseIgnored, "a claim has one holder");
}

#[test]
fn a_cursor_from_the_clock_is_found() {
    assert_found(Mutation::CursorFromTheClock, "no reader misses a change");
}

#[test]
fn retries_without_a_limit_are_found() {
    assert_found(Mutation::RetriesWithoutLimit, "nothing waits for ever");
}

#[test]
fn an_absent_endpoint_that_is_taken_for_a_removed_one_is_found() {
    assert_found(Mutation::AbsentIsRemoved, "absent is not removed");
}

#[test]
fn an_order_that_is_left_to_the_lanes_is_found() {
    assert_found(Mutation::OrderLeftToLanes, "each entity's changes are read in their order");
}

#[test]
fn a_2xx_although_the_queue_refused_is_found() {
    assert_found(Mutation::RefusedIsQueued, "accepted is journaled");
}

#[test]
fn a_cancelled_transaction_that_is_taken_for_done_is_found() {
    assert_found(Mutation::CancelledIsDone, "accepted is journaled");
}

#[test]
fn a_failed_publish_that_is_forgotten_is_found() {
    assert_found(Mutation::FailedPublishForgotten, "the bus hears of every change");
}
