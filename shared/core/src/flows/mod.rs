//! Flows: what Hooktide does, one verb a file. They name no provider, no host and no clock.

pub mod process;
pub mod receive;
pub mod replay;

use std::sync::Arc;
use std::time::Duration;

use crate::entropy::Entropy;
use crate::ports::{Blobs, Bus, Keys, Queue, Table};

/// Everything that flows reach the world through.
#[derive(Clone)]
pub struct Ports {
    /// The store.
    pub table: Arc<dyn Table>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// The bus.
    pub bus: Arc<dyn Bus>,
    /// The blob store.
    pub blobs: Arc<dyn Blobs>,
    /// The root keys.
    pub keys: Arc<dyn Keys>,
    /// Randomness.
    pub entropy: Arc<Entropy>,
}

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What providers call, without a slash at the end; some of them sign it.
    pub public_url: String,
    /// How long a receiver uses what it knows of an endpoint.
    pub endpoint_cache: Duration,
    /// How many failed verifications a minute an endpoint takes from one address before they are answered 429.
    pub failures_per_minute: u32,
    /// How many lanes a tenant's journal has.
    pub lanes: u8,
    /// How long the journal is kept.
    pub keep_journal: Duration,
    /// How long dead letters are kept.
    pub keep_dead_letters: Duration,
    /// How long deliveries for unknown accounts are kept.
    pub keep_held: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8787".into(),
            endpoint_cache: Duration::from_secs(300),
            failures_per_minute: 100,
            lanes: 4,
            keep_journal: 30 * DAY,
            keep_dead_letters: 90 * DAY,
            keep_held: 30 * DAY,
        }
    }
}
