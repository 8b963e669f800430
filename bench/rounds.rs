//! Medians of rounds that take turns, so that other work of the machine affects all contestants alike.

use std::time::{Duration, Instant};

/// The operation to measure: one call does it `calls` times.
pub(crate) struct Contestant<'a> {
    /// How many calls a round has.
    pub(crate) calls: u32,
    /// One call.
    pub(crate) call: Box<dyn FnMut() + 'a>,
}

impl<'a> Contestant<'a> {
    /// So many of these calls a round.
    pub(crate) fn new(calls: u32, call: impl FnMut() + 'a) -> Self {
        Self { calls, call: Box::new(call) }
    }
}

/// The median time of one call of each contestant. The first round only warms up.
pub(crate) fn medians(rounds: usize, contestants: &mut [Contestant<'_>]) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(rounds); contestants.len()];
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..contestants.len()).collect();
        // The second contestant finds other data in the processor's caches than the first.
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let contestant = &mut contestants[index];
            let began = Instant::now();
            for _ in 0..contestant.calls {
                (contestant.call)();
            }
            let took = began.elapsed() / contestant.calls;
            if round > 0 {
                times[index].push(took);
            }
        }
    }
    times.into_iter().map(median).collect()
}

/// The median.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The value below which this share of the sorted values lies.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let index = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(index.saturating_sub(1).min(last)).copied().unwrap_or_default()
}
