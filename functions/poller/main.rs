//! The poller: run every minute, it sends on what waits for its time and what was lost on the way.

use std::sync::Arc;

use hooktide_flows::jobs::due;
use hooktide_functions::host::Host;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;

/// What a run did.
#[derive(Serialize)]
struct Swept {
    /// How many deferred messages it sent.
    deferred: usize,
    /// How many lost jobs it sent again.
    jobs: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    // What the schedule sends says nothing that matters here.
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| run(Arc::clone(&host)))).await
}

/// Sends both, each whatever becomes of the other.
async fn run(host: Arc<Host>) -> Result<Swept, Error> {
    let now = host.clock.now();
    let deferred = due::deferred(&host.ports, now).await;
    let jobs = due::jobs(&host.ports, now).await;
    Ok(Swept { deferred: deferred?, jobs: jobs? })
}
