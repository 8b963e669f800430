//! Replay: sends dead letters, or what was held for an account, through processing again, at a rate.
//!
//! A replay is a job that goes step by step: each step sends a page of messages with growing delays, removes them from
//! their shelf, notes how far it got and sends itself on. A step that is cut off is done again; the messages that it
//! sent twice are known by their envelope's id.

use std::time::Duration;

use jiff::Timestamp;

use super::Ports;
use super::foreign::is_foreign;
use super::jobs::announce::announce as announce_mark;
use super::jobs::task::{Runner, Task};
use hooktide_model::envelope::{Envelope, EnvelopeKind};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{AttributeValue, Condition, MAX_DELAY, Outgoing, Query, QueueName, Range};
use hooktide_store::ports::{TransactFault, Write, WriteFault};
use hooktide_store::records::dead_letter::{self, DeadLetter, Shelf};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::replay::{self, Filter, Replay};
use hooktide_store::records::{self, Stored, Upkeep};

/// The job, in the table of jobs.
pub(crate) static RUNNER: Runner =
    Runner { kind: JobKind::named("replay"), step: |ports, _, task| Box::pin(step(ports, task)) };

/// How many messages a step looks at.
const PAGE: usize = 100;
/// The fastest rate, in messages a second.
pub const FASTEST: u32 = 1_000;
/// How long a finished replay is remembered.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Starts a replay; starting the same one again changes nothing.
pub async fn start(ports: &Ports, tenant: &Tenant, id: &str, replay: &Replay, now: Timestamp) -> Result<(), Fault> {
    match ports.table.transact(begin(tenant, id, replay, now)?).await {
        Ok(()) => {}
        Err(TransactFault::Cancelled(reasons)) if records::exists(&reasons) => return Ok(()),
        Err(fault) => return Err(records::overtaken(fault)),
    }
    announce(ports, tenant, id, now).await;
    Ok(())
}

/// The writes that start a replay, for a larger transaction; [`announce`] it when that is done.
pub fn begin(tenant: &Tenant, id: &str, replay: &Replay, now: Timestamp) -> Result<Vec<Write>, Fault> {
    let stored = records::insert(&replay::key(tenant, id), replay, Upkeep::default())?;
    Ok(vec![stored, job::store(None, &mark(tenant, id, now))?])
}

/// Announces a replay that was started.
pub async fn announce(ports: &Ports, tenant: &Tenant, id: &str, now: Timestamp) {
    announce_mark(ports, &mark(tenant, id, now), now).await;
}

/// The mark of a replay that starts now.
fn mark(tenant: &Tenant, id: &str, now: Timestamp) -> Mark {
    Mark::asked(tenant, RUNNER.kind.clone(), id, now, now)
}

/// Counts the messages of a shelf that a filter matches, looking at no more than `bound`.
pub async fn count(ports: &Ports, tenant: &Tenant, shelf: &Shelf, filter: &Filter, bound: usize) -> Result<u64, Fault> {
    let matches = |id: &str, letter: &DeadLetter| filter.matches(id, letter);
    dead_letter::count(&*ports.table, shelf.place(tenant), bound, matches).await.map(|(matching, _)| matching)
}

/// Does one step of a replay.
async fn step(ports: &Ports, task: Task<'_>) -> Result<(), Fault> {
    let key = replay::key(task.tenant, task.id);
    let stored: Option<Stored<Replay>> = records::get(&*ports.table, &key).await?;
    let Some(Stored { rev, record: mut replay }) = stored.filter(|stored| stored.record.finished_at.is_none()) else {
        return task.finish(ports).await;
    };
    let (partition, prefix) = replay.shelf.place(task.tenant);
    let range = match &replay.after {
        None => Range::Prefix(prefix.clone()),
        Some(last) => records::after(&prefix, last),
    };
    let query = Query { partition, range, descending: false, limit: PAGE };
    let (letters, more) = records::list::<DeadLetter>(&*ports.table, &query).await?;
    let own = own_endpoint(ports, &replay.shelf).await?;
    let matches = |(sort, letter): &&(String, Stored<DeadLetter>)| {
        is_due(&replay.shelf, own.as_ref(), &letter.record)
            && replay.filter.matches(&sort[prefix.len()..], &letter.record)
    };
    let mut matching: Vec<&(String, Stored<DeadLetter>)> = letters.iter().filter(matches).collect();
    let rate = f64::from(replay.rate_per_second.clamp(1, FASTEST));
    let delay = |nth: usize| Duration::from_secs_f64(nth as f64 / rate).min(MAX_DELAY);
    let mut sent = resend(ports, &replay.shelf, &matching, delay).await?.into_iter();
    let fault = sent.as_slice().iter().find_map(|result| result.as_ref().err()).cloned();
    matching.retain(|_| sent.next().is_some_and(|result| result.is_ok()));
    // Messages that were sent leave their shelf even if others fail, so that another try sends only the rest.
    remove(ports, task.tenant, &replay.shelf, &prefix, &matching).await?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    replay.sent += matching.len() as u64;
    replay.after = letters.last().map(|(sort, _)| sort.clone()).or(replay.after);
    replay.finished_at = (!more).then_some(task.now);
    let keep = if more { Upkeep::default() } else { Upkeep::until(task.now + REMEMBERED) };
    let progress = records::replace(&key, Some(rev), &replay, keep)?;
    // The mark is due when the next message is: only after that it is taken for lost.
    let pause = delay(matching.len());
    if !more {
        return task.finish_with(ports, &[progress]).await;
    }
    ports.table.transact(vec![progress, task.rested(pause)]).await.map_err(records::overtaken)?;
    task.go_on(ports, pause).await
}

