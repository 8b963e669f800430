//! Watch: keeps the subscriptions of a connection as they should be: registered, renewed in time, repaired, ended.
//!
//! One job a connection, apart from syncs, so that no flood of them delays a renewal. Each look (`looks.rs`) compares what is
//! wanted with what there is (`desired.rs`) and with what the provider lists (`listing.rs`), and takes the next step of each
//! subscription that is due (`step.rs`, `ending.rs`): its row is written before the provider is called. What is observed leads
//! from state to state by one pure function (`health.rs`). What nobody knows is found in the list, or by its own messages
//! (`strays.rs`), and ended. The subscriptions of a connection that is deleted are ended before its credentials go (`part.rs`).

mod acting;
mod context;
mod desired;
mod ending;
pub mod health;
mod listing;
mod looks;
pub(crate) mod part;
pub(crate) mod reach;
mod registered;
mod renewer;
mod step;
pub(crate) mod strays;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

pub use self::renewer::Renewer;
use crate::Ports;
use crate::jobs::raise::raise;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records::job::Raise;
use hooktide_store::records::{self, Stored};

/// The kind of the job. The renewer does it, not the syncer.
pub const WATCH: JobKind = JobKind::named("watch");

/// Asks for a look at the subscriptions of a connection, at once.
pub async fn look(ports: &Ports, tenant: &Tenant, connection: &str, now: Timestamp) -> Result<(), Fault> {
    let reasons = BTreeMap::from([(MarkReason::Asked, 1)]);
    let asked = Raise { tenant, job: WATCH, resource: connection, reasons: &reasons, entities: &BTreeSet::new() };
    // The renewer looks each minute, so there is nothing to announce.
    raise(ports, &asked, Duration::ZERO, now).await.map(drop)
}

/// Forgets the subscriptions of a connection whose provider has none of them any more, and asks for a look, which makes them anew.
pub async fn begin_anew(ports: &Ports, tenant: &Tenant, connection: &str, now: Timestamp) -> Result<(), Fault> {
    let rows = context::rows(ports, tenant, connection).await?;
    for Stored { record, rev } in rows {
        let write = Write::Delete { key: record.key(tenant), condition: Some(records::unchanged(rev)) };
        ports.table.write(write).await.map(drop).map_err(records::raced)?;
    }
    look(ports, tenant, connection, now).await
}
