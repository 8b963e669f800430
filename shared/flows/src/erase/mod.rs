//! Erase: what is known of a connection's entities, with their documents. The journal, which names entities and nobody,
//! stays.
//!
//! A commit that began before a connection's deliveries stopped may end after they were erased. So a connection that is
//! deleted leaves its record behind, and a job looks again when no such commit can be under way, until it finds nothing.
//! Then the record goes.

mod listed;

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::path::Path;

use super::Ports;
use super::follow::busy::planner::BUSY;
use super::follow::busy::writer::BLOCKS;
use super::follow::busy::{kept, parting};
use super::jobs::announce::announce as announce_mark;
use super::jobs::task::{Runner, Task};
use super::sync::seen;
use super::told::{Note, tell};
use super::watch::{self, WATCH, part};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Kind, Outcome};
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Item, Key, Query, Range, Write, WriteFault, blob_fault};
use hooktide_store::records::calendars::{self, Calendars};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::belonging_key;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::resource::{self, Resource};
use hooktide_store::records::shared_answer;
use hooktide_store::records::{self, Stored, authorization, subscription, tag};

/// How many items are erased at once at the most; what remains is erased by calling again.
pub const MOST: usize = 5_000;
/// How long after deliveries stopped a commit may still end: longer than any lease.
pub const SETTLES: Duration = Duration::from_secs(job::LEASE.as_secs() + 20);
/// How late the renewer may be in ending the subscriptions of a connection.
const LATE: Duration = Duration::from_secs(600);
/// How many items are read at once.
const PAGE: usize = 100;
/// How many held deliveries are read at once: they are large.
const LETTERS: usize = 50;
/// How many blocks that are left are counted.
const COUNTED: usize = 10_000;
/// How often answers are looked for: more of them are made meanwhile than before.
const ROUNDS: usize = 50;
/// How many job marks are erased at once at the most.
pub const MARKS: usize = 1_000;

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner =
    Runner { kind: JobKind::named("erase"), step: |ports, _, task| Box::pin(step(ports, task)) };

/// How much was erased.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct ErasedCounts {
    /// Entities whose state was known.
    pub entities: usize,
    /// Documents.
    pub documents: usize,
    /// Other records of the connection alone: counters of tags, marks of jobs, notes of its endpoint.
    pub others: usize,
}

/// The write that starts the job which erases what is left of a deleted connection, for the transaction that deletes it.
pub async fn begin(ports: &Ports, tenant: &Tenant, id: &str, now: Timestamp) -> Result<Write, Fault> {
    let stored = records::get::<Mark>(&*ports.table, &job::key(tenant, &RUNNER.kind, id)).await?;
    // Runs keep their numbers, so that none of before takes one of after for itself.
    let fence = stored.as_ref().map_or(0, |stored| stored.record.fence);
    job::store(stored.map(|stored| stored.rev), &Mark { fence, ..mark(tenant, id, now) })
}

/// Announces a job that was started.
pub async fn announce(ports: &Ports, tenant: &Tenant, id: &str, now: Timestamp) {
    announce_mark(ports, &mark(tenant, id, now), now).await;
}

/// The mark of a job that is started now, due when no commit can be under way any more.
fn mark(tenant: &Tenant, id: &str, now: Timestamp) -> Mark {
    Mark::asked(tenant, RUNNER.kind.clone(), id, now + SETTLES, now)
}