/// The endpoint of a connection, as it is now, where that decides which messages of a shelf are sent.
async fn own_endpoint(ports: &Ports, shelf: &Shelf) -> Result<Option<Endpoint>, Fault> {
    let Shelf::Own { provider, endpoint } = shelf else { return Ok(None) };
    let stored = records::get::<Endpoint>(&*ports.table, &endpoint::key(provider, endpoint)).await?;
    Ok(stored.map(|stored| stored.record).filter(|endpoint| endpoint.deleted_at.is_none()))
}

/// Whether a message of a shelf need not wait any longer for its account.
fn is_due(shelf: &Shelf, own: Option<&Endpoint>, letter: &DeadLetter) -> bool {
    match shelf {
        Shelf::Own { .. } => own.zip(letter.account.as_deref()).is_some_and(|(own, account)| !is_foreign(own, account)),
        Shelf::Dead | Shelf::Held { .. } | Shelf::Privacy => true,
    }
}

/// Puts letters of a shelf on the queues that they belong on.
async fn resend(
    ports: &Ports,
    shelf: &Shelf,
    letters: &[&(String, Stored<DeadLetter>)],
    delay: impl Fn(usize) -> Duration,
) -> Result<Vec<Result<(), Fault>>, Fault> {
    let mut messages = Vec::with_capacity(letters.len());
    for (nth, (_, letter)) in letters.iter().enumerate() {
        let (queue, body, group) = match Envelope::decode(&letter.record.message) {
            Ok(mut envelope) => {
                (envelope.attempt, envelope.deferred, envelope.not_before) = (0, 0, None);
                envelope.replayed = envelope.replayed.saturating_add(1);
                // A delivery about several accounts has a letter for each of them.
                if matches!(shelf, Shelf::Held { .. } | Shelf::Own { .. }) {
                    envelope.only.clone_from(&letter.record.account);
                }
                let is_job = matches!(envelope.kind, EnvelopeKind::Job(_));
                let queue = if is_job { QueueName::Jobs } else { QueueName::Notices };
                (queue, envelope.encode()?, envelope.group().to_owned())
            }
            Err(_) => (QueueName::Notices, letter.record.message.clone(), "replay".to_owned()),
        };
        messages.push(Outgoing { queue, body, delay: delay(nth), group });
    }
    Ok(ports.queue.send(messages).await)
}

/// Takes messages off their shelf, once they are on their queue.
async fn remove(
    ports: &Ports,
    tenant: &Tenant,
    shelf: &Shelf,
    prefix: &str,
    letters: &[&(String, Stored<DeadLetter>)],
) -> Result<(), Fault> {
    // A message that failed again meanwhile is a new letter under the same key, and stays.
    let delete = |(sort, letter): &&(String, Stored<DeadLetter>)| Write::Delete {
        key: shelf.key(tenant, &sort[prefix.len()..]),
        condition: Some(same(&letter.record)),
    };
    for result in ports.table.write_many(letters.iter().map(delete).collect()).await {
        match result {
            // One that stays is sent again by the next replay, and known as a repeat.
            Ok(()) | Err(WriteFault::Condition(_) | WriteFault::Conflict) => {}
            Err(WriteFault::Fault(fault)) => return Err(fault),
        }
    }
    Ok(())
}

/// The condition that a letter is the one that was read.
fn same(letter: &DeadLetter) -> Condition {
    let dead_at = Condition::Equals("dead_at", text(&letter.dead_at));
    match letter.replayed {
        Some(times) => Condition::All(vec![dead_at, Condition::Equals("replayed", records::number(times))]),
        None => dead_at,
    }
}

fn text(time: &Timestamp) -> AttributeValue {
    AttributeValue::S(time.to_string())
}
