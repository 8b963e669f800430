//! The local server: HTTP and workers around the host.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hooktide_api::{Api, Options};
use hooktide_flows::Settings;
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records;
use hooktide_store::records::canary::{self, Canary};
use hooktide_store::records::token::{self, Principal, Token};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::clock::SystemClock;
use crate::demo;
use crate::home::HomeError;
use crate::host::{Host, JOBS_OF_A_GROUP, OpenError, WORKERS_OF_A_GROUP};
use crate::http;
use crate::pressure;
use crate::webhooks;

/// How many workers process messages.
const WORKERS: usize = 2 * WORKERS_OF_A_GROUP;
/// How many workers do jobs, which may take long: apart from those that process, and few. One tenant's jobs never hold all of them.
const JOB_WORKERS: usize = 2 * JOBS_OF_A_GROUP;
/// The only source of the worker for priority.
const PRIORITY: &[Source] = &[Source::Queue(QueueName::Priority)];
/// The only source of the workers for jobs.
const JOBS: &[Source] = &[Source::Queue(QueueName::Jobs)];
/// How long a worker waits when nothing wakes it.
const IDLE: Duration = Duration::from_millis(500);
/// How long a worker waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often deferred messages and lost jobs are swept, and how often a store that may be damaged is looked at; expired items
/// are swept every hour.
const SWEEP: Duration = Duration::from_secs(60);
/// How often scheduled jobs and subscriptions are looked at.
const DUE: Duration = Duration::from_secs(2);
/// How long the store counts as undamaged after a check, if nothing fails.
const SOUND: Duration = Duration::from_secs(3600);
/// How long open requests may take when the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// The file in the data folder with the address of the server, while it runs.
pub const ADDRESS_FILE: &str = "address";
/// The file that the admin key is in.
const ADMIN_TOKEN: &str = "admin-token";

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The data folder.
    pub home: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The URL that providers call; the listening address by default.
    pub public_url: Option<String>,
    /// Whether to make a connection of each provider for experiments.
    pub demo: bool,
    /// The origins from which browsers may call the API.
    pub origins: Vec<String>,
    /// Whether the test tools are switched on for everybody who may operate.
    pub test_tools: bool,
    /// The operator's settings.
    pub settings: Settings,
}

/// The address and the admin key of a server that is ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The address that it listens on.
    pub address: SocketAddr,
    /// The file that the admin key is in.
    pub admin_token_file: PathBuf,
    /// The ids of the demo's connections, by provider.
    pub demo_connections: BTreeMap<&'static str, String>,
    /// Where the demo's simulators are, by provider.
    pub simulators: BTreeMap<&'static str, SocketAddr>,
}

/// Why the server does not serve. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use or unavailable.
    #[error("cannot listen on {address}: {error}. Is another server there? Give another address with --listen.")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        error: std::io::Error,
    },
    /// The demo would be reachable by others.
    #[error(
        "the demo's connections have secrets that anybody can read, so it listens on this machine only: \
         leave --demo out, or listen on 127.0.0.1 instead of {0}"
    )]
    OpenDemo(SocketAddr),
    /// The data folder is unavailable.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store was written under other root keys.
    #[error(
        "the store in {0} was written under other root keys than those in root-keys.json: no webhook address would be \
         known, and no stored secret could be opened. Restore the root-keys.json and the table.db that belong together."
    )]
    OtherKeys(PathBuf),
    /// Something failed.
    #[error("the server failed: {0}")]
    Failed(String),
}

impl From<Fault> for ServeError {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault.to_string())
    }
}

impl From<HomeError> for ServeError {
    fn from(error: HomeError) -> Self {
        Self::Open(error.into())
    }
}

