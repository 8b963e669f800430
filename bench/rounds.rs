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

/// The median time of one call of each contestant.
pub(crate) fn medians(rounds: usize, contestants: &mut [Contestant<'_>]) -> Vec<Duration> {
    times(rounds, contestants).into_iter().map(median).collect()
}

/// The times of one call of each contestant, round by round. The first round only warms up.
fn times(rounds: usize, contestants: &mut [Contestant<'_>]) -> Vec<Vec<Duration>> {
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
    times
}

/// How many pairs of rounds a group has.
pub(crate) const GROUP: usize = 81;
/// How many groups of pairs are measured at most.
const MOST_GROUPS: usize = 12;
/// How far apart the ends of the median's interval may be.
const STEADY: f64 = 1.02;

/// Times of two contestants that were measured one right after the other, so that both met the same disturbances.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    times: Vec<[Duration; 2]>,
    groups: usize,
}

impl Pairs {
    /// Measures this group of pairs until the median is steady.
    pub(crate) fn of(contestants: &mut [Contestant<'_>; 2]) -> Self {
        let mut pairs = Self::default();
        while pairs.wants_more() {
            pairs.measure(contestants);
        }
        pairs
    }

    /// Measures a group of pairs.
    pub(crate) fn measure(&mut self, contestants: &mut [Contestant<'_>; 2]) {
        let times = times(GROUP, contestants);
        self.times.extend(times[0].iter().zip(&times[1]).map(|(first, second)| [*first, *second]));
        self.groups += 1;
    }

    /// Whether the median is not steady yet: whether it may as well lie elsewhere, with 95 % of confidence, and there were
    /// not too many groups.
    pub(crate) fn wants_more(&self) -> bool {
        let ratios = self.ratios();
        // Two standard deviations of how many of so many tosses of a coin are heads.
        let (middle, reach) = (ratios.len() / 2, (ratios.len() as f64).sqrt() as usize);
        let ends = ratios.get(middle.saturating_sub(reach)).zip(ratios.get(middle + reach));
        self.groups < MOST_GROUPS && ends.is_none_or(|(low, high)| high / low > STEADY)
    }

    /// The median of the second's times by the first's.
    pub(crate) fn ratio(&self) -> f64 {
        middle(self.ratios())
    }

    /// The median time of each.
    pub(crate) fn medians(&self) -> [Duration; 2] {
        [0, 1].map(|index: usize| median(self.times.iter().map(|pair| pair[index]).collect()))
    }

    /// The second's times by the first's, sorted.
    fn ratios(&self) -> Vec<f64> {
        let mut ratios: Vec<f64> =
            self.times.iter().map(|[first, second]| second.as_secs_f64() / first.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }
}

/// The median.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The median of numbers.
pub(crate) fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The value below which this share of the sorted values lies.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let index = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(index.saturating_sub(1).min(last)).copied().unwrap_or_default()
}
