//! What a look at subscriptions works with, and their rows.

use jiff::Timestamp;

use crate::commit::Committer;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::Write;
use hooktide_store::records::subscription::{self, Subscription};
use hooktide_store::records::{self, Stored, Upkeep};

/// How many subscriptions a connection has at the most.
const MOST: usize = 2_000;

/// The rows of a connection's subscriptions.
pub(super) async fn rows(ports: &Ports, tenant: &Tenant, connection: &str) -> Result<Vec<Stored<Subscription>>, Fault> {
    let (partition, prefix) = (subscription::partition(tenant), subscription::prefix(connection));
    let all = records::list_all(&*ports.table, partition, &prefix, MOST).await?;
    Ok(all.into_iter().map(|(_, stored)| stored).collect())
}

/// What the renewer works with.
pub(super) struct Context<'a> {
    pub(super) ports: &'a Ports,
    pub(super) settings: &'a Settings,
    pub(super) committer: &'a Committer,
    pub(super) tenant: &'a Tenant,
    /// Whether the run takes no further step.
    pub(super) is_over: &'a (dyn Fn() -> bool + Sync),
    pub(super) now: Timestamp,
}

impl Context<'_> {
    /// The rows of a connection's subscriptions.
    pub(super) async fn rows(&self, connection: &str) -> Result<Vec<Stored<Subscription>>, Fault> {
        rows(self.ports, self.tenant, connection).await
    }

    /// Writes a new row.
    pub(super) async fn insert(&self, record: Subscription) -> Result<Stored<Subscription>, Fault> {
        let insert = records::insert(&record.key(self.tenant), &record, Upkeep::default())?;
        self.ports.table.write(insert).await.map_err(records::raced)?;
        Ok(Stored { rev: 1, record })
    }

    /// Writes a row over the one that was read.
    pub(super) async fn replace(&self, stored: &Stored<Subscription>, next: &Subscription) -> Result<(), Fault> {
        let write = records::replace(&next.key(self.tenant), Some(stored.rev), next, Upkeep::default())?;
        self.ports.table.write(write).await.map(drop).map_err(records::raced)
    }

    /// Writes a row over the one that was read, together with a new one.
    pub(super) async fn replace_and_insert(
        &self,
        stored: &Stored<Subscription>,
        next: &Subscription,
        new: &Subscription,
    ) -> Result<(), Fault> {
        let writes = vec![
            records::replace(&next.key(self.tenant), Some(stored.rev), next, Upkeep::default())?,
            records::insert(&new.key(self.tenant), new, Upkeep::default())?,
        ];
        self.ports.table.transact(writes).await.map_err(records::overtaken)
    }

    /// Removes rows that nobody can do anything about.
    pub(super) async fn remove_all(&self, rows: &[Stored<Subscription>]) -> Result<(), Fault> {
        for stored in rows {
            self.remove(stored).await?;
        }
        Ok(())
    }

    /// Removes the row that was read.
    pub(super) async fn remove(&self, stored: &Stored<Subscription>) -> Result<(), Fault> {
        let delete =
            Write::Delete { key: stored.record.key(self.tenant), condition: Some(records::unchanged(stored.rev)) };
        self.ports.table.write(delete).await.map(drop).map_err(records::raced)
    }
}
