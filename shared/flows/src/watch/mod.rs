//! Watch: keeps the subscriptions of a connection as they should be: registered, renewed in time, repaired, ended.
//!
//! One job a connection, apart from syncs, so that no flood of them delays a renewal. Each step compares what is wanted with
//! what there is (`desired.rs`) and takes the next step of each subscription that is due (`step.rs`): its record is written
//! before the provider is called. What is observed leads from state to state by one pure function (`health.rs`).

mod desired;
pub mod health;
mod reach;
mod renewer;
mod step;

use jiff::Timestamp;

pub use self::renewer::Renewer;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::WriteFault;
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark};

/// The kind of the job. The renewer does it, not the syncer.
pub const WATCH: JobKind = JobKind::named("watch");

/// Asks for a look at the subscriptions of a connection, at once.
pub async fn look(ports: &Ports, tenant: &Tenant, connection: &str, now: Timestamp) -> Result<(), Fault> {
    let stored = records::get::<Mark>(&*ports.table, &job::key(tenant, &WATCH, connection)).await?;
    let mark = match &stored {
        Some(stored) if stored.record.running => Mark { again: true, ..stored.record.clone() },
        Some(stored) => job::resting(&stored.record, now),
        None => Mark::asked(tenant, WATCH, connection, now, now),
    };
    match ports.table.write(job::store(stored.map(|stored| stored.rev), &mark)?).await {
        // Somebody else raised it, or looks at this moment; the daily look finds what that one missed.
        Ok(_) | Err(WriteFault::Condition(_) | WriteFault::Conflict) => Ok(()),
        Err(WriteFault::Fault(fault)) => Err(fault),
    }
}
