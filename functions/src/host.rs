//! The host: the flows' ports over AWS.

use std::sync::Arc;

use hooktide_aws::bus::EventBridgeBus;
use hooktide_aws::clock::SystemClock;
use hooktide_aws::keys::SecretsManagerKeys;
use hooktide_aws::queue::{QueueUrls, SqsQueue};
use hooktide_aws::secret::StoredSecret;
use hooktide_aws::table::DynamoTable;
use hooktide_aws::{blobs, clients};
use hooktide_flows::Ports;
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_outbound::Outbound;
use hooktide_store::ports::Clock;

use crate::environment::{Environment, EnvironmentFault};
use crate::front::{Front, FrontSecret};
use crate::log;
use crate::metrics::Tally;

/// What a function works with.
pub struct Host {
    /// What its flows reach the world through.
    pub ports: Ports,
    /// Its deployment.
    pub environment: Environment,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What stands in front of the HTTP API.
    pub front: Front,
    /// What became of deliveries since it was last written down.
    pub tally: Arc<Tally>,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Its environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentFault),
    /// A client cannot be made.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Host {
    /// Starts the log, reads the environment and makes the clients. It calls nobody.
    pub async fn start() -> Result<Self, StartFault> {
        log::start(variable("HOOKTIDE_LOG"));
        let environment = Environment::read(variable).inspect_err(|fault| tracing::error!(%fault, "cannot start"))?;
        let configuration = clients::configuration().await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let urls = QueueUrls {
            notices: environment.notices_queue.clone(),
            priority: environment.priority_queue.clone(),
            jobs: environment.jobs_queue.clone(),
            dead: environment.dead_queue.clone(),
        };
        let tally = Arc::new(Tally::default());
        let (secrets, root_keys) = (clients::secrets(&configuration), environment.root_keys.clone());
        let stored = |arn| StoredSecret::new(secrets.clone(), arn, Arc::clone(&clock), FrontSecret::from_json);
        let front = Front(environment.front_secret.clone().map(stored));
        let ports = Ports {
            table: Arc::new(DynamoTable::new(clients::table(&configuration), environment.table.clone())),
            queue: Arc::new(SqsQueue::new(clients::queue(&configuration), urls)),
            bus: Arc::new(EventBridgeBus::new(clients::bus(&configuration), environment.bus.clone())),
            blobs: blobs::bucket(&environment.bucket)?,
            keys: Arc::new(SecretsManagerKeys::new(secrets, root_keys, Arc::clone(&clock))),
            http: Arc::new(Outbound::new(environment.settings.origins(), environment.settings.private_hosts.clone())),
            entropy: Arc::new(Entropy::from_system()?),
            meter: Arc::clone(&tally) as Arc<_>,
        };
        Ok(Self { ports, environment, clock, front, tally })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where a function's environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
