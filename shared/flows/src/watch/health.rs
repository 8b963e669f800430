//! The health of a subscription, as one pure function: what is observed leads from one state to the next, and to actions.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use hooktide_model::names::SubscriptionState as State;
use hooktide_store::records::subscription::Subscription;

/// From how many failures in a row on a subscription is suspended, and from how many on it is disabled.
const SUSPENDED_FROM: u32 = 5;
/// See [`SUSPENDED_FROM`].
const DISABLED_FROM: u32 = 10;
/// The shortest and the longest pause between two tries of a repair.
const PAUSES: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(3600));
/// How often a disabled subscription is tried.
const HALF_OPEN: SignedDuration = SignedDuration::from_hours(24);
/// How often one is tried that the provider does not offer.
const OFFERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is observed of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observation {
    /// The subscription was registered, renewed, or found to exist; or a webhook of it was processed.
    Success,
    /// A registration, a renewal or a probe failed, or processing a webhook of it did.
    Failure,
    /// The provider removed or disabled it.
    Gone,
    /// Nothing was heard for long, although there was activity.
    Silence,
    /// The provider wants it to be authorised again.
    ReauthorizationRequired,
    /// The provider says that it did not send some webhooks.
    Missed,
    /// The provider sends nobody anything about its resource.
    Unsupported,
    /// A person enables it.
    Enabled,
}

impl Observation {
    /// All of them, with what is said of each in the documentation.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Success, "it was registered, renewed or found to exist, or a webhook of it was processed"),
        (
            Self::Failure,
            "a registration, a renewal or a probe failed, or changes were found that it should have reported",
        ),
        (Self::Gone, "the provider removed or disabled it"),
        (Self::Silence, "nothing was heard for long, although there was activity"),
        (Self::ReauthorizationRequired, "the provider wants it to be authorised again"),
        (Self::Missed, "the provider says that it did not send some webhooks"),
        (Self::Unsupported, "the provider sends nobody anything about its resource; it is asked again after a week"),
        (Self::Enabled, "a person enables it"),
    ];
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Register it, or renew it.
    Repair,
    /// Check whether it exists.
    Probe,
    /// Read what changed in its resource.
    Sync,
    /// Poll its resource on a schedule.
    Poll,
    /// Stop polling its resource.
    StopPolling,
}

/// The next state of a subscription after what is observed, and what is to be done because of it.
pub fn observe(subscription: &Subscription, observation: Observation, now: Timestamp) -> (Subscription, Vec<Action>) {
    let mut next = subscription.clone();
    let polled = is_polled(subscription.state);
    let mut actions = Vec::new();
    match observation {
        Observation::Success => {
            (next.failures, next.reason) = (0, None);
            enter(&mut next, State::Active, now);
        }
        Observation::Failure => {
            next.failures = next.failures.saturating_add(1);
            let state = after_failures(next.failures);
            enter(&mut next, state, now);
            next.next_at = again(&next, now);
            actions.push(Action::Repair);
        }
        Observation::Gone => {
            (next.provider_id, next.expires_at, next.renew_at) = (None, None, None);
            next.next_at = now;
            actions.extend([Action::Repair, Action::Sync]);
        }
        Observation::Silence => {
            if next.state == State::Active {
                enter(&mut next, State::Degraded, now);
            }
            next.next_at = now;
            actions.extend([Action::Probe, Action::Sync]);
        }
        Observation::ReauthorizationRequired => {
            (next.renew_at, next.next_at) = (Some(now), now);
            actions.push(Action::Repair);
        }
        Observation::Missed => actions.push(Action::Sync),
        Observation::Unsupported => {
            (next.failures, next.provider_id, next.expires_at, next.renew_at) = (0, None, None, None);
            enter(&mut next, State::Pending, now);
            next.next_at = now + OFFERED;
        }
        Observation::Enabled => {
            next.failures = 0;
            enter(&mut next, State::Pending, now);
            next.next_at = now;
            actions.push(Action::Repair);
        }
    }
    match (polled, is_polled(next.state)) {
        (false, true) => actions.push(Action::Poll),
        (true, false) => actions.push(Action::StopPolling),
        (false, false) | (true, true) => {}
    }
    (next, actions)
}

/// Whether the resource of a subscription in this state is polled on a schedule.
pub fn is_polled(state: State) -> bool {
    match state {
        State::Pending | State::Suspended | State::Disabled => true,
        State::Active | State::Degraded | State::Manual => false,
    }
}

fn after_failures(failures: u32) -> State {
    match failures {
        DISABLED_FROM.. => State::Disabled,
        SUSPENDED_FROM.. => State::Suspended,
        _ => State::Degraded,
    }
}

fn enter(subscription: &mut Subscription, state: State, now: Timestamp) {
    // One that never worked is not degraded, but still pending.
    let state = match (state, &subscription.provider_id) {
        (State::Degraded, None) => State::Pending,
        (state, _) => state,
    };
    if subscription.state != state {
        (subscription.state, subscription.since) = (state, now);
    }
}

