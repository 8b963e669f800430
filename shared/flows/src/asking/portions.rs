//! Portions of a budget: how many calls a run is granted of the rate of its account. Pure.
//!
//! Calls are made within a few seconds after they were granted. So that no minute ever has more calls than the rate says, no
//! more are granted in a minute and these seconds. The less urgent leave a part of the rate to the more urgent.

use jiff::{SignedDuration, Timestamp};

use hooktide_model::names::Via;
use hooktide_store::records::budget::{Budget, Granted};

/// How long a portion may be used.
pub(super) const LASTS: SignedDuration = SignedDuration::from_secs(10);
/// The time in which no more calls are granted than the rate of a minute.
const WINDOW: SignedDuration = SignedDuration::from_secs(70);
/// How far ahead a grant can be: those that are paid for afterwards are, by a few windows. What is further was noted by a clock
/// that was wrong, and counts no more.
const AHEAD: SignedDuration = SignedDuration::from_mins(20);
/// Grants of so many milliseconds are one.
const SLOT: i64 = 5_000;
/// Which part of a minute's rate one run is granted at the most.
const PART_OF_RUN: u32 = 6;

/// How urgent calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A webhook rang, or a subscription is at stake.
    Webhook,
    /// A poll.
    Poll,
    /// A listing of everything.
    BackFill,
}

impl Priority {
    /// The priority of the calls of a reading.
    pub(crate) fn of(via: Via) -> Self {
        match via {
            Via::Webhook | Via::Own => Self::Webhook,
            Via::Polling | Via::Probe => Self::Poll,
            Via::Full | Via::Import => Self::BackFill,
        }
    }

    /// How much of a rate calls like these may take.
    fn share(self, rate: u32) -> u32 {
        let percent = match self {
            Self::Webhook => 100,
            Self::Poll => 80,
            Self::BackFill => 60,
        };
        u32::try_from(u64::from(rate) * percent / 100).unwrap_or(rate).max(1)
    }
}

/// How many calls one run is granted at the most.
pub(super) fn of_run(rate: u32) -> u32 {
    (rate / PART_OF_RUN).max(1)
}

/// The calls that are wanted of a budget.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// How many calls a minute the account may have.
    pub(super) rate: u32,
    pub(super) priority: Priority,
    /// Without so many, nothing can be begun.
    pub(super) least: u32,
    /// So many are of use.
    pub(super) most: u32,
}

/// Grants calls; an error says when to ask again.
pub(super) fn granted(budget: &Budget, wish: Wish, now: Timestamp) -> Result<(Budget, u32), Timestamp> {
    let share = wish.priority.share(wish.rate);
    let counts = |granted: &Granted| granted.at + WINDOW > now && granted.at <= now + AHEAD;
    let mut kept: Vec<Granted> = budget.granted.iter().copied().filter(counts).collect();
    let used: u32 = kept.iter().map(|granted| granted.calls).fold(0, u32::saturating_add);
    let free = share.saturating_sub(used);
    // What can never be granted at once is granted when nothing else was, and paid for afterwards.
    let least = wish.least.min(share);
    if free < least.max(1) {
        return Err(when(&kept, share - least.max(1), used));
    }
    let calls = wish.most.min(free).max(wish.least);
    let mut left = calls;
    let mut at = now;
    while left > 0 && at <= now + AHEAD {
        let part = left.min(share);
        note(&mut kept, Granted { at, calls: part });
        (left, at) = (left - part, at + WINDOW);
    }
    Ok((Budget { granted: kept, ..budget.clone() }, calls))
}

/// When no more than `most` of the calls count any more.
fn when(kept: &[Granted], most: u32, mut used: u32) -> Timestamp {
    let mut until = Timestamp::UNIX_EPOCH;
    for granted in kept {
        if used <= most {
            break;
        }
        used = used.saturating_sub(granted.calls);
        until = until.max(granted.at + WINDOW);
    }
    until
}

