//! Serves the simulator of a provider's API.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use hooktide_local::clock::SystemClock;
use hooktide_local::simulators;
use serde_json::json;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::output::Output;
use crate::serve::stop_requested;

/// Which simulator, and where.
#[derive(Args)]
pub(crate) struct SimulateArguments {
    /// Id of the provider.
    #[arg(value_name = "NAME")]
    provider: String,
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Number that its account is made from.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Serves it until Ctrl-C.
pub(crate) async fn run(arguments: SimulateArguments, output: &Output) -> Result<(), Failure> {
    let all = hooktide_providers::ALL.iter().copied();
    let simulated: Vec<_> = all.filter(|provider| provider.simulator(arguments.seed).is_some()).collect();
    let Some(provider) = simulated.iter().find(|provider| provider.id() == arguments.provider) else {
        let names: Vec<&str> = simulated.iter().map(|provider| provider.id()).collect();
        return Err(Failure::Usage(format!(
            "There is no simulator of {}; there are {}.",
            arguments.provider,
            names.join(", ")
        )));
    };
    let unheard = |error: std::io::Error| {
        Failure::Failed(format!("Cannot listen on {}: {error}. Give another address with --listen.", arguments.listen))
    };
    let listener = TcpListener::bind(arguments.listen).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    let base = format!("http://{address}");
    match output.json {
        true => output.value(&json!({ "provider": provider.id(), "url": base }))?,
        false => {
            output.line(&format!("{} is simulated at {base}, with controls at {base}/_control/state", provider.id()))?
        }
    }
    let stopped = stop_requested()?;
    let failed = |error: std::io::Error| Failure::Failed(format!("The simulator failed: {error}."));
    simulators::serve(*provider, arguments.seed, Arc::new(SystemClock), listener, stopped)
        .await
        .map(drop)
        .map_err(failed)
}
