//! Roll-up: the totals of days that are over become one record each, so that figures of months cost a read a day.
//!
//! A company has a mark for as long as it exists. Each day it rolls up the days that have been over for long enough, and those
//! anew that were changed after they had been rolled up.

pub(crate) mod late;
pub(crate) mod mark;

use std::time::Duration;

use self::late::late;
use self::mark::next;
use crate::Ports;
use crate::jobs::hold::Next;
use crate::jobs::task::{Runner, Task};
use crate::read::analytics::Quarters;
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Item, Query, Range};
use hooktide_store::records::payment::rolled::{DAY, Rolled, day_of, open_from};
use hooktide_store::records::payment::{Company, CompanyId};
use hooktide_store::records::{self, Upkeep, whole_number};

/// How many days a step rolls up.
const DAYS: i64 = 60;
/// How many days back the first one lies at the most that is rolled up: dates of a clock that was never set are older.
const OLDEST: i64 = 3_700;
/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner = Runner { kind: mark::KIND, step: |ports, _, task| Box::pin(step(ports, task)) };

async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let Some((connection, company)) = task.id.split_once('/') else { return task.finish(ports).await };
    let id = CompanyId { connection: connection.to_owned(), company: company.to_owned() };
    if records::get::<Company>(&*ports.table, &id.key(task.tenant)).await?.is_none() {
        return task.finish(ports).await;
    }
    let open = open_from(task.now.as_second());
    let first = first_open(ports, task.tenant, &id).await?.map(|first| first.max(open - OLDEST * DAY));
    if let Some(from) = first.filter(|from| *from < open) {
        roll(ports, task.tenant, &id, from, open.min(from + DAYS * DAY)).await?;
        if from + DAYS * DAY < open {
            return task.rest(ports, Duration::ZERO).await;
        }
    }
    for day in changed(ports, task.tenant, &id, open).await? {
        if (task.is_over)() {
            return task.rest(ports, Duration::ZERO).await;
        }
        roll(ports, task.tenant, &id, day, day + DAY).await?;
    }
    let at = next(task.id, task.now);
    task.end(ports, Next::Scheduled(at, MarkReason::Nightly)).await.map(drop)
}

/// The first day that was not rolled up yet: the one after the last that was, or the one that has the first totals.
async fn first_open(ports: &Ports, tenant: &Tenant, id: &CompanyId) -> Result<Option<i64>, Fault> {
    let last = Query { partition: id.days(tenant), range: Range::All, descending: true, limit: 1 };
    if let Some(last) = ports.table.query(&last).await?.items.first() {
        return Ok(records::sort_of(last).parse::<i64>().ok().map(|day| day + DAY));
    }
    let first = Query { partition: id.totals(tenant), range: Range::All, descending: false, limit: 1 };
    let first = ports.table.query(&first).await?;
    Ok(first.items.first().and_then(|item| whole_number(item, "quarter")).map(day_of))
}

/// Rolls up the days from one to right before another one.
async fn roll(ports: &Ports, tenant: &Tenant, id: &CompanyId, from: i64, before: i64) -> Result<(), Fault> {
    // Read before the totals: what changes in between makes the record count for nothing.
    let late = late(ports, tenant, id, from, before).await?;
    let quarters = Quarters::counted(&*ports.table, tenant, id, from, before).await?;
    let mut writes = Vec::new();
    for day in (from..before).step_by(usize::try_from(DAY).unwrap_or(usize::MAX)) {
        let mut record = Rolled::new(late.get(&day).copied().unwrap_or(0), &quarters.figures(day, day + DAY))?;
        // A day with more than an item holds is read by its quarters.
        if !record.fits() {
            record = Rolled::new(u64::MAX, &[])?;
        }
        writes.push(records::put(&id.rolled(tenant, day), &record, Upkeep::default())?);
    }
    for result in ports.table.write_many(writes).await {
        result.map_err(records::raced)?;
    }
    Ok(())
}

/// The days that were changed since they were rolled up.
async fn changed(ports: &Ports, tenant: &Tenant, id: &CompanyId, open: i64) -> Result<Vec<i64>, Fault> {
    let late = late(ports, tenant, id, 0, open).await?;
    let keys: Vec<_> = late.keys().map(|day| id.rolled(tenant, *day)).collect();
    let counted = |item: Item| whole_number::<u64>(&item, "late");
    let rolled = ports.table.get_many(&keys).await?.into_iter().map(|item| item.and_then(counted));
    Ok(late
        .into_iter()
        .zip(rolled)
        .filter(|((_, count), rolled)| *rolled != Some(*count))
        .map(|((day, _), _)| day)
        .collect())
}