/// Erases what is left of a deleted connection; its record goes when nothing is found any more.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let key = connection::key(task.tenant, task.id);
    let stored = records::get::<Connection>(&*ports.table, &key).await?;
    let Some(stored) = stored.filter(|stored| stored.record.deleted_at.is_some()) else {
        return task.finish(ports).await;
    };
    let mut erased = ErasedCounts::default();
    let mut all = whole(ports, task.tenant, &stored.record, MARKS, &mut erased).await?;
    let is_parting = is_parting(ports, &task, &stored.record).await?;
    if parting::is_under_way(ports, task.tenant, task.id, task.now).await? || is_parting {
        erased.others += 1;
    } else {
        tell_of_blocks(ports, &task, &stored.record).await?;
        all &= syncs(ports, task.tenant, &stored.record, &mut erased).await?;
    }
    if all && erased == ErasedCounts::default() {
        // Commits that were under way find companies as they were until nothing is left of them.
        answers(ports, task.tenant).await?;
        let companies = listed::companies(ports, task.tenant, task.id).await?;
        delete_all(ports, companies).await?;
        let delete = Write::Delete { key, condition: Some(records::unchanged(stored.rev)) };
        let tokens = Write::Delete { key: authorization::key(task.tenant, task.id), condition: None };
        return task.finish_with(ports, &[delete, tokens]).await;
    }
    // The found records may have been written while deliveries stopped: look again when that is over.
    let pause = if all { SETTLES } else { Duration::ZERO };
    task.rest(ports, pause).await
}

/// Erases the answers that a tenant's readers were given: they may say what is erased, and are made anew. Those that are made
/// meanwhile say nothing of it.
pub(crate) async fn answers(ports: &Ports, tenant: &Tenant) -> Result<(), Fault> {
    for _ in 0..ROUNDS {
        let (keys, more) = keys_of(ports, &shared_answer::partition(tenant), Range::All, MARKS).await?;
        delete_all(ports, keys).await?;
        if !more {
            break;
        }
    }
    Ok(())
}

/// Whether the subscriptions of a deleted connection are still being ended at its provider. The renewer does it; this sees to
/// it that it does, and gives up when it is late.
async fn is_parting(ports: &Ports, task: &Task<'_>, connection: &Connection) -> Result<bool, Fault> {
    if connection.credentials.is_empty() {
        return Ok(false);
    }
    if part::is_over(connection, task.now - LATE) {
        part::settle(ports, task.tenant, &connection.id, task.now).await?;
    } else if records::get::<Mark>(&*ports.table, &job::key(task.tenant, &WATCH, &connection.id)).await?.is_none() {
        watch::look(ports, task.tenant, &connection.id, task.now).await?;
    }
    Ok(true)
}

/// Tells how many blocks are left in the calendars of a connection that is deleted, where its time to remove them is over.
async fn tell_of_blocks(ports: &Ports, task: &Task<'_>, connection: &Connection) -> Result<(), Fault> {
    let left = kept::count(ports, task.tenant, &connection.id, COUNTED).await?;
    if left == 0 {
        return Ok(());
    }
    let blocks = if left == 1 { "1 block is".to_owned() } else { format!("{left} blocks are") };
    let note = Note {
        id: format!("blocks-left-{}", connection.id),
        provider: &connection.provider,
        topic: "busy",
        about: &connection.id,
        connection: Some(&connection.id),
        outcome: Outcome::Failed,
        text: format!("{blocks} left in its calendars, which could not be removed in time: delete these there"),
    };
    tell(ports, task.committer, task.tenant, note, task.now).await
}

/// Erases what is known of the syncs of a connection that is deleted: resources, subscriptions, tokens; whether all of it.
async fn syncs(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    erased: &mut ErasedCounts,
) -> Result<bool, Fault> {
    let id = &connection.id;
    let resources = resource::partition(tenant);
    let read = records::list_all::<Resource>(&*ports.table, resources.clone(), &resource::prefix(id), PAGE).await?;
    for (_, stored) in &read {
        if let Some(reading) = &stored.record.reading {
            seen::forget(ports, tenant, &stored.record.id(), reading).await;
        }
    }
    let subscriptions = subscription::partition(tenant);
    let range = Range::Prefix(subscription::prefix(id));
    let (mut found, more) = keys_of(ports, &subscriptions, range, PAGE).await?;
    found.extend(read.iter().map(|(sort, _)| resources.clone().key(sort)));
    found.extend(kept::keys(ports, tenant, id, PAGE).await?);
    if let Some(chosen) = records::get::<Calendars>(&*ports.table, &calendars::key(tenant, id)).await? {
        found.push(calendars::membership_key(tenant, &chosen.record.user, id));
    }
    let of_blocks = [calendars::key, calendars::progress_key, calendars::crowded_key].map(|key| key(tenant, id));
    for single in [authorization::key(tenant, id)]
        .into_iter()
        .chain(of_blocks)
        .chain([WATCH, BUSY, BLOCKS].map(|kind| job::key(tenant, &kind, id)))
    {
        found.extend(ports.table.get(&single).await?.map(|_| single));
    }
    erased.others += found.len();
    delete_all(ports, found).await?;
    Ok(!more && read.len() < PAGE)
}

