//! Ports whose every call waits for the scheduler, over the local host's own table and blob store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_model::names::Channel;
use hooktide_store::ports::{
    Bus, BusEntry, Cancellation, Item, Key, Page, Query, Table, TransactFault, Write, WriteFault,
};
use jiff::Timestamp;

use crate::contracts::bus::changes_of;

use super::scheduler::{Gate, Scheduler, Verdict};

/// The fault of a call that did not happen.
pub fn throttled() -> Fault {
    Fault::retryable("throttled")
}

/// The fault of a call that may or may not have happened.
pub fn lost() -> Fault {
    Fault::retryable("the answer was lost")
}

/// Does the entries of a batch whose bit is set; the others are throttled.
pub fn batch<T, R, E: From<Fault>>(entries: Vec<T>, bits: u64, each: impl Fn(T) -> Result<R, E>) -> Vec<Result<R, E>> {
    let one = |(place, entry): (usize, T)| {
        if bits >> (place % 64) & 1 == 1 { each(entry) } else { Err(E::from(throttled())) }
    };
    entries.into_iter().enumerate().map(one).collect()
}

/// The facts about a table that the table itself does not hold.
#[derive(Debug, Default)]
pub struct Observed {
    /// The time until which the records of endpoints are absent, if they ever were.
    absent_until: Mutex<Option<Timestamp>>,
    /// The positions of journals in the order in which they were committed, by partition and sort key.
    committed: Mutex<BTreeMap<(String, String), u64>>,
}

impl Observed {
    /// Whether the records of endpoints were ever absent.
    pub fn were_endpoints_absent(&self) -> bool {
        self.absent_until.lock().expect("one thread only").is_some()
    }

    /// The place of a position of a journal among all that were committed.
    pub fn committed(&self, partition: &str, position: u64) -> Option<u64> {
        let place = (partition.to_owned(), format!("{position:016}"));
        self.committed.lock().expect("one thread only").get(&place).copied()
    }

    fn note(&self, writes: &[Write]) {
        let mut committed = self.committed.lock().expect("one thread only");
        for write in writes {
            let place = super::mutations::place(write);
            if place.0.split('#').nth(2) == Some("J") && place.1 != "genesis" {
                let next = committed.len() as u64;
                committed.insert(place, next);
            }
        }
    }
}

/// Whether an item is the record of an endpoint.
pub fn is_endpoint(key: &Key) -> bool {
    key.partition().starts_with("E#") && key.sort() == "endpoint"
}

/// A table whose calls wait for the scheduler.
pub struct GatedTable {
    inner: Arc<dyn Table>,
    scheduler: Arc<Scheduler>,
    observed: Arc<Observed>,
}

impl GatedTable {
    /// Puts gates in front of `inner`, whose calls must be ready at once.
    pub fn new(inner: Arc<dyn Table>, scheduler: &Arc<Scheduler>, observed: &Arc<Observed>) -> Self {
        Self { inner, scheduler: Arc::clone(scheduler), observed: Arc::clone(observed) }
    }

    /// Whether a read finds nothing where an endpoint is.
    fn is_absent(&self, key: &Key) -> bool {
        let rate = self.scheduler.rates().absent;
        if rate == 0 || !is_endpoint(key) {
            return false;
        }
        let (now, mut until) = (self.scheduler.now(), self.observed.absent_until.lock().expect("one thread only"));
        if until.is_none_or(|until| until <= now) && self.scheduler.happens("fault: endpoints are absent", rate) {
            *until = Some(now + Duration::from_secs(1 + self.scheduler.choose(30) as u64));
        }
        until.is_some_and(|until| now < until)
    }

    async fn reads(&self, call: &'static str) -> Result<(), Fault> {
        match Gate::new(&self.scheduler, call, false).await {
            Verdict::Happens | Verdict::Conflict | Verdict::Half(_) => Ok(()),
            Verdict::Throttled => Err(throttled()),
            Verdict::AnswerLost => Err(lost()),
        }
    }
}