/// When a repair is tried again.
fn again(subscription: &Subscription, now: Timestamp) -> Timestamp {
    if subscription.state == State::Disabled {
        return now + HALF_OPEN;
    }
    let (shortest, longest) = PAUSES;
    now + shortest.saturating_mul(1 << subscription.failures.saturating_sub(1).min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Poll, Probe, Repair, StopPolling, Sync};
    use Observation::{Enabled, Failure, Gone, Missed, ReauthorizationRequired, Silence, Success, Unsupported};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn in_state(state: State, failures: u32) -> Subscription {
        Subscription {
            id: "one".into(),
            connection: "c".into(),
            resource: "products".into(),
            part: None,
            topic: "t".into(),
            url: "https://hooks.example.com".into(),
            state,
            failures,
            since: NOW,
            reason: None,
            provider_id: (state != State::Pending).then(|| "7".into()),
            expires_at: None,
            renew_at: None,
            next_at: NOW,
            checked_at: None,
            replaced_by: None,
        }
    }

    fn leads(state: State, failures: u32, observation: Observation, expected: State, actions: &[Action]) {
        let (next, found) = observe(&in_state(state, failures), observation, NOW);
        assert_eq!((next.state, &found[..]), (expected, actions), "{state} {failures} {observation:?}");
    }

    /// A test for each row of the table.
    macro_rules! rows {
        ($($name:ident: $state:expr, $failures:expr, $observation:expr => $next:expr, $actions:expr;)+) => {
            $(#[test]
            fn $name() {
                leads($state, $failures, $observation, $next, $actions);
            })+
        };
    }

    rows! {
        a_registration_makes_it_active_and_ends_polling: State::Pending, 0, Success => State::Active, &[StopPolling];
        a_success_leaves_an_active_one_as_it_is: State::Active, 0, Success => State::Active, &[];
        a_success_makes_a_degraded_one_active: State::Degraded, 4, Success => State::Active, &[];
        a_success_makes_a_suspended_one_active_and_ends_polling: State::Suspended, 7, Success => State::Active, &[StopPolling];
        a_success_of_the_daily_probe_makes_a_disabled_one_active_and_ends_polling: State::Disabled, 12, Success => State::Active, &[StopPolling];
        one_that_never_worked_stays_pending_after_a_failure_and_is_tried_again: State::Pending, 0, Failure => State::Pending, &[Repair];
        the_first_failure_degrades_it_and_it_is_tried_again: State::Active, 0, Failure => State::Degraded, &[Repair];
        the_fourth_failure_is_tried_again: State::Degraded, 3, Failure => State::Degraded, &[Repair];
        the_fifth_failure_suspends_it_and_its_resource_is_polled: State::Degraded, 4, Failure => State::Suspended, &[Repair, Poll];
        a_suspended_one_is_repaired_further: State::Suspended, 8, Failure => State::Suspended, &[Repair];
        the_tenth_failure_disables_it: State::Suspended, 9, Failure => State::Disabled, &[Repair];
        a_disabled_one_stays_so_until_a_probe_succeeds: State::Disabled, 12, Failure => State::Disabled, &[Repair];
        one_that_the_provider_removed_is_made_anew_and_its_resource_is_read: State::Active, 0, Gone => State::Active, &[Repair, Sync];
        silence_degrades_it_and_it_is_probed: State::Active, 0, Silence => State::Degraded, &[Probe, Sync];
        silence_leaves_a_suspended_one_suspended: State::Suspended, 5, Silence => State::Suspended, &[Probe, Sync];
        one_that_must_be_authorised_again_is_renewed_now: State::Active, 0, ReauthorizationRequired => State::Active, &[Repair];
        what_the_provider_missed_to_send_is_read: State::Active, 0, Missed => State::Active, &[Sync];
        what_the_provider_does_not_offer_is_polled_and_no_failure: State::Pending, 3, Unsupported => State::Pending, &[];
        what_the_provider_offers_no_more_is_polled: State::Active, 0, Unsupported => State::Pending, &[Poll];
        a_person_starts_a_disabled_one_anew: State::Disabled, 12, Enabled => State::Pending, &[Repair];
    }

    #[test]
    fn any_success_resets_the_failures_and_each_failure_waits_longer() {
        let mut subscription = in_state(State::Active, 0);
        let mut last = NOW;
        for _ in 0..9 {
            subscription = observe(&subscription, Failure, NOW).0;
            assert!(subscription.next_at >= last, "{}", subscription.failures);
            last = subscription.next_at;
        }
        let disabled = observe(&subscription, Failure, NOW).0;
        assert_eq!((disabled.state, disabled.next_at), (State::Disabled, NOW + HALF_OPEN), "a daily half-open probe");
        assert_eq!(observe(&disabled, Success, NOW).0.failures, 0);
        let unsupported = observe(&disabled, Unsupported, NOW).0;
        assert_eq!((unsupported.failures, unsupported.next_at), (0, NOW + OFFERED), "once a week");
    }
}