/// Erases everything of a connection that is deleted, but for its record, at most so many job marks; whether all of it.
pub async fn whole(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    marks: usize,
    erased: &mut ErasedCounts,
) -> Result<bool, Fault> {
    if !entities(ports, tenant, connection, erased).await? {
        return Ok(false);
    }
    let (mut found, mut all) = (Vec::new(), true);
    let mut add = |(keys, more): (Vec<Key>, bool)| {
        found.extend(keys);
        all &= !more;
    };
    let of_kinds = Kind::ALL.iter().map(|kind| tag::prefix(*kind, &connection.id));
    for name in of_kinds.chain([tag::failures(&connection.id)]) {
        let partition = Partition::of(tenant, Area::Tag(&name));
        add(keys_of(ports, &partition, Range::All, PAGE).await?);
    }
    add(marks_of(ports, tenant, connection, marks).await?);
    let own = Range::Between(connection.id.clone(), connection.id.clone());
    add(keys_of(ports, &Partition::of(tenant, Area::Budgets), own, PAGE).await?);
    if connection.owns_endpoint() {
        add(held_by(ports, tenant, connection).await?);
        let partition = Partition::endpoint(&connection.provider, &connection.endpoint);
        let (mut notes, more) = keys_of(ports, &partition, Range::All, PAGE).await?;
        // The record of the address stays for a while, so that late deliveries to it are recognised.
        notes.retain(|key| key.sort() != "endpoint");
        add((notes, more));
    }
    erased.others += found.len();
    delete_all(ports, found).await?;
    Ok(all)
}

/// Some of what a connection's own endpoint holds for other accounts, their bodies erased; and whether there is more.
async fn held_by(ports: &Ports, tenant: &Tenant, connection: &Connection) -> Result<(Vec<Key>, bool), Fault> {
    let partition = Partition::of(tenant, Area::Held(&connection.endpoint));
    let query = Query { partition: partition.clone(), range: Range::All, descending: false, limit: LETTERS };
    let (letters, more) = records::list::<DeadLetter>(&*ports.table, &query).await?;
    let mut keys = Vec::with_capacity(letters.len());
    for (sort, Stored { record, .. }) in letters {
        if let Ok(envelope) = Envelope::decode(&record.message) {
            bodies::erase(&envelope, tenant, &*ports.blobs).await?;
        }
        keys.push(partition.clone().key(sort));
    }
    Ok((keys, more))
}

/// Some keys of a range of a partition, and whether there are more.
async fn keys_of(ports: &Ports, partition: &Partition, range: Range, limit: usize) -> Result<(Vec<Key>, bool), Fault> {
    let query = Query { partition: partition.clone(), range, descending: false, limit };
    let page = ports.table.query(&query).await?;
    let keys = page.items.iter().map(|item: &Item| partition.clone().key(records::sort_of(item))).collect();
    Ok((keys, page.more))
}

/// Some of the marks of syncs of a connection's resources, `<resource>/<connection>` and what of it; and whether there are
/// more.
///
/// Marks are sorted by resource, and there are few resources: from each to the next it skips what other connections have,
/// however many they are.
async fn marks_of(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    most: usize,
) -> Result<(Vec<Key>, bool), Fault> {
    let (jobs, syncs) = (Partition::of(tenant, Area::Jobs), format!("{}#", JobKind::SYNC));
    let (mut found, mut next) = (Vec::new(), Range::Prefix(syncs.clone()));
    loop {
        let (first, _) = keys_of(ports, &jobs, next, 1).await?;
        let Some(first) = first.first() else { return Ok((found, false)) };
        let resource = first.sort().split_once('/').map_or(first.sort(), |(resource, _)| resource);
        let mut own = Range::Prefix(format!("{resource}/{}", connection.id));
        while let (keys, more) = keys_of(ports, &jobs, own, PAGE).await?
            && let Some(last) = keys.last().map(|key| key.sort().to_owned())
        {
            let prefix = format!("{resource}/{}", connection.id);
            found.extend(keys.into_iter().filter(|key| is_or_lies_below(key.sort(), &prefix)));
            if found.len() >= most {
                return Ok((found, true));
            }
            if !more {
                break;
            }
            own = records::after(&prefix, &last);
        }
        next = records::after(&syncs, &format!("{resource}/{}", char::MAX));
    }
}