#[async_trait]
impl Table for GatedTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.reads("table.get").await?;
        Ok(self.inner.get(key).await?.filter(|_| !self.is_absent(key)))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.reads("table.get_many").await?;
        let found = self.inner.get_many(keys).await?;
        Ok(keys.iter().zip(found).map(|(key, item)| item.filter(|_| !self.is_absent(key))).collect())
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.reads("table.query").await?;
        self.inner.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.inner.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        match Gate::new(&self.scheduler, "table.write", false).await {
            Verdict::Happens | Verdict::Half(_) => {
                let result = self.inner.write(write.clone()).await;
                result.inspect(|_| self.observed.note(&[write]))
            }
            Verdict::Conflict => Err(WriteFault::Conflict),
            Verdict::Throttled => Err(WriteFault::Fault(throttled())),
            Verdict::AnswerLost => {
                let result = self.inner.write(write.clone()).await;
                result.inspect(|_| self.observed.note(&[write])).and_then(|_| Err(WriteFault::Fault(lost())))
            }
        }
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        let count = writes.len();
        if count == 0 {
            return Vec::new();
        }
        match Gate::new(&self.scheduler, "table.write_many", count > 1).await {
            Verdict::Happens | Verdict::Conflict => self.inner.write_many(writes).await,
            Verdict::Throttled => vec![Err(WriteFault::Fault(throttled())); count],
            Verdict::AnswerLost => {
                let results = self.inner.write_many(writes).await;
                results.into_iter().map(|result| result.and(Err(WriteFault::Fault(lost())))).collect()
            }
            Verdict::Half(bits) => {
                let mut results = Vec::with_capacity(count);
                for (place, write) in writes.into_iter().enumerate() {
                    results.push(if bits >> (place % 64) & 1 == 1 {
                        self.inner.write(write).await.map(drop)
                    } else {
                        Err(WriteFault::Fault(throttled()))
                    });
                }
                results
            }
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        match Gate::new(&self.scheduler, "table.transact", false).await {
            Verdict::Happens | Verdict::Half(_) => {
                self.inner.transact(writes.clone()).await?;
                self.observed.note(&writes);
                Ok(())
            }
            Verdict::Conflict => Err(TransactFault::Cancelled(vec![Cancellation::Conflict; writes.len()])),
            Verdict::Throttled => Err(TransactFault::Fault(throttled())),
            Verdict::AnswerLost => {
                self.inner.transact(writes.clone()).await?;
                self.observed.note(&writes);
                Err(TransactFault::Fault(lost()))
            }
        }
    }
}

/// Tenant, channel and id of a change.
type Told = (String, Channel, String);

/// A bus that remembers its entries, and whose calls wait for the scheduler.
pub struct GatedBus {
    scheduler: Arc<Scheduler>,
    /// How often each change was published.
    told: Arc<Mutex<BTreeMap<Told, u64>>>,
}

impl GatedBus {
    /// A bus without entries.
    pub fn new(scheduler: &Arc<Scheduler>) -> Self {
        Self { scheduler: Arc::clone(scheduler), told: Arc::default() }
    }

    /// How often a change was published on a channel.
    pub fn told(&self, tenant: &str, channel: Channel, id: &str) -> u64 {
        let key = (tenant.to_owned(), channel, id.to_owned());
        self.told.lock().expect("one thread only").get(&key).copied().unwrap_or(0)
    }

    fn take(&self, entry: BusEntry) {
        let named = if entry.channel.is_invalidation() { "change" } else { "id" };
        let mut told = self.told.lock().expect("one thread only");
        for change in changes_of(&entry) {
            let id = change[named].as_str().unwrap_or_default().to_owned();
            *told.entry((entry.tenant.to_string(), entry.channel, id)).or_default() += 1;
        }
    }
}

#[async_trait]
impl Bus for GatedBus {
    async fn publish(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>> {
        let count = entries.len();
        let verdict = Gate::new(&self.scheduler, "bus.publish", count > 1).await;
        match verdict {
            Verdict::Throttled => vec![Err(throttled()); count],
            Verdict::Half(bits) => batch(entries, bits, |entry| {
                self.take(entry);
                Ok(())
            }),
            Verdict::Happens | Verdict::Conflict | Verdict::AnswerLost => {
                entries.into_iter().for_each(|entry| self.take(entry));
                let result = if verdict == Verdict::AnswerLost { Err(lost()) } else { Ok(()) };
                vec![result; count]
            }
        }
    }
}
