//! A world whose ports fail on demand.

use std::sync::Arc;
use std::time::Duration;

use hooktide_api::Options;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_flows::{Ports, Settings};
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_store::ports::Http;
use hooktide_store::times;

use super::{Faults, FaultyTable, Published, faulty};
use crate::world::{World, clock};

/// Longer than a message that was received stays invisible.
const VISIBLE_AGAIN: Duration = times::SYNCER.visibility.saturating_add(Duration::from_secs(1));

/// A world whose ports fail on demand.
pub struct FaultyWorld {
    /// The world.
    pub world: World,
    /// What fails.
    pub faults: Arc<Faults>,
    /// The table in front of the world's own.
    pub table: Arc<FaultyTable>,
    /// What the bus was told.
    pub published: Arc<Published>,
}

impl FaultyWorld {
    /// In which nothing fails yet.
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// With other settings.
    pub async fn with(settings: Settings) -> Self {
        Self::asking(settings, clock(), None).await
    }

    /// With other settings, on this clock, and with another way out.
    pub async fn asking(settings: Settings, clock: ManualClock, http: Option<Arc<dyn Http>>) -> Self {
        let faults = Arc::new(Faults::default());
        let mut host = Host::in_memory(7, settings, Arc::new(clock.clone())).expect("a host in memory opens");
        host.ports.http = http.unwrap_or(host.ports.http);
        let table = Arc::new(FaultyTable::new(Arc::clone(&host.ports.table), Arc::clone(&faults)));
        let (ports, published) = faulty(&host.ports, &faults);
        host.ports = Ports { table: Arc::clone(&table) as Arc<_>, ..ports };
        host.receiver = Arc::new(Receiver::new(host.ports.clone(), host.settings.clone()));
        host.processor = Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
        host.syncer = Arc::new(Syncer::new(host.ports.clone(), &host.settings));
        let options = Options { stream_life: Duration::ZERO, ..Options::default() };
        let world = World::over(Arc::new(host), clock, options).await;
        Self { world, faults, table, published }
    }

    /// Lets time go by and processes until nothing waits any more.
    pub async fn settle(&self) {
        for _ in 0..60 {
            self.world.tick().await;
            if self.world.idle().await.is_ok() {
                return;
            }
            self.world.clock.advance(VISIBLE_AGAIN);
        }
        panic!("it never comes to rest: {:?}", self.world.idle().await);
    }
}
