//! Switches: a share of a tenant's connections, or of everybody's, is polled, or returns to webhooks.
//!
//! Syncs and subscriptions follow a switch at their next step. A job goes through the connections that it concerns and raises
//! their marks, so that this step comes at once; the operator's goes through the tenants, and each gets a job of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::Ports;
use crate::connect::{Context, Refusal};
use crate::course::Switches;
use crate::jobs::announce::announce;
use crate::jobs::raise::raise;
use crate::jobs::task::{Runner, Task};
use crate::sync::start;
use crate::told::{Note, tell};
use crate::watch::look;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{MarkReason, Outcome, ResourceMode, SyncMode};
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Query, Range, WriteFault};
use hooktide_store::records::connection::Connection;
use hooktide_store::records::job::Raise;
use hooktide_store::records::known_tenant::{self, KnownTenant};
use hooktide_store::records::mode_switch::{self, ModeSwitch};
use hooktide_store::records::{self, Stored, Upkeep};

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner =
    Runner { kind: JobKind::named("mode"), step: |ports, _, task| Box::pin(step(ports, task)) };

/// What the mark of the job is about: all connections.
const ALL: &str = "connections";
/// How many connections, or tenants, are looked at between two notes of the progress.
const PAGE: usize = 25;
/// How often a switch is stored when others do so at the same time.
const ATTEMPTS: usize = 5;

/// A switch to be set.
#[derive(Debug, Clone, Copy)]
pub struct NewSwitch {
    /// The mode of the share.
    pub mode: SyncMode,
    /// How many of a hundred connections have that mode; the rest have the other one.
    pub percent: u8,
    /// Whether it is the operator's, for the connections of all tenants.
    pub of_everybody: bool,
}

/// Sets a switch: that of the tenant, or the operator's. Returns how many of a hundred connections are polled because of it.
pub async fn switch(context: Context<'_>, new: NewSwitch) -> Result<u8, Refusal> {
    if new.percent > 100 {
        return Err(Refusal::invalid("percent", "it is 0 to 100"));
    }
    let percent = match new.mode {
        SyncMode::Polling => new.percent,
        SyncMode::Auto => 100 - new.percent,
    };
    let system = Tenant::system();
    let tenant = if new.of_everybody { &system } else { context.tenant };
    begin(context.ports, tenant, Some(percent), context.now).await?;
    Ok(percent)
}

/// How many of a hundred connections are polled because of the operator's switch, and because of the tenant's.
pub async fn switches(context: Context<'_>) -> Result<(u8, u8), Fault> {
    Ok(Switches::read(context.ports, context.tenant).await?.percents())
}

/// Stores a switch, as it was but for its share, and begins the job that makes it take effect.
async fn begin(ports: &Ports, tenant: &Tenant, percent: Option<u8>, now: Timestamp) -> Result<(), Fault> {
    let key = mode_switch::key(tenant);
    for _ in 0..ATTEMPTS {
        let stored = records::get::<ModeSwitch>(&*ports.table, &key).await?;
        let (rev, former) = stored.map(|stored| (stored.rev, stored.record)).unzip();
        let polling_percent = percent.or(former.map(|former| former.polling_percent)).unwrap_or(0);
        let next = ModeSwitch { polling_percent, since: now, after: None, changed: 0 };
        match ports.table.write(records::replace(&key, rev, &next, Upkeep::default())?).await {
            Ok(_) => {
                let reasons = BTreeMap::from([(MarkReason::Asked, 1)]);
                let (job, entities) = (RUNNER.kind.clone(), BTreeSet::new());
                let asked = Raise { tenant, job, resource: ALL, reasons: &reasons, entities: &entities };
                if let Some(mark) = raise(ports, &asked, Duration::ZERO, now).await? {
                    announce(ports, &mark, now).await;
                }
                return Ok(());
            }
            Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
    }
    Err(Fault::retryable("others set the same switch all the time"))
}

/// Goes on with the connections of a tenant, or with the tenants, as long as the run has time.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let key = mode_switch::key(task.tenant);
    let stored = records::get::<ModeSwitch>(&*ports.table, &key).await?;
    let Some(Stored { mut rev, record: mut switch }) = stored else { return task.finish(ports).await };
    loop {
        let (last, changed) = match *task.tenant == Tenant::system() {
            true => (tenants(ports, &switch, task.now).await?, 0),
            false => connections(ports, &task, &switch).await?,
        };
        switch.changed += changed;
        let is_over = last.is_none();
        switch.after = last;
        // Whoever switches again meanwhile begins anew, and this run ends.
        let write = records::replace(&key, Some(rev), &switch, Upkeep::default())?;
        ports.table.write(write).await.map_err(records::raced)?;
        rev += 1;
        if is_over {
            break;
        }
        if (task.is_over)() {
            return task.rest(ports, Duration::ZERO).await;
        }
    }
    if *task.tenant != Tenant::system() {
        note(ports, &task, &switch).await?;
    }
    task.finish(ports).await
}

