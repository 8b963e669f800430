//! The end of a run: Lambda cuts a run off at its deadline, so it takes up nothing more a while before.

use std::time::Duration;

use hooktide_store::ports::Clock;
use jiff::Timestamp;

/// When a run takes up nothing more.
pub struct Ending<'a> {
    clock: &'a dyn Clock,
    at: Option<u64>,
}

impl<'a> Ending<'a> {
    /// The end of a run with this deadline, in milliseconds, that needs so long to end what it has begun.
    pub fn before(deadline: u64, needed: Duration, clock: &'a dyn Clock) -> Self {
        Self { clock, at: ends_at(deadline, needed, millis(clock.now())) }
    }

    /// Whether the run takes up nothing more: one that is cut off would leave undone what it has begun.
    pub fn is_over(&self) -> bool {
        self.at.is_some_and(|at| millis(self.clock.now()) >= at)
    }
}

/// The time from which a run takes up nothing more; none if its deadline is not known.
fn ends_at(deadline: u64, needed: Duration, now: u64) -> Option<u64> {
    let left = deadline.checked_sub(now).filter(|left| *left > 0)?;
    Some(deadline - u64::try_from(needed.as_millis()).unwrap_or(left).min(left / 2))
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_up_nothing_at_its_end_nor_in_the_last_half_of_a_short_one() {
        let needed = Duration::from_secs(5);
        assert_eq!(ends_at(1_030_000, needed, 1_000_000), Some(1_025_000));
        assert_eq!(ends_at(1_003_000, needed, 1_000_000), Some(1_001_500));
        assert_eq!(ends_at(0, needed, 1_000_000), None, "whoever invokes it says no deadline");
    }
}
