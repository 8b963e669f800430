//! The host: flows over local ports, and a `tick` that drains what is due.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use hooktide_api::{Api, Load, Options};
use hooktide_flows::jobs::due;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::message::Message;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_flows::watch::Renewer;
use hooktide_flows::{Ports, Settings};
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_outbound::Outbound;
use hooktide_store::ports::{Blobs, Clock, QueueName, Source, Table, blob_fault};
use hooktide_store::times;
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use crate::bus::LocalBus;
use crate::forgetting::ForgettingTable;
use crate::home::{Home, HomeError};
use crate::keys::{KeysError, LocalKeys};
use crate::pressure::Pressure;
use crate::queue::{DurableQueue, OpenError as QueueError, QueueSettings};
use crate::table::{self, DynoxideTable};

/// How many workers may process messages of one group: half of them, so that a slow group never occupies all. While one waits for the
/// disk, another one parses.
pub(crate) const WORKERS_OF_A_GROUP: usize = 3;
/// How many workers may do jobs of one group.
pub(crate) const JOBS_OF_A_GROUP: usize = 2;
/// How many messages are processed at once.
pub const BATCH: usize = 25;
/// How many jobs are taken at once: each may take as long as a run may.
const JOBS: usize = 1;
/// How many connections' subscriptions are looked at at once.
const LOOKS: usize = 4;
/// The file of the store.
const TABLE_FILE: &str = "table.db";
/// The file of the queue.
const QUEUE_FILE: &str = "queue.db";
/// How long a check of the store for damage may take.
const LOOKING: Duration = Duration::from_secs(5);
/// How long a claim check is kept: longer than any message waits on a queue.
const KEEP_CLAIMS: Duration = Duration::from_secs(14 * 24 * 3600);
/// How long the notes of a listing are kept that its end left behind: as long as the bucket keeps them.
const KEEP_NOTES: Duration = Duration::from_secs(30 * 24 * 3600);

/// The local host.
pub struct Host {
    /// The ports of its flows.
    pub ports: Ports,
    /// The operator's settings.
    pub settings: Settings,
    /// Receives webhooks.
    pub receiver: Arc<Receiver>,
    /// Processes notices.
    pub processor: Arc<Processor>,
    /// Does jobs.
    pub syncer: Arc<Syncer>,
    /// Keeps subscriptions.
    pub renewer: Arc<Renewer>,
    /// The queue's receiving side.
    pub queue: DurableQueue,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    pub(crate) pressure: Pressure,
    /// Notified at a failure that a damaged store may have caused.
    pub(crate) doubt: Notify,
    table: Arc<DynoxideTable>,
    bell: watch::Receiver<u64>,
    damage: watch::Sender<Option<String>>,
    _home: Option<Home>,
}

/// Why the host cannot start. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The root keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store, the blob folder or the system.
    #[error("the data folder does not open: {0}. If a file of it is damaged, restore the folder from a backup.")]
    Fault(#[from] Fault),
}

/// The parts that differ between a folder and memory.
struct Parts {
    table: DynoxideTable,
    queue: DurableQueue,
    blobs: Arc<dyn Blobs>,
    keys: LocalKeys,
    entropy: Entropy,
    home: Option<Home>,
}

impl Host {
    /// Opens a data folder.
    pub fn open(path: &Path, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let mut home = Home::open(path)?;
        home.require(TABLE_FILE, "all connections, states, changes and dead letters")?;
        home.require(QUEUE_FILE, "what was accepted and not processed yet")?;
        let entropy = Entropy::from_system()?;
        let blobs_path = home.join("blobs");
        std::fs::create_dir_all(&blobs_path)
            .map_err(|error| HomeError::Unusable { path: blobs_path.clone(), error })?;
        let blobs = LocalFileSystem::new_with_prefix(&blobs_path).map_err(|error| blob_fault(&error))?;
        let table = home.join(TABLE_FILE);
        // Before the table is made, so that a folder whose first start was cut off does not count as in use.
        let keys = LocalKeys::open(&home, home.is_complete() || table.exists(), &entropy)?;
        let mut parts = Parts {
            table: DynoxideTable::open(&table)?,
            queue: DurableQueue::open(&home.join(QUEUE_FILE), Arc::clone(&clock), QueueSettings::default())?,
            blobs: Arc::new(blobs.with_automatic_cleanup(true).with_fsync(true)),
            keys,
            entropy,
            home: None,
        };
        home.completed()?;
        parts.home = Some(home);
        Ok(Self::assemble(parts, settings, clock))
    }

