//! The limit of an account: after an answer that says that there were too many calls, nobody asks for a while. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use hooktide_store::records::budget::Limit;

/// The shortest and the longest pause where the provider does not say how long.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(900));
/// The shortest and the longest pause that a provider may ask for.
const BELIEVED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// The longest time that a limit can be ahead: one that is further was noted by a clock that was wrong.
const AHEAD: SignedDuration = SignedDuration::from_secs(3600);

/// Until when nobody asks; `None` if anybody may.
pub(super) fn held(limit: &Limit, now: Timestamp) -> Option<Timestamp> {
    limit.until.filter(|until| now < *until && *until <= now + AHEAD)
}

/// The limit after an answer that says that there were too many calls, and perhaps when to come again.
pub(super) fn reached(limit: &Limit, after: Option<Duration>, now: Timestamp) -> Limit {
    let held = held(limit, now);
    // Calls that were under way at the same time met the same limit.
    let in_a_row = limit.in_a_row.saturating_add(u32::from(held.is_none())).max(1);
    let (shortest, longest) = PAUSES;
    let doubled = || shortest.saturating_mul(1 << (in_a_row - 1).min(16)).min(longest);
    let pause = after.map_or_else(doubled, |after| after.clamp(BELIEVED.0, BELIEVED.1));
    Limit { in_a_row, until: held.max(Some(now + pause)) }
}

/// The limit after any other answer: it is over, unless calls that were under way with that one met it meanwhile.
pub(super) fn passed(limit: &Limit, now: Timestamp) -> Limit {
    if held(limit, now).is_some() { limit.clone() } else { Limit::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_limit_holds_as_long_as_the_provider_asks_for_or_longer_each_time() {
        let mut limit = Limit::default();
        // (second, what came: `None` for an answer, else the time that a limit asks for, until when nobody asks)
        for (second, came, until) in [
            (0, None, None),
            (0, Some(Some(60)), Some(60)),
            (1, Some(Some(7)), Some(60)),
            (2, None, Some(60)),
            (60, None, None),
            (61, Some(None), Some(66)),
            (62, Some(None), Some(67)),
            (70, Some(None), Some(80)),
            (90, Some(None), Some(110)),
            (110, Some(Some(0)), Some(111)),
            (120, Some(None), Some(200)),
            (200, None, None),
            (201, Some(None), Some(206)),
            (300, Some(Some(999_999)), Some(3_900)),
        ] {
            limit = match came {
                Some(after) => reached(&limit, after.map(Duration::from_secs), at(second)),
                None => passed(&limit, at(second)),
            };
            assert_eq!(held(&limit, at(second)), until.map(at), "at {second}: {limit:?}");
        }
        let often = Limit { in_a_row: u32::MAX, until: None };
        assert_eq!(reached(&often, None, at(0)).until, Some(at(900)));
    }

    #[test]
    fn a_limit_that_a_wrong_clock_noted_holds_nobody() {
        let limit = reached(&Limit::default(), Some(Duration::from_secs(60)), at(90_000));
        assert_eq!(held(&limit, at(90_000)), Some(at(90_060)));
        assert_eq!(held(&limit, at(3_600)), None, "the clock was a day ahead");
    }
}