/// Serves until `shutdown` completes, then lets open requests end.
pub async fn serve(
    options: ServeOptions,
    ready: impl FnOnce(Ready),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if options.demo && !options.listen.ip().is_loopback() {
        return Err(ServeError::OpenDemo(options.listen));
    }
    if options.demo && options.public_url.is_some() {
        warn!("the demo's connections have secrets that anybody can read; do not let others reach this server");
    }
    let listen = |error| ServeError::Listen { address: options.listen, error };
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let public_url = options.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
    let public_url = public_url.trim_end_matches('/').to_owned();
    let serving = http::fitting(options.settings.serving);
    let mut settings = Settings { public_url, serving, ..options.settings.clone() };
    let simulating = |error: std::io::Error| ServeError::Failed(format!("the demo's simulators: {error}"));
    let simulators = match options.demo {
        true => demo::simulate(&mut settings).await.map_err(simulating)?,
        false => demo::Simulators::new(),
    };
    let host = Arc::new(Host::open(&options.home, settings, Arc::new(SystemClock))?);
    let ports = &host.ports;
    if canary::check(&*ports.table, &*ports.keys, &ports.entropy).await? == Canary::OtherKeys {
        return Err(ServeError::OtherKeys(options.home));
    }
    make_admin_token(&host).await?;
    let (origins, test_tools) = (options.origins.clone(), options.test_tools);
    let api = host.api(Options { origins, test_tools, load: host.load(), ..Options::default() });
    let app = app(&host, Arc::clone(&api));
    let failed = |(provider, refusal)| ServeError::Failed(format!("the demo's connection of {provider}: {refusal}"));
    let started_at = host.clock.now();
    let demo_connections =
        if options.demo { demo::connect_all(&host, &simulators).await.map_err(failed)? } else { BTreeMap::new() };
    let (stop, stopped) = watch::channel(false);
    let workers = start_workers(&host, &stopped);
    let warming = tokio::spawn(hooktide_api::warm(api));
    let blocking = tokio::spawn(demo::let_calendars_block(Arc::clone(&host), demo_connections.clone(), started_at));
    note_address(&host, address)?;
    ready(Ready { address, admin_token_file: options.home.join(ADMIN_TOKEN), demo_connections, simulators });
    // Event streams would keep the server up for minutes, so they are cut off after a while; their clients reconnect.
    let serving = tokio::spawn(http::serve(listener, app, serving, stopped, GRACE));
    shutdown.await;
    stop.send_replace(true);
    blocking.abort();
    warming.abort();
    forget_address(&host);
    serving.await.map_err(|error| ServeError::Failed(error.to_string()))?;
    for worker in workers {
        drop(tokio::time::timeout(GRACE, worker).await);
    }
    Ok(())
}

/// Writes the address into the data folder, where the command line finds it.
fn note_address(host: &Host, address: SocketAddr) -> Result<(), HomeError> {
    let Some(home) = host.home() else { return Ok(()) };
    home.write_private(ADDRESS_FILE, format!("http://{}\n", reachable(address)).as_bytes())
}

/// Removes the address of a server that stops.
fn forget_address(host: &Host) {
    if let Some(home) = host.home()
        && let Err(error) = std::fs::remove_file(home.join(ADDRESS_FILE))
    {
        warn!(%error, "the address of this server stays in its folder");
    }
}

/// The address at which a client on this machine reaches a server that listens at `address`.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// All routes: webhooks and the API.
pub fn app(host: &Arc<Host>, api: Arc<Api>) -> Router {
    webhooks::router(Arc::clone(host)).merge(hooktide_api::router(api))
}

fn start_workers(host: &Arc<Host>, stopped: &watch::Receiver<bool>) -> Vec<tokio::task::JoinHandle<()>> {
    let mut workers = vec![tokio::spawn(sweep(Arc::clone(host), stopped.clone()))];
    // Each by itself: whoever keeps one waiting does not hold up the other.
    workers.extend(
        [Due::Jobs, Due::Subscriptions].map(|due| tokio::spawn(look_for(due, Arc::clone(host), stopped.clone()))),
    );
    workers.push(tokio::spawn(look_for_damage(Arc::clone(host), stopped.clone())));
    // One for priority alone: bulk work never makes a payment wait.
    let any: &[Source] = &[Source::Queue(QueueName::Priority), Source::Queue(QueueName::Notices), Source::Dead];
    let jobs = std::iter::repeat_n(JOBS, JOB_WORKERS);
    let sources = std::iter::once(PRIORITY).chain(std::iter::repeat_n(any, WORKERS)).chain(jobs);
    workers.extend(sources.map(|sources| tokio::spawn(work(Arc::clone(host), sources, stopped.clone()))));
    workers
}

