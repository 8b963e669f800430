//! Steer: what people see of the syncs of their connections, and what they decide about them.
//!
//! Views ([`SyncView`], [`ResourceView`], [`SubscriptionView`]) say how each resource is read and each subscription is doing,
//! and what to do. A decision is stored, and marks are raised, so that it takes effect within seconds; the jobs that syncs and
//! subscriptions have anyway carry it out. Nothing is asked of a provider here but by [`test()`].

mod check;
mod credentials;
mod enable;
mod feed;
mod resources;
mod run;
mod status;
mod subscriptions;
mod switch;

pub use self::check::{Check, test};
pub use self::enable::enable;
pub use self::feed::{Feed, feed};
pub use self::resources::{LastSyncView, ResourceView, resources};
pub use self::run::{Order, run};
pub use self::status::{SyncView, status};
pub use self::subscriptions::{SubscriptionView, subscriptions};
pub(crate) use self::switch::RUNNER;
pub use self::switch::{NewSwitch, switch, switches};

/// The part of a list that is asked for.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// Only what is of this connection.
    pub connection: Option<String>,
    /// Where an earlier part ended.
    pub after: Option<String>,
    /// The most items.
    pub limit: usize,
}

/// A part of a list.
#[derive(Debug)]
pub struct Sliced<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where it goes on, if there may be more.
    pub next: Option<String>,
}
