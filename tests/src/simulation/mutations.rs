//! Flaws, each of which the simulation must find: wrappers around a port, or parts of the simulated host. None is in code
//! that is shipped.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{
    AttributeValue, Bus, BusEntry, Item, Key, Outgoing, Page, Query, Queue, SORT, Table, TransactFault, Write,
    WriteFault,
};
use serde_json::Value;

use super::ports::is_endpoint;
use super::scheduler::{Gate, Scheduler};

/// Bytes of a delivery that an entity remembers.
const DELIVERY: usize = 45;
/// The byte, and the bit in it, that mark the delivery that reported the current state.
const CURRENT: (usize, u8) = (33, 0x02);

/// A flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Entities forget which deliveries led to them.
    NoDeduplication,
    /// Every reported state counts as newer than the known one.
    NoGuard,
    /// The larger hash wins a tie, whichever was reported last.
    TieByHash,
    /// Entities forget all deliveries but the one that reported the current state, so that a resend lifts an older state.
    ResendLifts,
    /// Tags are raised after the commit, in a call of their own.
    TagsAfterCommit,
    /// The journal is written after the commit, in a call of its own.
    JournalOutsideCommit,
    /// Messages are deleted before they are processed.
    DeletesBeforeCommit,
    /// Claims of deliveries have no condition.
    LeaseIgnored,
    /// A reader's cursor is a time.
    CursorFromTheClock,
    /// A message that is sent again forgets how often it was tried.
    RetriesWithoutLimit,
    /// An endpoint whose record is absent counts as removed.
    AbsentIsRemoved,
    /// No change knows the place of the previous change of its entity.
    OrderLeftToLanes,
    /// A message that the queue refused counts as queued, so its delivery is answered with a 2xx.
    RefusedIsQueued,
    /// A cancelled transaction counts as done.
    CancelledIsDone,
    /// A publish that failed is forgotten.
    FailedPublishForgotten,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::NoDeduplication,
        Self::NoGuard,
        Self::TieByHash,
        Self::ResendLifts,
        Self::TagsAfterCommit,
        Self::JournalOutsideCommit,
        Self::DeletesBeforeCommit,
        Self::LeaseIgnored,
        Self::CursorFromTheClock,
        Self::RetriesWithoutLimit,
        Self::AbsentIsRemoved,
        Self::OrderLeftToLanes,
        Self::RefusedIsQueued,
        Self::CancelledIsDone,
        Self::FailedPublishForgotten,
    ];

    /// The table with this flaw, if it is a flaw of the table.
    pub fn over(self, table: Arc<dyn Table>, raw: &Arc<dyn Table>, scheduler: &Arc<Scheduler>) -> Arc<dyn Table> {
        match self {
            Self::NoDeduplication
            | Self::NoGuard
            | Self::ResendLifts
            | Self::TagsAfterCommit
            | Self::JournalOutsideCommit
            | Self::LeaseIgnored
            | Self::RetriesWithoutLimit
            | Self::AbsentIsRemoved
            | Self::CancelledIsDone
            | Self::OrderLeftToLanes => Arc::new(FlawedTable {
                inner: table,
                raw: Arc::clone(raw),
                flaw: self,
                scheduler: Arc::clone(scheduler),
                poisoned: Mutex::default(),
            }),
            Self::DeletesBeforeCommit
            | Self::CursorFromTheClock
            | Self::TieByHash
            | Self::RefusedIsQueued
            | Self::FailedPublishForgotten => table,
        }
    }
}

/// A queue or a bus that reports every failure as a success.
pub struct Forgetful<T>(pub T);

#[async_trait]
impl Queue for Forgetful<Arc<dyn Queue>> {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        self.0.send(messages).await.iter().map(|_| Ok(())).collect()
    }
}

