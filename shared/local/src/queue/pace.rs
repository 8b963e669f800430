//! How many messages were handed out lately.

use std::collections::VecDeque;

/// How long back messages count, in milliseconds.
const LATELY: i64 = 60_000;
/// How exactly their time is kept, in milliseconds.
const GRAIN: i64 = 1_000;

/// The messages that one source handed out lately, by the second.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<(i64, u64)>);

impl Pace {
    /// Counts messages that are handed out now.
    pub(super) fn count(&mut self, messages: usize, now: i64) {
        self.forget(now);
        let (second, messages) = (now.div_euclid(GRAIN), u64::try_from(messages).unwrap_or(0));
        match self.0.back_mut() {
            Some((last, count)) if *last == second => *count += messages,
            Some(_) | None if messages > 0 => self.0.push_back((second, messages)),
            Some(_) | None => {}
        }
    }

    /// How many were handed out within the last minute.
    pub(super) fn lately(&mut self, now: i64) -> u64 {
        self.forget(now);
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Forgets what is older, or later than now by a clock that was ahead.
    fn forget(&mut self, now: i64) {
        let (oldest, newest) = ((now - LATELY).div_euclid(GRAIN), now.div_euclid(GRAIN));
        self.0.retain(|(second, _)| (oldest + 1..=newest).contains(second));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_within_a_minute_counts() {
        let mut pace = Pace::default();
        for (at, count) in [(0, 5), (500, 2), (30_000, 1), (59_000, 0)] {
            pace.count(count, at);
        }
        assert_eq!((pace.lately(59_000), pace.lately(60_000), pace.lately(90_000)), (8, 1, 0));
    }
}
