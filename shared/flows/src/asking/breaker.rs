//! The breaker of an account: a provider that does not answer is left alone for a while, and then tried by one call. Pure.

use jiff::{SignedDuration, Timestamp};

use hooktide_store::records::budget::Breaker;

/// How many failures in a row open it.
const OPENS_AFTER: u32 = 5;
/// For how many minutes it is open, the first time and each time after a try that failed.
const OPEN_MINUTES: [i64; 5] = [1, 2, 4, 8, 15];
/// The longest time that it can be open: what is further ahead was noted by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_mins(20);
/// How long others wait for the one call that tries.
const TRY: SignedDuration = SignedDuration::from_secs(60);

/// Whether the provider may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    /// Everybody may ask.
    Closed,
    /// One call may, of whoever stores this first.
    Try(Breaker),
    /// Nobody may before then.
    Open(Timestamp),
}

/// Whether the provider may be asked now.
pub(super) fn gate(breaker: &Breaker, now: Timestamp) -> Gate {
    match breaker.open_until {
        None => Gate::Closed,
        Some(until) if now < until && until <= now + AHEAD => Gate::Open(until),
        Some(_) => Gate::Try(Breaker { open_until: Some(now + TRY), ..breaker.clone() }),
    }
}

/// The breaker after a call; `None` if it stays as it is.
pub(super) fn after(breaker: &Breaker, answered: bool, now: Timestamp) -> Option<Breaker> {
    if answered {
        return Some(Breaker::default()).filter(|closed| closed != breaker);
    }
    let (failures, since) = (breaker.failures.saturating_add(1), breaker.since.or(Some(now)));
    if failures < OPENS_AFTER {
        return Some(Breaker { failures, since, ..Breaker::default() });
    }
    let last = OPEN_MINUTES.len() - 1;
    let minutes = OPEN_MINUTES[usize::try_from(breaker.opened).unwrap_or(last).min(last)];
    let open_until = Some(now + SignedDuration::from_mins(minutes));
    Some(Breaker { failures, since, opened: breaker.opened.saturating_add(1), open_until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_breaker_opens_after_five_failures_in_a_row_for_longer_each_time_and_closes_with_an_answer() {
        let mut breaker = Breaker::default();
        // (second, whether the provider answered, failures, open until)
        for (second, answered, failures, open_until) in [
            (0, false, 1, None),
            (1, false, 2, None),
            (2, true, 0, None),
            (3, false, 1, None),
            (4, false, 2, None),
            (5, false, 3, None),
            (6, false, 4, None),
            (7, false, 5, Some(67)),
            (67, false, 6, Some(187)),
            (187, false, 7, Some(427)),
            (427, false, 8, Some(907)),
            (907, false, 9, Some(1_807)),
            (1_807, false, 10, Some(2_707)),
            (2_707, true, 0, None),
            (2_708, false, 1, None),
        ] {
            breaker = after(&breaker, answered, at(second)).unwrap_or(breaker);
            assert_eq!((breaker.failures, breaker.open_until), (failures, open_until.map(at)), "at {second}");
        }
        assert_eq!(breaker.since, Some(at(2_708)), "since the first failure after the last answer");
        assert_eq!(after(&Breaker::default(), true, at(0)), None, "nothing is written where nothing changes");
    }

    #[test]
    fn a_clock_that_was_hours_ahead_shuts_nobody_out() {
        let ahead = Breaker { failures: 5, opened: 1, since: Some(at(7_200)), open_until: Some(at(7_260)) };
        let Gate::Try(trying) = gate(&ahead, at(0)) else { panic!("it is tried") };
        assert_eq!(trying.open_until, Some(at(60)));
    }

    #[test]
    fn one_call_tries_while_the_others_wait() {
        let open = Breaker { failures: 5, opened: 1, since: Some(at(0)), open_until: Some(at(60)) };
        assert_eq!(gate(&Breaker::default(), at(0)), Gate::Closed);
        assert_eq!(gate(&Breaker { failures: 4, ..Breaker::default() }, at(0)), Gate::Closed);
        assert_eq!(gate(&open, at(59)), Gate::Open(at(60)));
        let Gate::Try(trying) = gate(&open, at(60)) else { panic!("it is tried") };
        assert_eq!(gate(&trying, at(60)), Gate::Open(at(120)), "for whoever reads it then");
        assert!(matches!(gate(&trying, at(120)), Gate::Try(_)), "the one that tried is gone");
    }
}