#[async_trait]
impl Bus for Forgetful<Arc<dyn Bus>> {
    async fn publish(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>> {
        self.0.publish(entries).await.iter().map(|_| Ok(())).collect()
    }
}

/// A message whose delivery was accepted when all others of these years were.
pub fn without_time(body: &str) -> String {
    let Ok(mut envelope) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    if let Some(received_at) = envelope.get_mut("received_at") {
        *received_at = "2026-11-02T00:00:00Z".into();
    }
    envelope.to_string()
}

struct FlawedTable {
    inner: Arc<dyn Table>,
    /// The table as it is.
    raw: Arc<dyn Table>,
    flaw: Mutation,
    scheduler: Arc<Scheduler>,
    /// For the mutation with endless retries, an entity that can never be committed: it must end in the dead letters.
    poisoned: Mutex<Option<String>>,
}

/// The partition and sort key of what is written.
pub(super) fn place(write: &Write) -> (String, String) {
    match write {
        Write::Put { item, .. } => (text(item, "pk"), text(item, SORT)),
        Write::Update { key, .. } | Write::Delete { key, .. } | Write::Check { key, .. } => {
            (key.partition().to_owned(), key.sort().to_owned())
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    }
}

/// The area of a tenant: `N` for entities, `J` for the journal, `G` for tags, `V` for deliveries.
fn area(write: &Write) -> String {
    place(write).0.split('#').nth(2).unwrap_or_default().to_owned()
}

impl FlawedTable {
    fn bend(&self, mut write: Write) -> Write {
        let (area, (_, sort)) = (area(&write), place(&write));
        if let Write::Put { item, condition } = &mut write {
            match self.flaw {
                Mutation::NoDeduplication if area == "N" && sort.starts_with("product#") => {
                    item.insert("deliveries".into(), AttributeValue::B(Vec::new()));
                }
                Mutation::OrderLeftToLanes if area == "N" => drop(item.remove("last")),
                Mutation::LeaseIgnored if area == "V" || area == "B" => *condition = None,
                _ => {}
            }
        }
        write
    }
}

#[async_trait]
impl Table for FlawedTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        if self.flaw == Mutation::RetriesWithoutLimit {
            let mut poisoned = self.poisoned.lock().expect("one thread only");
            let thing = keys.iter().map(Key::sort).find(|sort| sort.starts_with("product#"));
            let poison = poisoned.get_or_insert_with(|| thing.unwrap_or_default().to_owned()).clone();
            if !poison.is_empty() && keys.iter().any(|key| key.sort() == poison) {
                return Err(Fault::failed("this thing can never be read"));
            }
            if poison.is_empty() {
                *poisoned = None;
            }
        }
        let mut items = self.inner.get_many(keys).await?;
        if self.flaw == Mutation::NoGuard {
            for item in items.iter_mut().flatten().filter(|item| text(item, SORT).starts_with("product#")) {
                item.insert("version".into(), AttributeValue::N("0".into()));
            }
        }
        if self.flaw == Mutation::ResendLifts {
            for item in items.iter_mut().flatten() {
                if let Some(AttributeValue::B(deliveries)) = item.get_mut("deliveries") {
                    let current = deliveries.chunks_exact(DELIVERY).filter(|entry| entry[CURRENT.0] & CURRENT.1 != 0);
                    *deliveries = current.collect::<Vec<_>>().concat();
                }
            }
        }
        if self.flaw == Mutation::AbsentIsRemoved {
            for (key, item) in keys.iter().zip(items.iter_mut()).filter(|(key, _)| is_endpoint(key)) {
                if item.is_none() {
                    *item = self.raw.get(key).await?;
                    let now = AttributeValue::S(self.scheduler.now().to_string());
                    item.iter_mut().for_each(|item| drop(item.insert("deleted_at".into(), now.clone())));
                }
            }
        }
        Ok(items)
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.inner.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.inner.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        self.inner.write(self.bend(write)).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        self.inner.write_many(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        let late = match self.flaw {
            Mutation::TagsAfterCommit => "G",
            Mutation::JournalOutsideCommit => "J",
            Mutation::CancelledIsDone => {
                return match self.inner.transact(writes).await {
                    Err(TransactFault::Cancelled(_)) => Ok(()),
                    result => result,
                };
            }
            _ => return self.inner.transact(writes.into_iter().map(|write| self.bend(write)).collect()).await,
        };
        let (after, now): (Vec<Write>, Vec<Write>) = writes.into_iter().partition(|write| area(write) == late);
        if !now.is_empty() {
            self.inner.transact(now).await?;
        }
        Gate::new(&self.scheduler, "between the commit and what should be in it", false).await;
        for write in after {
            drop(self.inner.write(write).await);
        }
        Ok(())
    }
}