    /// A host in memory, repeatable from a seed.
    pub fn in_memory(seed: u64, settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let entropy = Entropy::seeded(seed);
        let parts = Parts {
            table: DynoxideTable::in_memory(Arc::clone(&clock))?,
            queue: DurableQueue::in_memory(Arc::clone(&clock), QueueSettings::default())?,
            blobs: Arc::new(object_store::memory::InMemory::new()),
            keys: LocalKeys::generate(&entropy),
            entropy,
            home: None,
        };
        Ok(Self::assemble(parts, settings, clock))
    }

    fn assemble(parts: Parts, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let bus = LocalBus::default();
        let bell = bus.bell();
        let table = Arc::new(parts.table);
        let mut ports = Ports {
            table: Arc::clone(&table) as Arc<dyn Table>,
            queue: Arc::new(parts.queue.clone()),
            bus: Arc::new(bus),
            blobs: parts.blobs,
            keys: Arc::new(parts.keys),
            http: Arc::new(Outbound::new(settings.origins(), settings.private_hosts.clone())),
            entropy: Arc::new(parts.entropy),
            meter: Arc::new(()),
        };
        let receiver = Arc::new(Receiver::new(ports.clone(), settings.clone()));
        // In memory one after the other, so that runs are repeatable from a seed.
        let looks = if parts.home.is_some() { LOOKS } else { 1 };
        ports.table = Arc::new(ForgettingTable::new(ports.table, Arc::clone(&receiver)));
        Self {
            receiver,
            processor: Arc::new(Processor::new(ports.clone(), settings.clone())),
            syncer: Arc::new(Syncer::new(ports.clone(), &settings)),
            renewer: Arc::new(Renewer::new(ports.clone(), &settings, looks)),
            queue: parts.queue,
            ports,
            settings,
            clock,
            pressure: Pressure::default(),
            doubt: Notify::new(),
            table,
            bell,
            damage: watch::Sender::new(None),
            _home: parts.home,
        }
    }

    /// The API over this host.
    pub fn api(&self, options: Options) -> Arc<Api> {
        let bell = Some(self.bell.clone());
        let options = Options { damage: Some(self.damage.subscribe()), ..options };
        Arc::new(Api::new(self.ports.clone(), self.settings.clone(), options, Arc::clone(&self.clock), bell))
    }

    /// The load of requests that cannot wait.
    pub(crate) fn load(&self) -> Load {
        let (pressure, clock) = (self.pressure.clone(), Arc::clone(&self.clock));
        Load::of(move || pressure.is_high(clock.now()))
    }

    /// Checks the store's file for damage, for a few seconds at most; the API's health reports the result.
    pub async fn look_for_damage(&self) {
        let Some(path) = self.home().map(|home| home.join(TABLE_FILE)) else { return };
        let found = table::damage(path, LOOKING).await;
        if let Some(damage) = &found {
            error!(damage, "the store is damaged: stop the server and restore the data folder from a backup");
        }
        self.damage.send_replace(found);
    }

    /// The file that the admin key is written to, and everything else private.
    pub fn home(&self) -> Option<&Home> {
        self._home.as_ref()
    }

    /// Processes everything that is due now or becomes due by that, and returns the number of messages.
    pub async fn tick(&self) -> Result<usize, Fault> {
        let mut processed = 0;
        loop {
            let mut round = 0;
            for source in Source::ALL {
                round += self.process_some(source).await?;
            }
            round += self.sweep_deferred().await?;
            if round == 0 {
                return Ok(processed);
            }
            processed += round;
        }
    }

