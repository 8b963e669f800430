//! Publish: puts committed changes on the bus, at least once, always with the change's id.
//!
//! A queue redelivers a message until its changes are published. A page, an import's row or a cart comes only once, so
//! their commit also writes a mark that names its place in the journal. The committer publishes the place and removes the
//! mark; otherwise the mark becomes due.

mod entries;
pub(crate) mod mark;

use std::collections::HashSet;

use tracing::warn;

use crate::Ports;
use crate::commit::committed::{Committed, CommittedChange};
use crate::feed::ChangeView;
use crate::jobs::task::{Runner, Task};
use hooktide_model::envelope::{Envelope, Unpublished};
use hooktide_model::fault::Fault;
use hooktide_model::place::{JournalPlace, NoPlace};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Bus, Write};
use hooktide_store::records::job;
use hooktide_store::records::journal::{self, Entry};
use hooktide_store::records::{self, document};

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner = Runner { kind: mark::PUBLISH, step: |ports, _, task| Box::pin(step(ports, task)) };

/// Publishes a place that was not published before its mark was due.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let at: JournalPlace = task.id.parse().map_err(|error: NoPlace| Fault::failed(error.to_string()))?;
    publish_place(ports, task.tenant, at, |_| true).await?;
    task.finish(ports).await
}

/// Publishes changes that were committed.
pub(crate) async fn publish(bus: &dyn Bus, tenant: &Tenant, changes: Vec<CommittedChange>) -> Result<(), Fault> {
    let view = |CommittedChange { entry, text, .. }| {
        ChangeView::of(&entry, text.and_then(|text: Vec<u8>| serde_json::from_slice(&text).ok()))
    };
    let views: Vec<ChangeView> = changes.into_iter().filter_map(view).collect();
    let entries = entries::entries(tenant, views)?;
    if entries.is_empty() {
        return Ok(());
    }
    for result in bus.publish(entries).await {
        result.inspect_err(|fault| warn!(%tenant, %fault, "changes were not published"))?;
    }
    Ok(())
}

/// Publishes the changes that an envelope committed before it was put off, and returns the ids of its entries in the
/// journal.
pub(crate) async fn publish_again(ports: &Ports, envelope: &Envelope) -> Result<HashSet<String>, Fault> {
    let mut done = HashSet::new();
    for Unpublished { tenant, at } in &envelope.committed {
        done.extend(publish_place(ports, tenant, *at, |entry| entry.is_of(&envelope.id)).await?);
    }
    Ok(done)
}

/// Publishes the changes of a commit whose facts come once, and removes the mark that it left. If this fails or does not
/// happen, the mark becomes due. The caller announces the jobs that the facts raised.
pub async fn announce(ports: &Ports, tenant: &Tenant, committed: Committed) -> Result<(), Fault> {
    publish(&*ports.bus, tenant, committed.changes).await?;
    let marks = committed.announced.into_iter().map(|at| job::key(tenant, &RUNNER.kind, &at.to_string()));
    let deletes = marks.map(|key| Write::Delete { key, condition: None }).collect();
    for result in ports.table.write_many(deletes).await {
        result.map_err(records::raced)?;
    }
    Ok(())
}

/// Publishes the changes at a place of the journal; the ids of its entries.
async fn publish_place(
    ports: &Ports,
    tenant: &Tenant,
    at: JournalPlace,
    is_wanted: impl Fn(&Entry) -> bool,
) -> Result<Vec<String>, Fault> {
    let (mut ids, mut changes) = (Vec::new(), Vec::new());
    for entry in journal::at(&*ports.table, tenant, at).await?.into_iter().filter(is_wanted) {
        ids.push(entry.id.clone());
        let document: Vec<_> = entry.document().into_iter().collect();
        let text = document::load(&*ports.table, &*ports.blobs, tenant, &document).await?.pop().flatten();
        if entry.change.is_some() {
            changes.push(CommittedChange { entry, text: text.map(|text| text.get().into()), at });
        }
    }
    publish(&*ports.bus, tenant, changes).await?;
    Ok(ids)
}
