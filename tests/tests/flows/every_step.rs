//! Each port fails at each step, in every way that a port can.

use hooktide_tests::faults::{How, Plan, Until, Which};

use crate::scenario::Scenario;

/// Runs the scenario with the first call failing, then with the second, until no call is left to fail.
///
/// A process that ends before a call has ended after the one before it, so that is not tried apart.
async fn at_every_step(which: impl Fn(usize) -> Which, until: Until, how: How) {
    let least = match until {
        Until::Before => 60,
        Until::After => 25,
        Until::Halfway => 3,
    };
    for step in 0..1_000 {
        let plan = Plan { which: which(step), until, how };
        let mut scenario = Scenario::new().await;
        let failed = scenario.run(plan).await;
        scenario.check(plan).await;
        if failed == 0 {
            assert!(step >= least, "the scenario makes more calls than {step}");
            return;
        }
    }
    panic!("the scenario never came to its end");
}

#[tokio::test]
async fn nothing_is_lost_when_a_call_fails_and_can_be_repeated() {
    at_every_step(Which::Nth, Until::Before, How::Retryable).await;
}

#[tokio::test]
async fn nothing_is_lost_when_a_call_fails_halfway() {
    at_every_step(Which::Nth, Until::Halfway, How::Retryable).await;
}

#[tokio::test]
async fn nothing_is_lost_when_an_answer_is() {
    at_every_step(Which::Nth, Until::After, How::Retryable).await;
}

#[tokio::test]
async fn nothing_is_lost_when_a_call_fails_for_no_known_reason() {
    at_every_step(Which::Nth, Until::Before, How::Failed).await;
}

#[tokio::test]
async fn nothing_is_lost_when_a_call_happens_and_is_told_to_have_failed() {
    at_every_step(Which::Nth, Until::After, How::Failed).await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_process_ends_in_the_middle_of_a_call() {
    at_every_step(Which::Nth, Until::Halfway, How::Crash).await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_process_ends_right_after_a_call() {
    at_every_step(Which::Nth, Until::After, How::Crash).await;
}

#[tokio::test]
async fn nothing_is_lost_when_everything_fails_from_a_call_on() {
    at_every_step(Which::From, Until::Before, How::Retryable).await;
}

/// Runs the scenario with every few calls failing.
async fn at_every_few_steps(until: Until, how: How) {
    for of in [2, 3, 5, 7] {
        for rest in 0..of {
            let plan = Plan { which: Which::Every(of, rest), until, how };
            let mut scenario = Scenario::new().await;
            assert!(scenario.run(plan).await > 0);
            scenario.check(plan).await;
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_when_every_few_calls_fail_and_can_be_repeated() {
    at_every_few_steps(Until::Before, How::Retryable).await;
}

#[tokio::test]
async fn nothing_is_lost_when_every_few_answers_are() {
    at_every_few_steps(Until::After, How::Retryable).await;
}

#[tokio::test]
async fn nothing_is_lost_when_every_few_calls_fail_for_no_known_reason() {
    at_every_few_steps(Until::Before, How::Failed).await;
}

#[tokio::test]
async fn nothing_is_lost_when_the_process_ends_every_few_calls() {
    at_every_few_steps(Until::After, How::Crash).await;
}
