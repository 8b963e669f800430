//! What is due: messages that wait longer than a queue can hold them back, and jobs whose message was lost. Sent every
//! minute.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::announce;
use super::run::RUNNERS;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_store::key::{DUE_SHARDS, Due, due_partition};
use hooktide_store::ports::{Item, Key, Outgoing, QueueName, Write};
use hooktide_store::records::deferred::{self, Deferred};
use hooktide_store::records::job::Mark;
use hooktide_store::records::{self, Stored};

/// How many messages of a shard are sent at once.
const PAGE: usize = 100;
/// How many jobs of a shard are sent at once: with all shards, as many as 8,000 resources that are polled each minute have.
const JOBS: usize = 500;
/// How long a mark that was announced may be overdue before its job is sent again.
const OVERDUE_MILLIS: i64 = 60_000;

/// Sends the deferred messages that are due; returns how many they were.
pub async fn deferred(ports: &Ports, now: Timestamp) -> Result<usize, Fault> {
    let due = deferred::due(&*ports.table, now, PAGE).await?;
    let keys: Vec<Key> = due.iter().map(|stored| stored.record.key()).collect();
    let message = |Deferred { message: body, group, queue, .. }| Outgoing {
        queue: QueueName::from_name(&queue),
        body,
        delay: Duration::ZERO,
        group,
    };
    let results = ports.queue.send(due.into_iter().map(|stored| message(stored.record)).collect()).await;
    // What could not be sent is still due, and so are those whose record stays: they are sent twice, which is harmless.
    let (sent, faults): (Vec<_>, Vec<_>) = keys.into_iter().zip(results).partition(|(_, result)| result.is_ok());
    let count = sent.len();
    let deletes = sent.into_iter().map(|(key, _)| Write::Delete { key, condition: None }).collect();
    for result in ports.table.write_many(deletes).await {
        result.map_err(records::raced)?;
    }
    match faults.into_iter().find_map(|(_, result)| result.err()) {
        Some(fault) => Err(fault),
        None => Ok(count),
    }
}

/// Sends the jobs again whose marks are overdue: their message was lost, or their run was cut off. Returns how many they
/// were.
pub async fn jobs(ports: &Ports, now: Timestamp) -> Result<usize, Fault> {
    let (mut sent, mut first) = (0, None);
    let mut places: Vec<(&JobKind, u8)> =
        RUNNERS.iter().flat_map(|runner| (0..DUE_SHARDS).map(move |shard| (&runner.kind, shard))).collect();
    // Each minute begins elsewhere, so that no place is always the one that a run had no time for.
    let minute = usize::try_from(now.as_second().div_euclid(60)).unwrap_or_default();
    let count = places.len();
    places.rotate_left(minute % count);
    for (kind, shard) in places {
        let partition = due_partition(Due::Job(kind), shard);
        let items = ports.table.due(&partition, now.as_millisecond(), JOBS).await?;
        let messages = items.into_iter().filter_map(|item| unsent(item, now)).map(|mark| message(&mark, now));
        for result in ports.queue.send(messages.collect::<Result<_, _>>()?).await {
            match result {
                Ok(()) => sent += 1,
                // One that cannot be sent must not hold up the others.
                Err(fault) => first = first.or(Some(fault)),
            }
        }
    }
    first.map_or(Ok(sent), Err)
}

/// The mark of a due item, if no message of its job is under way: it was only scheduled, or its message was lost.
fn unsent(item: Item, now: Timestamp) -> Option<Mark> {
    match records::decode::<Mark>(item) {
        Ok(Stored { record: mark, .. }) => {
            let is_lost = mark.due_at <= now.as_millisecond() - OVERDUE_MILLIS;
            (mark.is_scheduled() || is_lost).then_some(mark)
        }
        Err(fault) => {
            warn!(%fault, "a job mark does not read, and waits for code that reads it");
            None
        }
    }
}

/// The message that sends a job at once.
fn message(mark: &Mark, now: Timestamp) -> Result<Outgoing, Fault> {
    announce::message(&announce::envelope(mark, now), Duration::ZERO)
}