async fn work(host: Arc<Host>, sources: &'static [Source], mut stopped: watch::Receiver<bool>) {
    let queue = host.queue.clone();
    while !*stopped.borrow() {
        let mut processed = 0;
        let mut pause = IDLE;
        if sources != PRIORITY && host.pressure.is_high(host.clock.now()) {
            tokio::time::sleep(pressure::PAUSE).await;
            continue;
        }
        for source in sources {
            // A panic ends the batch, not the worker; its messages come again when their visibility ends.
            let batch = tokio::spawn({
                let (host, source) = (Arc::clone(&host), *source);
                async move { host.process_some(source).await }
            });
            match batch.await {
                Ok(Ok(count)) => processed += count,
                Ok(Err(fault)) => {
                    warn!(%fault, "a batch could not be taken");
                    host.doubt.notify_one();
                    pause = AFTER_FAILURE;
                }
                Err(panic) => {
                    error!(%panic, "a batch panicked");
                    pause = AFTER_FAILURE;
                }
            }
            if processed > 0 {
                break;
            }
        }
        if processed == 0 {
            tokio::select! {
                () = queue.changed() => {}
                () = tokio::time::sleep(pause) => {}
                _ = stopped.changed() => {}
            }
        }
    }
}

/// Waits for a while, or until the server stops.
async fn rest(time: Duration, stopped: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stopped.changed() => {}
    }
}

async fn sweep(host: Arc<Host>, mut stopped: watch::Receiver<bool>) {
    for minute in 0_u64.. {
        if *stopped.borrow() {
            return;
        }
        let mut swept = vec![host.sweep_deferred().await];
        // The first run comes a while after the start, when the backlog is done.
        if minute % 60 == 5 {
            swept.push(host.sweep_expired().await);
        }
        for fault in swept.into_iter().filter_map(Result::err) {
            warn!(%fault, "sweeping failed; it is tried again");
        }
        rest(SWEEP, &mut stopped).await;
    }
}

/// What is looked for often.
#[derive(Clone, Copy)]
enum Due {
    /// Jobs that are due, which are sent.
    Jobs,
    /// Subscriptions that are due.
    Subscriptions,
}

async fn look_for(due: Due, host: Arc<Host>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let swept = match due {
            Due::Jobs => host.sweep_jobs().await,
            Due::Subscriptions => host.sweep_subscriptions().await,
        };
        if let Err(fault) = swept {
            warn!(%fault, "what is due waits; it is tried again");
        }
        rest(DUE, &mut stopped).await;
    }
}

/// Checks whether the store is damaged: at the start, every hour, and after a failure.
async fn look_for_damage(host: Arc<Host>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        host.look_for_damage().await;
        let next = async {
            tokio::time::sleep(SWEEP).await;
            tokio::time::timeout(SOUND, host.doubt.notified()).await
        };
        tokio::select! {
            _ = next => {}
            _ = stopped.changed() => {}
        }
    }
}

/// Makes the operator's key at the first start, and keeps it in a file that only its owner can read.
async fn make_admin_token(host: &Host) -> Result<(), ServeError> {
    let Some(home) = host.home() else { return Err(ServeError::Failed("there is no data folder".into())) };
    let table = &*host.ports.table;
    if let Some(text) = home.read_private(ADMIN_TOKEN)?
        && let Some((id, secret)) = token::parse(text.trim())
        && let Some(stored) = records::get::<Token>(table, &token::key(id)).await?
        && stored.record.admits(secret, host.clock.now())
    {
        return Ok(());
    }
    let principal = Principal::operator(Tenant::default_local());
    let issued = token::issue(table, &host.ports.entropy, principal, None, host.clock.now()).await?;
    home.write_private(ADMIN_TOKEN, issued.text.expose())?;
    Ok(())
}
