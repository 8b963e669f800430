//! Recount: makes the totals of companies from their transactions anew, while payments go on.
//!
//! A step compares the totals of some quarters with the transactions in them, and adds what is missing. Commits change both
//! together, so a difference that was found while no total changed is one whatever is committed afterwards: to add it needs no
//! pause. It is added in one transaction with the progress and the hold of the job, so that no two runs add it.

mod compare;

use std::collections::BTreeSet;
use std::time::Duration;

use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Kind, MarkReason};
use hooktide_store::ports::Write;
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::job::Raise;
use hooktide_store::records::payment::{Company, CompanyId, Recount, quarter_of, rolled};
use hooktide_store::records::{self, Stored, Upkeep, tag};

use self::compare::{Compared, compare};
use crate::connect::{Context, Refusal};
use crate::jobs::announce;
use crate::jobs::raise::raise;
use crate::jobs::task::{Runner, Task};
use crate::read::{Companies, Reader};
use crate::{Ports, rollup};

/// How many totals one transaction corrects: with their days, progress and mark, under DynamoDB's hundred items.
const MOST: usize = 45;
/// How often a run looks at quarters that change all the time before it rests.
const LOOKS: usize = 5;
/// How long it rests then.
const REST: Duration = Duration::from_secs(2);
/// How long ago what hardly changes any more was counted.
const PAST: i64 = 3600;
/// How far beyond its beginning transactions are looked for: providers' clocks may be ahead.
const AHEAD: i64 = 2 * 24 * 3600;

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner =
    Runner { kind: JobKind::named("recount"), step: |ports, _, task| Box::pin(step(ports, task)) };

/// Begins a recount of the companies that a reader may see, from the beginning on; one that is under way begins anew.
pub async fn begin(reader: Reader<'_>, company: Option<&str>) -> Result<Vec<Recount>, Refusal> {
    let Context { ports, tenant, now, .. } = reader.context;
    let mut begun = Vec::new();
    for company in Companies::seen(reader, None, company).await?.0 {
        let recount = Recount {
            id: company.id.clone(),
            started_at: now,
            counted_to: 0,
            transactions: 0,
            corrected: 0,
            finished_at: None,
        };
        let resource = rollup::mark::resource(&company.id);
        let key = Recount::key(tenant, &company.id);
        let former = records::get::<Recount>(&*ports.table, &key).await?.map(|former| former.rev);
        let progress = records::replace(&key, former, &recount, Upkeep::default())?;
        // Somebody else began it at the same time.
        records::unless_raced(ports.table.write(progress).await)?;
        let asked = Raise {
            tenant,
            job: RUNNER.kind.clone(),
            resource: &resource,
            reasons: &[(MarkReason::Asked, 1)].into(),
            entities: &BTreeSet::new(),
        };
        if let Some(mark) = raise(ports, &asked, Duration::ZERO, now).await? {
            announce::announce(ports, &mark, now).await;
        }
        begun.push(recount);
    }
    Ok(begun)
}

/// The recounts of the companies that a reader may see, as far as they are.
pub async fn recounts(reader: Reader<'_>) -> Result<Vec<Recount>, Refusal> {
    let companies = Companies::seen(reader, None, None).await?.0;
    let keys: Vec<_> = companies.iter().map(|company| Recount::key(reader.context.tenant, &company.id)).collect();
    let found = reader.context.table().get_many(&keys).await?.into_iter().flatten();
    Ok(found.map(|item| Ok(records::decode::<Recount>(item)?.record)).collect::<Result<_, Fault>>()?)
}

async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let Some((connection, company)) = task.id.split_once('/') else { return task.finish(ports).await };
    let id = CompanyId { connection: connection.to_owned(), company: company.to_owned() };
    let key = Recount::key(task.tenant, &id);
    let stored = records::get::<Recount>(&*ports.table, &key).await?;
    let Some(Stored { rev, record: recount }) = stored.filter(|stored| stored.record.finished_at.is_none()) else {
        return task.finish(ports).await;
    };
    let company = records::get::<Company>(&*ports.table, &id.key(task.tenant)).await?;
    let of = records::get::<Connection>(&*ports.table, &connection::key(task.tenant, &id.connection)).await?;
    if company.is_none() || of.is_none_or(|of| of.record.deleted_at.is_some()) {
        return task.finish(ports).await;
    }
    // What is paid after it began is counted right by the code that counts now.
    let last = quarter_of((recount.started_at.as_second() + AHEAD) * 1000);
    // What is counted now changes all the time where there is much, so it is compared by itself.
    let past = quarter_of((task.now.as_second() - PAST) * 1000);
    let end = if recount.counted_to < past { past } else { last };
    for _ in 0..LOOKS {
        match compare(ports, task.tenant, &id, recount.counted_to, end).await? {
            Compared::Changing => {}
            Compared::Known { to, transactions, missing } => {
                let cut = missing.len() > MOST;
                let corrections: Vec<Write> = missing
                    .iter()
                    .take(MOST)
                    .map(|(total, (count, sum))| total.add(task.tenant, 0, *count, *sum))
                    .collect();
                let days: BTreeSet<i64> =
                    missing.keys().take(MOST).map(|total| rolled::day_of(total.quarter)).collect();
                let reopened: Vec<Write> = days.iter().map(|day| id.count_late(task.tenant, *day, 0)).collect();
                let mut next = Recount { corrected: recount.corrected + corrections.len() as u64, ..recount };
                if !cut {
                    (next.counted_to, next.transactions) = (to, next.transactions + transactions);
                    next.finished_at = (to >= last).then_some(task.now);
                }
                let progress = records::replace(&key, Some(rev), &next, Upkeep::default())?;
                // Answers with what was wrong are not given any more.
                let collection = Kind::Transaction.collection();
                let stale =
                    [collection.to_owned(), tag::prefix(Kind::Transaction, &id.connection), tag::company(&id.company)];
                let stale =
                    stale.iter().filter(|_| !corrections.is_empty()).map(|name| tag::raise(task.tenant, name, 0));
                let stale: Vec<Write> = stale.collect();
                let writes = [corrections, reopened, stale, vec![progress]].concat();
                return go_on(ports, &task, &writes, next.finished_at.is_some()).await;
            }
        }
    }
    task.rest(ports, REST).await
}

/// Writes what a step found, with the end of the job or its next step.
async fn go_on(ports: &Ports, task: &Task<'_>, writes: &[Write], is_over: bool) -> Result<(), Fault> {
    if is_over {
        return task.finish_with(ports, writes).await;
    }
    let all = [writes, &[task.rested(Duration::ZERO)]].concat();
    ports.table.transact(all).await.map_err(records::overtaken)?;
    task.go_on(ports, Duration::ZERO).await
}
