//! The renewer: run every minute, it registers, renews, repairs and ends the subscriptions that are due. It takes no messages,
//! so no flood of syncs delays it.

use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::watch::Renewer;
use hooktide_functions::ending::Ending;
use hooktide_functions::host::Host;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;

/// How many connections are looked at at once.
const AT_ONCE: usize = 8;
/// How long before its deadline a run takes no further step: a step may find out whether our own address is reachable (5 s), and
/// then wait for a provider's token and for its answer (15 s each).
const BEFORE_END: Duration = Duration::from_secs(35);

/// What a run did.
#[derive(Serialize)]
struct Looked {
    /// At the subscriptions of how many connections it looked.
    connections: usize,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    let renewer = Arc::new(Renewer::new(host.ports.clone(), &host.environment.settings, AT_ONCE));
    lambda_runtime::run(service_fn(|event| run(Arc::clone(&host), Arc::clone(&renewer), event))).await
}

/// Looks at what is due. What the schedule sends says nothing that matters here.
async fn run(host: Arc<Host>, renewer: Arc<Renewer>, event: LambdaEvent<Value>) -> Result<Looked, Error> {
    let ending = Ending::before(event.context.deadline, BEFORE_END, &*host.clock);
    let connections = renewer.tick(host.clock.now(), &|| ending.is_over()).await?;
    Ok(Looked { connections })
}
