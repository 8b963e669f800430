//! Batches whose entries fail singly: what failed by the service's fault is sent again, a few times.

use std::time::Duration;

use async_trait::async_trait;
use hooktide_model::fault::Fault;

/// How often an entry is sent at the most.
pub(crate) const TRIES: u32 = 4;

/// How long to wait before a repetition: 50 ms, doubled each time. No jitter: one call at a time waits here.
pub(crate) fn pause(times: u32) -> Duration {
    Duration::from_millis(25 << times.min(6))
}

/// Something that takes entries in batches.
#[async_trait]
pub(crate) trait Batches: Sync {
    /// An entry.
    type Entry: Clone + Send + Sync;

    /// How many of the next entries fit one batch.
    fn fit(&self, next: &[Self::Entry]) -> usize;

    /// Sends a batch; one result for each entry, in order. `Err` if the whole call failed, which the SDK has tried again
    /// already.
    async fn send_batch(&self, batch: Vec<Self::Entry>) -> Result<Vec<Result<(), Fault>>, Fault>;
}

/// Sends entries in batches until each is sent, refused, or has been tried [`TRIES`] times; one result for each, in
/// order. After a call that failed as a whole nothing more is sent: a function has not the time to wait for a service that
/// does not answer several times over, and the others would meet the same.
pub(crate) async fn send_all<B: Batches>(to: &B, entries: Vec<B::Entry>) -> Vec<Result<(), Fault>> {
    let mut results: Vec<Result<(), Fault>> = vec![Ok(()); entries.len()];
    let mut waiting: Vec<usize> = (0..entries.len()).collect();
    for time in 1..=TRIES {
        let mut again = Vec::new();
        let sending: Vec<B::Entry> = waiting.iter().map(|place| entries[*place].clone()).collect();
        let (mut places, mut rest) = (waiting.as_slice(), sending.as_slice());
        while !rest.is_empty() {
            let count = to.fit(rest).clamp(1, rest.len());
            let (now, later) = rest.split_at(count);
            let sent = match to.send_batch(now.to_vec()).await {
                Ok(sent) => sent,
                Err(fault) => {
                    for place in places.iter().chain(&again) {
                        results[*place] = Err(fault.clone());
                    }
                    return results;
                }
            };
            for (place, result) in places.iter().zip(sent) {
                if matches!(result, Err(Fault::Retryable { .. })) {
                    again.push(*place);
                }
                results[*place] = result;
            }
            (places, rest) = (&places[count..], later);
        }
        waiting = again;
        if waiting.is_empty() {
            break;
        }
        if time < TRIES {
            tokio::time::sleep(pause(time)).await;
        }
    }
    results
}

/// How many of the first entries fit a batch of at most `most` entries and `bytes` bytes.
pub(crate) fn fitting<T>(entries: &[T], most: usize, bytes: usize, size: impl Fn(&T) -> usize) -> usize {
    let mut total = 0_usize;
    let fits = |entry: &&T| {
        total += size(entry);
        total <= bytes
    };
    entries.iter().take(most).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn batches_are_cut_by_count_and_by_size() {
        assert_eq!(fitting(&[1; 25], 10, 100, |size| *size), 10);
        assert_eq!(fitting(&[40; 25], 10, 100, |size| *size), 2);
        assert_eq!(fitting(&[101; 2], 10, 100, |size| *size), 0, "too large for any batch: sent alone, and refused");
        assert_eq!(fitting(&[50, 50, 1], 10, 100, |size| *size), 2);
    }

    /// Takes two at a time: never a 1, a 2 with the fourth call, and has no time for a 3.
    #[derive(Default)]
    struct Choosy(Mutex<Vec<Vec<u32>>>);

    #[async_trait]
    impl Batches for Choosy {
        type Entry = u32;

        fn fit(&self, _next: &[u32]) -> usize {
            2
        }

        async fn send_batch(&self, batch: Vec<u32>) -> Result<Vec<Result<(), Fault>>, Fault> {
            let mut calls = self.0.lock().unwrap();
            calls.push(batch.clone());
            if batch.contains(&9) {
                return Err(Fault::retryable("nobody there"));
            }
            let result = |entry: &u32| match entry {
                1 => Err(Fault::failed("never")),
                2 if calls.len() < 4 => Err(Fault::retryable("later")),
                3 => Err(Fault::retryable("busy for long")),
                _ => Ok(()),
            };
            Ok(batch.iter().map(result).collect())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_call_that_failed_as_a_whole_nothing_more_is_sent() {
        let choosy = Choosy::default();
        let results = send_all(&choosy, vec![0, 1, 2, 9, 0, 0]).await;
        assert_eq!(*choosy.0.lock().unwrap(), [vec![0, 1], vec![2, 9]]);
        assert!(results[0].is_ok() && matches!(results[1], Err(Fault::Failed { .. })));
        assert!(results[2..].iter().all(|result| matches!(result, Err(Fault::Retryable { .. }))), "{results:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_failed_by_the_service_is_sent_again() {
        let choosy = Choosy::default();
        let results = send_all(&choosy, vec![0, 1, 2, 3]).await;
        assert_eq!(*choosy.0.lock().unwrap(), [vec![0, 1], vec![2, 3], vec![2, 3], vec![2, 3], vec![3]]);
        assert!(results[0].is_ok() && results[2].is_ok());
        assert!(matches!(results[1], Err(Fault::Failed { .. })));
        assert!(matches!(results[3], Err(Fault::Retryable { .. })));
    }
}
