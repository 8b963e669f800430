//! Readers and a writer at once: how many answers are older than what was committed, and invalidated, before they were asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::ours::{Ours, value_of};
use super::redis::{self, Cached};
use crate::report::{Report, Verdict, grouped};

/// How many changes are made.
const CHANGES: u64 = 1_000;
/// How many ask at once, and how often each.
const READERS: u64 = 8;
const ASKED: u64 = 1_000;
/// The longest time that reading takes, and that is between two changes.
const LONGEST: u64 = 3_000;

/// Measures.
pub(super) async fn measure(report: &mut Report) {
    let ours = Arc::new(Ours::new().await);
    let (write, read) = (Arc::clone(&ours), ours);
    let stale = race(
        move |value| {
            let ours = Arc::clone(&write);
            async move { ours.commit(value, (value % 4) as u8).await }
        },
        move |takes| {
            let ours = Arc::clone(&read);
            async move { ours.answer(takes).await }
        },
    )
    .await;
    let asked = grouped((READERS * ASKED) as f64);
    let what = format!("stale answers of {asked} while there are {} changes", grouped(CHANGES as f64));
    report.judge("N5", &what, grouped(stale as f64), "none", Verdict::Required(stale == 0));
    let Some((address, _running)) = redis::start() else {
        report.show(
            "N5",
            "  through Redis, with tags in sets",
            "not measured: redis-server is not installed".to_owned(),
        );
        return;
    };
    let (cached, value) = (Cached::at(address).await, Arc::new(AtomicU64::new(0)));
    let (write, written) = (cached.clone(), Arc::clone(&value));
    let stale = race(
        move |next| {
            let (cached, value) = (write.clone(), Arc::clone(&written));
            async move {
                value.store(next, Ordering::SeqCst);
                cached.invalidate("tag").await;
            }
        },
        move |takes| {
            let (cached, value) = (cached.clone(), Arc::clone(&value));
            async move {
                let fill = async {
                    let value = value.load(Ordering::SeqCst);
                    tokio::time::sleep(takes).await;
                    value.to_string().into_bytes()
                };
                value_of(&cached.answer("question", "tag", fill).await)
            }
        },
    )
    .await;
    report.show("N5", "  through Redis, with tags in sets", grouped(stale as f64));
}

/// How many answers were older than the last change that was complete when they were asked for.
async fn race<W, R>(
    write: impl Fn(u64) -> W + Send + 'static,
    read: impl Fn(Duration) -> R + Clone + Send + 'static,
) -> u64
where
    W: Future<Output = ()> + Send,
    R: Future<Output = u64> + Send,
{
    let complete = Arc::new(AtomicU64::new(0));
    let written = Arc::clone(&complete);
    let writer = tokio::spawn(async move {
        let mut random = StdRng::seed_from_u64(0);
        for value in 1..=CHANGES {
            write(value).await;
            written.store(value, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_micros(random.random_range(0..LONGEST))).await;
        }
    });
    let readers = (1..=READERS).map(|seed| {
        let (read, complete) = (read.clone(), Arc::clone(&complete));
        tokio::spawn(async move {
            let (mut random, mut stale) = (StdRng::seed_from_u64(seed), 0);
            for _ in 0..ASKED {
                let asked_at = complete.load(Ordering::SeqCst);
                let given = read(Duration::from_micros(random.random_range(0..LONGEST))).await;
                stale += u64::from(given < asked_at);
                tokio::time::sleep(Duration::from_micros(random.random_range(0..LONGEST / 4))).await;
            }
            stale
        })
    });
    let mut stale = 0;
    for reader in readers.collect::<Vec<_>>() {
        stale += reader.await.expect("a reader ends");
    }
    writer.await.expect("the writer ends");
    stale
}