/// Adds a grant, together with one that is hardly older: both count as if they were the later.
fn note(kept: &mut Vec<Granted>, new: Granted) {
    match kept.last_mut() {
        Some(last) if last.at <= new.at && slot(last.at) == slot(new.at) => {
            *last = Granted { at: new.at, calls: last.calls.saturating_add(new.calls) };
        }
        _ => {
            kept.push(new);
            kept.sort_by_key(|granted| granted.at);
        }
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(SLOT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    fn wish(rate: u32, priority: Priority, least: u32, most: u32) -> Wish {
        Wish { rate, priority, least, most }
    }

    #[test]
    fn a_back_fill_leaves_room_for_polls_and_these_for_webhooks() {
        let mut budget = Budget::default();
        let mut take = |priority, most| {
            let (next, calls) = granted(&budget, wish(100, priority, 1, most), at(0))?;
            budget = next;
            Ok(calls)
        };
        assert_eq!(take(Priority::BackFill, 90), Ok(60));
        assert_eq!(take(Priority::BackFill, 1), Err(at(70_000)));
        assert_eq!(take(Priority::Poll, 90), Ok(20));
        assert_eq!(take(Priority::Poll, 1), Err(at(70_000)));
        assert_eq!(take(Priority::Webhook, 15), Ok(15));
        assert_eq!(take(Priority::Webhook, 15), Ok(5));
        assert_eq!(take(Priority::Webhook, 1), Err(at(70_000)));
    }

    #[test]
    fn what_needs_more_calls_than_the_rate_has_is_granted_once_and_paid_for() {
        let (budget, calls) = granted(&Budget::default(), wish(2, Priority::Webhook, 5, 5), at(0)).unwrap();
        assert_eq!(calls, 5);
        let refused = |second: i64| granted(&budget, wish(2, Priority::Webhook, 1, 1), at(second * 1_000)).unwrap_err();
        assert_eq!(refused(1), at(70_000 * 2));
        assert_eq!(granted(&budget, wish(2, Priority::Webhook, 1, 1), at(140_000)).unwrap().1, 1);
    }

    #[test]
    fn calls_that_a_clock_hours_ahead_was_granted_count_no_more() {
        let budget = Budget { granted: vec![Granted { at: at(7_200_000), calls: 10 }], ..Budget::default() };
        let (next, calls) = granted(&budget, wish(10, Priority::Webhook, 1, 4), at(0)).unwrap();
        assert_eq!((calls, next.granted), (4, vec![Granted { at: at(0), calls: 4 }]));
    }

    #[test]
    fn a_grant_comes_when_enough_of_the_former_ones_are_over() {
        let budget = Budget {
            granted: vec![Granted { at: at(0), calls: 4 }, Granted { at: at(20_000), calls: 6 }],
            ..Budget::default()
        };
        for (least, expected) in [(1, 70_000), (4, 70_000), (5, 90_000), (10, 90_000), (99, 90_000)] {
            let refused = granted(&budget, wish(10, Priority::Webhook, least, least), at(30_000));
            assert_eq!(refused.unwrap_err(), at(expected), "{least}");
        }
    }

    proptest! {
        /// Workers lease at any time, and use their portions at any time while they last.
        #[test]
        fn no_minute_has_more_calls_than_the_rate_however_many_workers_lease_portions(
            rate in 1_u32..200,
            leases in prop::collection::vec((0_i64..4_000, 0_u8..3, 1_u32..20, 0_i64..10_000), 1..200),
        ) {
            let (mut budget, mut now, mut used) = (Budget::default(), 0, Vec::new());
            for (pause, priority, most, delay) in leases {
                now += pause;
                let priority = [Priority::Webhook, Priority::Poll, Priority::BackFill][usize::from(priority)];
                if let Ok((next, calls)) = granted(&budget, wish(rate, priority, 1, most), at(now)) {
                    prop_assert!(next.granted.len() <= 20, "it stays small: {next:?}");
                    budget = next;
                    used.push((now + delay, calls));
                }
            }
            for (from, _) in &used {
                let minute = used.iter().filter(|(at, _)| (*from..from + 60_000).contains(at));
                let calls: u32 = minute.map(|(_, calls)| calls).sum();
                prop_assert!(calls <= rate, "{calls} of {rate} in the minute from {from}");
            }
        }
    }
}
