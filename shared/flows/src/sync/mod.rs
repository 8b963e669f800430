//! Sync: reads what changed in a resource of a connection, one job at a time.
//!
//! Webhooks, polls, probes and full listings differ only in who raised the mark. A run takes up the reading that is under way,
//! or begins one (`begin.rs`), and asks its provider step by step (`asking`), by turns (`turn.rs`). What a page reports
//! (`facts.rs`) is committed together with the cursor that belongs to it, and with what went with an entity that ended
//! (`ended.rs`). At its end (`ending.rs`), a listing of everything is compared with what is known (`seen.rs`, `missing.rs`). How
//! the run ended decides when the next one is due (`outcome.rs`), and the mark rests until then.

mod begin;
mod circle;
mod due;
mod ended;
mod ending;
mod facts;
mod heard;
mod known;
mod missing;
pub(crate) mod mode;
mod outcome;
mod rest;
mod run;
pub(crate) mod seen;
pub mod start;
mod turn;

pub(crate) use self::due::nightly;
use self::run::Run;
use crate::asking::account;
use crate::follow::busy::gone;
use crate::inclusion;
use crate::jobs::task::{Runner, Task};
use crate::{Ports, course};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_store::records;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::resource::{Resource, ResourceId};

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner = Runner { kind: JobKind::SYNC, step: |ports, _, task| Box::pin(step(ports, task)) };

/// Reads one resource, until everything is read or the run has no more time.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let Some(id) = ResourceId::parse(task.id) else { return task.finish(ports).await };
    let key = connection::key(task.tenant, &id.connection);
    let stored = records::get::<Connection>(&*ports.table, &key).await?;
    let Some(connection) = stored.map(|stored| stored.record).filter(|connection| connection.deleted_at.is_none())
    else {
        return task.finish(ports).await;
    };
    let account = account::whole(ports, task.settings, task.tenant, connection, task.now).await?;
    let account = account.map(|account| account.about(&id.name));
    let subject = account.as_ref().and_then(|account| Some((account, account.provider.source()?)));
    // A resource that has parts is read by its parts. Where nobody can read it, its mark says that something changed, until
    // somebody can.
    let Some((account, source)) = subject.filter(|(_, source)| id.part.is_some() || !source.has_parts(&id.name)) else {
        return rest::park(ports, &task, &id).await;
    };
    let stored = records::get::<Resource>(&*ports.table, &id.key(task.tenant)).await?;
    // A part that nobody listed, such as one that a stranger's notification names.
    if stored.is_none() && id.part.is_some() {
        return rest::park(ports, &task, &id).await;
    }
    // What somebody does not want to be read waits, as it is, until they do.
    if let Some(resource) = stored.as_ref().map(|stored| &stored.record).filter(|resource| !resource.is_gone)
        && resource.part.is_some()
        && !inclusion::is_read(&inclusion::chosen(ports, task.tenant, &id.connection).await?, resource)
    {
        return rest::park(ports, &task, &id).await;
    }
    let course = course::of(ports, task.tenant, &account.connection).await?;
    // What a connection is told while it is switched off waits in the mark until it is on again.
    if !course.is_on && !task.held.record.reasons.keys().any(MarkReason::is_asked) {
        return rest::park(ports, &task, &id).await;
    }
    let mode = mode::of(ports, task.tenant, course, &id, task.now).await?;
    let is_gone = stored.as_ref().is_some_and(|stored| stored.record.is_gone);
    let run = Run::new(ports, &task, (account, source), &id, (stored, mode, course));
    if is_gone {
        if let Some(part) = &id.part {
            gone::calendar(ports, task.tenant, (&id.connection, part), task.now).await?;
        }
        return task.finish_with(ports, &[run.remove().await?]).await;
    }
    let end = run.until_it_ends().await?;
    rest::until(ports, &task, end).await
}
