//! Acceptance goes before processing: a sender that waits for its 2xx may give up, what is on the queue may wait.
//!
//! While more requests are under way than share an fsync anyway, workers for ordinary notices pause between batches, but not
//! for long: whatever comes, half of the time is theirs. Priority notices have a worker that never pauses.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// From how many requests under way on processing gives way.
const BUSY: usize = 8;
/// For how long it does: requests that share an fsync are answered all at once, and the next ones are still to come.
const CALM: Duration = Duration::from_millis(50);
/// For how long at a stretch; for as long again both share the machine then.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a worker pauses before it looks again.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// How many requests are under way, and when there were last too many; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pressure(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    under_way: AtomicUsize,
    /// When there were last too many requests, in Unix milliseconds.
    busy_at: AtomicI64,
    /// When the stretch began in which that was.
    since: AtomicI64,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Counters>);

impl Pressure {
    /// Counts a request that begins now.
    pub(crate) fn begin(&self, now: Timestamp) -> UnderWay {
        if self.0.under_way.fetch_add(1, Ordering::Relaxed) + 1 >= BUSY {
            if !self.in_stretch(now) {
                self.0.since.store(now.as_millisecond(), Ordering::Relaxed);
            }
            self.0.busy_at.store(now.as_millisecond(), Ordering::Relaxed);
        }
        UnderWay(Arc::clone(&self.0))
    }

    /// Whether processing should give way. A clock that was set back does not keep it waiting; who read the clock just before
    /// a request began waits as well.
    pub(crate) fn is_high(&self, now: Timestamp) -> bool {
        let (since, busy_at) = (time(&self.0.since), time(&self.0.busy_at));
        (busy_at - CALM..busy_at + CALM).contains(&now) && now < since + PATIENCE
    }

    /// Whether processing has not had as much time since a stretch began as it gave.
    fn in_stretch(&self, now: Timestamp) -> bool {
        let (since, busy_at) = (time(&self.0.since), time(&self.0.busy_at));
        let gave = busy_at.duration_since(since).max(SignedDuration::ZERO);
        (since..since + 2 * PATIENCE).contains(&now) && now < busy_at + CALM + gave + CALM
    }
}

fn time(millisecond: &AtomicI64) -> Timestamp {
    Timestamp::from_millisecond(millisecond.load(Ordering::Relaxed)).unwrap_or_default()
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processing_gives_way_while_many_requests_are_under_way_and_a_moment_longer() {
        let pressure = Pressure::default();
        let at = |millisecond: i64| Timestamp::from_millisecond(1_000_000 + millisecond).unwrap();
        let few: Vec<UnderWay> = (1..BUSY).map(|_| pressure.begin(at(0))).collect();
        assert!(!pressure.is_high(at(0)));
        let one_more = pressure.begin(at(10));
        assert!(pressure.is_high(at(10)));
        drop((few, one_more));
        assert!(pressure.is_high(at(59)), "the next requests are still to come");
        assert!(!pressure.is_high(at(60)));
        assert!(pressure.is_high(at(9)), "the clock was read just before");
        assert!(!pressure.is_high(at(-41)), "the clock was set back");
    }

    #[test]
    fn processing_gives_way_half_of_the_time_at_most() {
        let at = |millisecond: i64| Timestamp::from_millisecond(1_000_000 + millisecond).unwrap();
        // Whether requests come all the time, or pause now and then.
        for (busy, calm) in
            [(600, 0), (9_000, 1_000), (10_000, 2_000), (3_000, 2_900), (3_000, 3_100), (100, 200), (20, 60)]
        {
            let pressure = Pressure::default();
            let mut gave = 0;
            for moment in 0..600_000 / 20 {
                if moment * 20 % (busy + calm) < busy {
                    drop((0..BUSY).map(|_| pressure.begin(at(moment * 20))).collect::<Vec<UnderWay>>());
                }
                gave += i32::from(pressure.is_high(at(moment * 20)));
            }
            assert!((4_000..=15_100).contains(&gave), "busy for {busy} ms, then calm for {calm}: {gave} of 30,000");
        }
    }

    #[test]
    fn processing_gives_way_again_after_a_rest() {
        let pressure = Pressure::default();
        let at = |millisecond: i64| Timestamp::from_millisecond(1_000_000 + millisecond).unwrap();
        let _many: Vec<UnderWay> = (0..BUSY).map(|_| pressure.begin(at(0))).collect();
        for moment in (0..=15_000).step_by(20) {
            drop(pressure.begin(at(moment)));
        }
        assert!(!pressure.is_high(at(15_000)));
        drop(pressure.begin(at(17_000)));
        assert!(!pressure.is_high(at(17_000)));
        drop(pressure.begin(at(20_000)));
        assert!(pressure.is_high(at(20_000)));
        drop(pressure.begin(at(20_500)));
        assert!(pressure.is_high(at(20_500)));
    }
}
