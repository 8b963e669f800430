//! N5: answers that are kept, in the reference workload, over HTTP, and beside the cache that a user would build with Redis.

mod flat;
mod ours;
mod race;
mod rates;
pub(crate) mod redis;
mod workload;

use crate::report::Report;

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        workload::measure(report).await;
        flat::measure(report).await;
        race::measure(report).await;
        rates::measure(report).await;
    });
}