/// Begins the jobs of the next tenants; returns the last of them, if there may be more.
async fn tenants(ports: &Ports, switch: &ModeSwitch, now: Timestamp) -> Result<Option<String>, Fault> {
    let range = switch.after.as_ref().map_or(Range::All, |last| records::after("", last));
    let query = Query { partition: known_tenant::partition(), range, descending: false, limit: PAGE };
    let (found, more) = records::list::<KnownTenant>(&*ports.table, &query).await?;
    for (name, _) in &found {
        if let Ok(tenant) = Tenant::parse(name) {
            begin(ports, &tenant, None, now).await?;
        }
    }
    Ok(found.into_iter().next_back().map(|(name, _)| name).filter(|_| more))
}

/// Wakes the next connections; returns the last of them, if there may be more, and how many are to change.
async fn connections(ports: &Ports, task: &Task<'_>, switch: &ModeSwitch) -> Result<(Option<String>, u64), Fault> {
    let switches = Switches::read(ports, task.tenant).await?;
    let partition = Partition::of(task.tenant, Area::Connections);
    let range = switch.after.as_ref().map_or(Range::All, |last| records::after("", last));
    let query = Query { partition, range, descending: false, limit: PAGE };
    let (found, more) = records::list::<Connection>(&*ports.table, &query).await?;
    let mut changed = 0;
    for (_, Stored { record, .. }) in &found {
        if record.deleted_at.is_none() && wake(ports, task, record, &switches).await? {
            changed += 1;
        }
    }
    Ok((found.into_iter().next_back().map(|(id, _)| id).filter(|_| more), changed))
}

/// Raises the marks of a connection whose resources are in another mode than they should be; whether any is.
async fn wake(ports: &Ports, task: &Task<'_>, connection: &Connection, switches: &Switches) -> Result<bool, Fault> {
    let course = switches.course(connection);
    let known = start::known(ports, task.tenant, &connection.id).await?;
    let wrong: Vec<_> = known.iter().map(|stored| &stored.record).filter(|one| course.is_against(one.mode)).collect();
    if wrong.is_empty() || !course.is_on {
        return Ok(false);
    }
    // Back in mode webhook, a resource is read when its subscription is there again.
    for resource in wrong.iter().filter(|_| course.fixed() == Some(ResourceMode::Polling)) {
        start::raise(ports, task.tenant, &resource.id(), MarkReason::Poll, task.now).await?;
    }
    look(ports, task.tenant, &connection.id, task.now).await?;
    Ok(true)
}

/// Tells the activity what the switch did.
async fn note(ports: &Ports, task: &Task<'_>, switch: &ModeSwitch) -> Result<(), Fault> {
    let (operator, own) = Switches::read(ports, task.tenant).await?.percents();
    let text = format!(
        "{own} % of the connections are switched to polling, {operator} % by the operator; {} had to change",
        switch.changed
    );
    let note = Note {
        id: format!("mode-{}", switch.since.as_millisecond()),
        provider: "hooktide",
        topic: "mode",
        about: ALL,
        connection: None,
        outcome: Outcome::Processed,
        text,
    };
    tell(ports, task.committer, task.tenant, note, task.now).await
}