fn is_or_lies_below(sort: &str, place: &str) -> bool {
    sort.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Erases the entities and documents of a connection, and what lists and totals have of them; whether all of them.
pub async fn entities(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    erased: &mut ErasedCounts,
) -> Result<bool, Fault> {
    let all = some_entities(ports, tenant, connection, erased).await;
    // Answers that were made before are not given any more, however far this came.
    let raised = ports.table.write(tag::raise(tenant, tag::CONNECTIONS, 0)).await;
    raised.map_err(records::raced)?;
    all
}

async fn some_entities(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    erased: &mut ErasedCounts,
) -> Result<bool, Fault> {
    for shard in 0..ENTITY_SHARDS {
        if !erase_shard(ports, tenant, connection, shard, erased).await? {
            return Ok(false);
        }
    }
    let (listed, more) = listed::keys(ports, tenant, connection).await?;
    erased.others += listed.len();
    delete_all(ports, listed).await?;
    if more {
        return Ok(false);
    }
    let directory = Path::from(format!("documents/{tenant}/{}", connection.id));
    let found = ports.blobs.list(Some(&directory)).take(MOST).map_ok(|found| found.location).boxed();
    let deleted: Vec<_> = ports.blobs.delete_stream(found).try_collect().await.map_err(|error| blob_fault(&error))?;
    erased.documents += deleted.len();
    Ok(deleted.len() < MOST)
}

/// Erases one partition of entities and documents; whether all of it.
async fn erase_shard(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    shard: u8,
    erased: &mut ErasedCounts,
) -> Result<bool, Fault> {
    loop {
        if erased.entities + erased.documents >= MOST {
            return Ok(false);
        }
        let partition = Partition::of(tenant, Area::Entities(&connection.id, shard));
        let query = Query { partition: partition.clone(), range: Range::All, descending: false, limit: PAGE };
        let page = ports.table.query(&query).await?;
        let keys: Vec<Key> = page.items.iter().map(|item| partition.clone().key(records::sort_of(item))).collect();
        let is_last = !page.more;
        let apart = keys.iter().filter(|key| key.sort().starts_with("document#")).count();
        // The small ones are in their entities.
        let within = page.items.iter().filter(|item| item.inner().contains_key("document")).count();
        erased.documents += apart + within;
        erased.entities += keys.len() - apart;
        let belongings = keys.iter().filter_map(|key| belonging_of(connection, key.sort()));
        let mut all: Vec<Key> = belongings.collect();
        for (key, item) in keys.iter().zip(page.items) {
            all.extend(listed::keys_of(tenant, connection, key, item)?);
        }
        delete_all(ports, all.into_iter().chain(keys.iter().cloned()).collect()).await?;
        if is_last {
            return Ok(true);
        }
    }
}

async fn delete_all(ports: &Ports, keys: Vec<Key>) -> Result<(), Fault> {
    let deletes = keys.into_iter().map(|key| Write::Delete { key, condition: None }).collect();
    for result in ports.table.write_many(deletes).await {
        match result {
            Ok(()) | Err(WriteFault::Condition(_)) => {}
            Err(fault) => return Err(records::raced(fault)),
        }
    }
    Ok(())
}

/// Where it is written that an entity belongs to the account of a connection, from the entity's sort key.
fn belonging_of(connection: &Connection, sort: &str) -> Option<Key> {
    let (kind, id) = sort.split_once('#')?;
    let kind = Kind::from_name(kind)?;
    let shared = !connection.owns_endpoint();
    shared.then(|| belonging_key(&connection.provider, &connection.endpoint, kind, id))
}
