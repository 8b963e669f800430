//! N5: answers that are kept, in the reference workload, over HTTP, and beside the cache that a user would build with Redis.

mod flat;
mod ours;
mod race;
mod rates;
pub(crate) mod redis;
mod workload;

use crate::report::Report;

/// Measures what is made, what is kept, and what becomes stale.
pub(crate) fn measure(report: &mut Report) {
    runtime().block_on(async {
        workload::measure(report).await;
        flat::measure(report).await;
        race::measure(report).await;
    });
}

/// Measures how many kept answers a second there are over HTTP.
pub(crate) fn measure_rates(report: &mut Report) {
    runtime().block_on(rates::measure(report));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime")
}
