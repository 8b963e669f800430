//! What is due: messages that wait longer than a queue can hold them back, and jobs whose message was lost. Sent every
//! minute.

use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::announce::{envelope, send};
use super::run::RUNNERS;
use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_store::key::{DUE_SHARDS, Due, due_partition};
use hooktide_store::ports::{Key, Outgoing, QueueName, Write};
use hooktide_store::records;
use hooktide_store::records::deferred::{self, Deferred};
use hooktide_store::records::job::Mark;

/// How many items of a shard are sent at once.
const PAGE: usize = 100;
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
    let places = RUNNERS.iter().flat_map(|runner| (0..DUE_SHARDS).map(move |shard| (&runner.kind, shard)));
    for (kind, shard) in places {
        let partition = due_partition(Due::Job(kind), shard);
        for item in ports.table.due(&partition, now.as_millisecond(), PAGE).await? {
            let mark = match records::decode::<Mark>(item) {
                Ok(stored) => stored.record,
                Err(fault) => {
                    warn!(%fault, "a job mark does not read, and waits for code that reads it");
                    continue;
                }
            };
            // What was only scheduled has no message yet; the message of any other is still under way.
            if !mark.is_scheduled() && mark.due_at > now.as_millisecond() - OVERDUE_MILLIS {
                continue;
            }
            match send(ports, &envelope(&mark, now), Duration::ZERO).await {
                Ok(()) => sent += 1,
                // One that cannot be sent must not hold up the others.
                Err(fault) => first = first.or(Some(fault)),
            }
        }
    }
    first.map_or(Ok(sent), Err)
}
