//! Flows: what Hooktide does, one verb a file. They name no provider, no host and no clock.

mod asking;
pub mod commit;
pub mod connect;
mod course;
pub mod erase;
pub mod feed;
mod flight;
pub mod follow;
pub mod foreign;
mod inclusion;
pub mod jobs;
pub mod lifetimes;
pub mod message;
mod privacy;
pub mod process;
pub mod publish;
pub mod read;
pub mod receive;
pub mod recount;
pub mod replay;
mod rollup;
mod rounds;
pub mod settings;
mod settle;
pub mod steer;
pub mod sync;
mod told;
pub mod watch;

use std::sync::Arc;

pub use self::settings::Settings;

use hooktide_model::entropy::Entropy;
use hooktide_store::ports::{Blobs, Bus, Http, Keys, Meter, Queue, Table};

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
    /// The way out.
    pub http: Arc<dyn Http>,
    /// Randomness.
    pub entropy: Arc<Entropy>,
    /// The meter that counts the outcomes of deliveries.
    pub meter: Arc<dyn Meter>,
}
