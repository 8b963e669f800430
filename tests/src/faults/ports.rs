//! Queues, a bus and root keys that fail on demand.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_model::names::Channel;
use hooktide_model::sealing::RootKeys;
use hooktide_store::ports::{Bus, BusEntry, Keys, Outgoing, Queue};
use serde_json::Value;

use super::Faults;
use crate::contracts::bus::changes_of;

/// Queues that fail on demand.
pub struct FaultyQueue {
    inner: Arc<dyn Queue>,
    faults: Arc<Faults>,
}

impl FaultyQueue {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Queue>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl Queue for FaultyQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        self.faults.change_each(messages, |messages| self.inner.send(messages), |fault| fault).await
    }
}

/// What the bus was told.
#[derive(Debug, Default)]
pub struct Published {
    entries: Mutex<Vec<BusEntry>>,
    /// Whether the bus refuses everything.
    refuses: AtomicBool,
}

impl Published {
    /// Everything, in order.
    pub fn entries(&self) -> Vec<BusEntry> {
        self.entries.lock().unwrap().clone()
    }

    /// From now on, the bus refuses everything for no known reason, or no longer.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// The ids of the changes told on a channel, in order, with repeats.
    pub fn ids(&self, tenant: &str, channel: Channel) -> Vec<String> {
        let told = if channel.is_invalidation() { "change" } else { "id" };
        let of = self.entries().into_iter().filter(|one| one.tenant.as_str() == tenant && one.channel == channel);
        let changes = of.flat_map(|one| changes_of(&one));
        changes.filter_map(|change: Value| change[told].as_str().map(str::to_owned)).collect()
    }
}

/// A bus that fails on demand, and remembers what it was told.
pub struct FaultyBus {
    inner: Arc<dyn Bus>,
    published: Arc<Published>,
    faults: Arc<Faults>,
}

impl FaultyBus {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Bus>, published: Arc<Published>, faults: Arc<Faults>) -> Self {
        Self { inner, published, faults }
    }

    async fn tell(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>> {
        if self.published.refuses.load(Ordering::Relaxed) {
            return vec![Err(Fault::failed("the bus refuses everything")); entries.len()];
        }
        self.published.entries.lock().unwrap().extend(entries.iter().cloned());
        self.inner.publish(entries).await
    }
}

#[async_trait]
impl Bus for FaultyBus {
    async fn publish(&self, entries: Vec<BusEntry>) -> Vec<Result<(), Fault>> {
        self.faults.change_each(entries, |entries| self.tell(entries), |fault| fault).await
    }
}

/// Root keys that fail on demand.
pub struct FaultyKeys {
    inner: Arc<dyn Keys>,
    faults: Arc<Faults>,
}

impl FaultyKeys {
    /// In front of `inner`.
    pub fn new(inner: Arc<dyn Keys>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl Keys for FaultyKeys {
    async fn root(&self) -> Result<Arc<RootKeys>, Fault> {
        self.faults.read(self.inner.root(), |fault| fault).await
    }
}