    /// Processes one batch of a queue, and returns the number of messages.
    pub async fn process_some(&self, source: Source) -> Result<usize, Fault> {
        let is_jobs = source == Source::Queue(QueueName::Jobs);
        let most = if is_jobs { JOBS } else { BATCH };
        let of_a_group = if is_jobs { JOBS_OF_A_GROUP } else { WORKERS_OF_A_GROUP };
        let (received, _claim) = self.queue.claim(source, most, of_a_group).await?;
        if received.is_empty() {
            return Ok(0);
        }
        let now = self.clock.now();
        let messages = received
            .iter()
            .map(|message| Message { handle: message.id.to_string(), source, body: message.body.clone() })
            .collect();
        let failed = match is_jobs {
            true => self.syncer.run_until(messages, now, &|| self.clock.now() >= now + times::SYNCER.busy()).await,
            false => self.processor.process(messages, now).await,
        };
        // Messages that failed stay on the queue until their visibility ends.
        let done: Vec<(i64, u64)> = received
            .iter()
            .filter(|message| !failed.contains(&message.id.to_string()))
            .map(|message| (message.id, message.receipt))
            .collect();
        self.queue.delete(&done).await?;
        Ok(received.len())
    }

    /// Sends the deferred messages that are due.
    pub async fn sweep_deferred(&self) -> Result<usize, Fault> {
        due::deferred(&self.ports, self.clock.now()).await
    }

    /// Sends lost jobs again.
    pub async fn sweep_jobs(&self) -> Result<usize, Fault> {
        due::jobs(&self.ports, self.clock.now()).await
    }

    /// Looks at the subscriptions that are due, for as long as a function might.
    pub async fn sweep_subscriptions(&self) -> Result<usize, Fault> {
        let now = self.clock.now();
        let is_over = || self.clock.now() >= now + times::SYNCER.run;
        self.renewer.tick(now, &is_over).await
    }

    /// Runs every sweep, even if another one fails.
    pub async fn sweep(&self) -> Result<(), Fault> {
        let jobs = self.sweep_jobs().await.map(drop);
        let expired = self.sweep_expired().await.map(drop);
        jobs.and(expired)
    }

    /// Deletes expired items, and blobs that nothing can refer to any more. Reads everything, so run it rarely.
    pub async fn sweep_expired(&self) -> Result<usize, Fault> {
        let items = self.table.sweep_expired().await?;
        // A message that still waits may need its claim check, however old it is.
        let waiting = self.queue.depth().await?.into_iter().filter_map(|depth| depth.oldest_sent_at).min();
        let now = self.clock.now();
        let claims = (now - KEEP_CLAIMS).min(waiting.map_or(now, |oldest| oldest - KEEP_CLAIMS));
        let mut blobs = self.sweep_blobs("claims", claims).await?;
        blobs += self.sweep_blobs("kept", now - self.settings.keep_dead_letters - KEEP_CLAIMS).await?;
        blobs += self.sweep_blobs("seen", now - KEEP_NOTES).await?;
        if items + blobs > 0 {
            info!(items, blobs, "what expired is swept");
        }
        Ok(items + blobs)
    }

    async fn sweep_blobs(&self, directory: &str, before: Timestamp) -> Result<usize, Fault> {
        let blobs = &self.ports.blobs;
        let oldest = before.as_second();
        let old: Vec<_> = blobs
            .list(Some(&object_store::path::Path::from(directory)))
            .try_filter(|found| std::future::ready(found.last_modified.timestamp() < oldest))
            .map_ok(|found| found.location)
            .take(10_000)
            .try_collect()
            .await
            .map_err(|error| blob_fault(&error))?;
        for path in &old {
            if let Err(error) = blobs.delete(path).await {
                warn!(%path, %error, "an old blob stays");
            }
        }
        Ok(old.len())
    }
}
