//! Replay: sends dead letters, or what was held for an account, through processing again, at a rate.
//!
//! A replay is a job that goes step by step: each step sends a page of messages with growing delays, removes them from
//! their shelf, notes how far it got and sends itself on. A step that is cut off is done again; the messages that it
//! sent twice are known by their envelope's id.

use std::time::Duration;

use super::foreign::is_foreign;
use super::{Ports, jobs};
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_model::names::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Condition, Outgoing, Query, QueueName, Range, TransactFault, Write, WriteFault};
use hooktide_store::records::dead_letter::{self, DeadLetter, Shelf};
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::job;
use hooktide_store::records::replay::{self as record, Filter, Replay};
use hooktide_store::records::{self, Stored, Upkeep};
use jiff::Timestamp;

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
    let mark = job::resting(&job::raised(None, tenant, JobKind::Replay, id, 1, now), now);
    Ok(vec![records::insert(&record::key(tenant, id), replay, Upkeep::default())?, job::store(None, &mark)?])
}

/// Sends the first step of a replay that was started.
pub async fn announce(ports: &Ports, tenant: &Tenant, id: &str, now: Timestamp) {
    jobs::announce(ports, JobKind::Replay, tenant, id, now).await;
}

/// How many messages of a shelf a filter matches, looking at no more than `bound`.
pub async fn count(ports: &Ports, tenant: &Tenant, shelf: &Shelf, filter: &Filter, bound: usize) -> Result<u64, Fault> {
    let matches = |id: &str, letter: &DeadLetter| filter.matches(id, letter);
    dead_letter::count(&*ports.table, shelf.place(tenant), bound, matches).await.map(|(matching, _)| matching)
}

/// Does one step of a replay.
pub(super) async fn step(
    ports: &Ports,
    tenant: &Tenant,
    id: &str,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<(), Fault> {
    let Some(held) = jobs::claim(ports, JobKind::Replay, tenant, id, now).await? else { return Ok(()) };
    let stored: Option<Stored<Replay>> = records::get(&*ports.table, &record::key(tenant, id)).await?;
    let Some(Stored { rev, record: mut replay }) = stored.filter(|stored| stored.record.finished_at.is_none()) else {
        return ports.table.write(job::finish(&held, now)?).await.map(drop).map_err(records::raced);
    };
    let (partition, prefix) = replay.shelf.place(tenant);
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
    let delay = |nth: usize| Duration::from_secs_f64(nth as f64 / rate).min(hooktide_store::ports::MAX_DELAY);
    let mut sent = resend(ports, (&replay.shelf, &matching), delay).await?.into_iter();
    let fault = sent.as_slice().iter().find_map(|result| result.as_ref().err()).cloned();
    matching.retain(|_| sent.next().is_some_and(|result| result.is_ok()));
    // What was sent leaves its shelf, whatever becomes of the rest, so that trying again sends only that.
    remove(ports, tenant, &replay.shelf, &prefix, &matching).await?;
    if let Some(fault) = fault {
        return Err(fault);
    }
    replay.sent += matching.len() as u64;
    replay.after = letters.last().map(|(sort, _)| sort.clone()).or(replay.after);
    replay.finished_at = (!more).then_some(now);
    let keep = if more { Upkeep::default() } else { Upkeep::until(now + REMEMBERED) };
    let progress = records::replace(&record::key(tenant, id), Some(rev), &replay, keep)?;
    // The mark is due when the next message is: a sweep takes it for lost only after that.
    let pause = delay(matching.len());
    let mark = if more {
        job::store(Some(held.rev), &job::resting(&held.record, now + pause))?
    } else {
        job::finish(&held, now)?
    };
    ports.table.transact(vec![progress, mark]).await.map_err(records::overtaken)?;
    if !more {
        return Ok(());
    }
    let next = Envelope { attempt: 0, deferred: 0, not_before: None, ..envelope.clone() };
    jobs::send(ports, &next, pause).await
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

async fn resend(
    ports: &Ports,
    (shelf, letters): (&Shelf, &[&(String, Stored<DeadLetter>)]),
    delay: impl Fn(usize) -> Duration,
) -> Result<Vec<Result<(), Fault>>, Fault> {
    let mut messages = Vec::with_capacity(letters.len());
    for (nth, (_, letter)) in letters.iter().enumerate() {
        let (body, group) = match Envelope::decode(&letter.record.message) {
            Ok(mut envelope) => {
                (envelope.attempt, envelope.deferred, envelope.not_before) = (0, 0, None);
                envelope.replayed = envelope.replayed.saturating_add(1);
                // A delivery about several accounts has a letter for each of them.
                if matches!(shelf, Shelf::Held { .. } | Shelf::Own { .. }) {
                    envelope.only.clone_from(&letter.record.account);
                }
                (envelope.encode()?, envelope.group().to_owned())
            }
            Err(_) => (letter.record.message.clone(), "replay".to_owned()),
        };
        messages.push(Outgoing { queue: QueueName::Notices, body, delay: delay(nth), group });
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

fn text(time: &Timestamp) -> hooktide_store::ports::AttributeValue {
    hooktide_store::ports::AttributeValue::S(time.to_string())
}
