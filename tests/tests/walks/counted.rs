//! A world that counts what is read of its table, and can hold it up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Item, Key, Page, Query, Table, TransactFault, Write, WriteFault};
use hooktide_tests::world::World;
use jiff::Timestamp;
use tokio::sync::RwLock;

/// A world over a table that counts what is read of it.
pub(crate) struct Counted {
    pub(crate) world: World,
    /// How many queries and readings of many items began.
    pub(crate) reads: Arc<AtomicUsize>,
    /// Held for writing, it keeps queries from coming to their end.
    pub(crate) held: Arc<RwLock<()>>,
}

impl Counted {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::at(Timestamp::from_second(1_767_700_000).expect("a time"));
        let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).expect("a host");
        let (reads, held) = (Arc::default(), Arc::default());
        let inner = Arc::clone(&host.ports.table);
        host.ports.table = Arc::new(CountedTable { inner, reads: Arc::clone(&reads), held: Arc::clone(&held) });
        Self { world: World::over(Arc::new(host), clock, Options::default()).await, reads, held }
    }
}

struct CountedTable {
    inner: Arc<dyn Table>,
    reads: Arc<AtomicUsize>,
    held: Arc<RwLock<()>>,
}

#[async_trait]
impl Table for CountedTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.inner.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let _open = self.held.read().await;
        self.inner.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.inner.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        self.inner.write(write).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        self.inner.write_many(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        self.inner.transact(writes).await
    }
}
