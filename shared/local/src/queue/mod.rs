//! A durable queue on SQLite that behaves like SQS.
//!
//! A provider forgets a webhook once it has its 2xx, and it gets that as soon as [`Queue::send`] says `Ok`. So `Ok`
//! means on disk. One writer thread takes the operations that wait, runs them in one transaction, commits once and
//! only then answers them all. A round that holds a send commits with `synchronous = FULL`: one fsync, shared by the
//! whole round. A round of receives, deletes and releases commits with `NORMAL`: it survives the death of the process,
//! and a power cut undoes at most its last moments, which repeats work and loses none.
//!
//! - A message that was received stays invisible for [`QueueSettings::visibility`], then appears again, unless it was
//!   deleted. Every receive gives it a new receipt; a delete or release that shows an old one does nothing.
//! - A message that appears again after [`QueueSettings::max_receives`] receives goes to the dead queue instead.
//! - Groups take turns: a receive takes the oldest message of one group, then of the next, lap after lap, so however
//!   much a noisy group has waiting, it gets one message in for each of a quiet one.
//! - A group is worked on by so many receivers at the most as each claim allows ([`DurableQueue::claim`]): one whose messages
//!   take long leaves the others free.
//! - A clock that was ahead holds nothing back for long: no message is invisible for longer than it could have been
//!   made so now.
//! - A file belongs to one process: it stays locked while any handle lives. What that process had in flight when it
//!   died, the next one that opens the file hands out at once, not when its visibility would have ended.

mod at_work;
mod pace;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Clock, MAX_DELAY, Outgoing, Queue, QueueName, Source, Waiting};
use hooktide_store::times;
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::watch;

use self::at_work::AtWork;
pub use self::at_work::Claim;
pub use self::schema::OpenError;
use self::store::Store;
use self::writer::{Handle, Kind};

/// The largest body that a message may carry, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// The most messages that one receive hands out.
pub const MAX_RECEIVE: usize = 1000;

/// The longest time that a receive or a release can hide a message for.
pub const MAX_HIDDEN: Duration = Duration::from_secs(12 * 60 * 60);

/// How a queue treats what it hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a received message stays invisible to other receivers, at most [`MAX_HIDDEN`].
    pub visibility: Duration,
    /// The same for jobs, whose runs take longer.
    pub jobs_visibility: Duration,
    /// How often a message is handed out before it goes to the dead queue; 0 counts as 1.
    pub max_receives: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        let (visibility, jobs_visibility) = (times::PROCESSOR.visibility, times::SYNCER.visibility);
        Self { visibility, jobs_visibility, max_receives: 10 }
    }
}

impl QueueSettings {
    /// How long a message received from there stays invisible.
    pub fn visibility_of(&self, source: Source) -> Duration {
        match source {
            Source::Queue(QueueName::Jobs) => self.jobs_visibility,
            Source::Queue(QueueName::Notices | QueueName::Priority) | Source::Dead => self.visibility,
        }
    }
}

/// A message as it was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Which message; never used twice.
    pub id: i64,
    /// Which receive of it: a delete or release must show the latest.
    pub receipt: u64,
    /// The body, as it was sent.
    pub body: String,
    /// How often it was handed out, this time included; the dead queue counts on.
    pub receive_count: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// How much waits at one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Where.
    pub source: Source,
    /// Messages that a receive would find now.
    pub ready: u64,
    /// Messages that a delayed send or a release still holds back.
    pub delayed: u64,
    /// Messages that were received, not yet deleted, and are still invisible.
    pub in_flight: u64,
    /// When the oldest of all of them was sent.
    pub oldest_sent_at: Option<Timestamp>,
    /// How many messages were handed out within the last minute, by this process.
    pub lately: u64,
}

/// A durable queue; clones share it, and the last one to go closes the file.
#[derive(Debug)]
pub struct DurableQueue {
    writer: Handle,
    changes: watch::Receiver<u64>,
    at_work: AtWork,
    /// The change that this handle has seen last: each clone is a waiter of its own.
    seen: AtomicU64,
}

impl DurableQueue {
    /// Opens the file, making it if need be; its folder must exist.
    pub fn open(path: &Path, clock: Arc<dyn Clock>, settings: QueueSettings) -> Result<Self, OpenError> {
        Self::start(schema::open(path, clock.now())?, clock, settings)
    }

    /// A queue that dies with its last handle, for tests and simulations.
    pub fn in_memory(clock: Arc<dyn Clock>, settings: QueueSettings) -> Result<Self, OpenError> {
        Self::start(schema::in_memory(clock.now())?, clock, settings)
    }

    fn start(connection: Connection, clock: Arc<dyn Clock>, settings: QueueSettings) -> Result<Self, OpenError> {
        let (writer, changes) = writer::start(Store::new(connection, settings), clock)?;
        Ok(Self { writer, changes, at_work: AtWork::default(), seen: AtomicU64::new(0) })
    }

    /// Hands out at most `max` messages that are due (at most [`MAX_RECEIVE`]), the oldest due first.
    ///
    /// Every group with messages due gets its turn before another gets its second, in this receive and the next ones.
    /// Whoever drops the future may leave messages in flight until their visibility ends.
    pub async fn receive(&self, from: Source, max: usize) -> Result<Vec<Received>, Fault> {
        let max = max.min(MAX_RECEIVE);
        self.writer.ask(Kind::Ask, move |store| store.receive(from, max)).await
    }

    /// Hands out messages like [`DurableQueue::receive`], but none of a group of which `most` claims are under way: whoever
    /// works on a group for long leaves the other receivers to the others.
    pub async fn claim(&self, from: Source, max: usize, most: usize) -> Result<(Vec<Received>, Claim), Fault> {
        let (max, at_work) = (max.min(MAX_RECEIVE), self.at_work.clone());
        let claimed = move |store: &mut Store| {
            let (received, groups) = store.receive_of(from, max, &|group| !at_work.has(from, group, most))?;
            // Within the writer's thread, so that no two claims see the same count.
            Ok((received, at_work.claim(from, groups)))
        };
        self.writer.ask(Kind::Ask, claimed).await
    }

    /// Deletes messages, each by its id and the receipt of its latest receive; what does not fit is passed over.
    pub async fn delete(&self, messages: &[(i64, u64)]) -> Result<(), Fault> {
        let messages = messages.to_vec();
        self.writer.ask(Kind::Change, move |store| store.delete(&messages)).await
    }

    /// Makes messages visible `after` this long from now (at most [`MAX_HIDDEN`]); what does not fit is passed over.
    ///
    /// The receipts stay good until somebody else receives the messages, so this can also prolong the work on them.
    pub async fn release(&self, messages: &[(i64, u64)], after: Duration) -> Result<(), Fault> {
        let messages = messages.to_vec();
        self.writer.ask(Kind::Change, move |store| store.release(&messages, after)).await
    }

    /// How much waits, for each of [`Source::ALL`] in that order.
    pub async fn depth(&self) -> Result<Vec<Depth>, Fault> {
        self.writer.ask(Kind::Ask, |store| store.depth()).await
    }

    /// When the next message that is invisible becomes visible; a time that has passed if one already has.
    pub async fn next_due(&self, from: Source) -> Result<Option<Timestamp>, Fault> {
        self.writer.ask(Kind::Ask, move |store| store.next_due(from)).await
    }

    /// Waits till something was sent, released or moved to the dead queue since this handle's last wait ended.
    ///
    /// A loop that receives until nothing comes and then waits misses nothing, given a clone of its own; it must also
    /// wake at [`DurableQueue::next_due`], since time alone is no change. Returns at once if the queue has died.
    pub async fn changed(&self) {
        let seen = self.seen.load(Ordering::Relaxed);
        let latest = self.changes.clone().wait_for(|change| *change != seen).await.map(|change| *change);
        self.seen.store(latest.unwrap_or(seen), Ordering::Relaxed);
    }
}

impl Clone for DurableQueue {
    fn clone(&self) -> Self {
        let seen = AtomicU64::new(self.seen.load(Ordering::Relaxed));
        Self { writer: self.writer.clone(), changes: self.changes.clone(), at_work: self.at_work.clone(), seen }
    }
}

#[async_trait]
impl Queue for DurableQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        let mut results: Vec<Result<(), Fault>> = messages.iter().map(check).collect();
        let mut accepted = messages;
        let mut checked = results.iter();
        accepted.retain(|_| checked.next().is_some_and(Result::is_ok));
        if accepted.is_empty() {
            return results;
        }
        let bytes = accepted.iter().map(|message| message.body.len()).sum();
        // All or none of a batch: what stops one row from being written stops the next.
        let sent = self.writer.ask(Kind::Send { bytes }, move |store| store.send(&accepted)).await;
        if let Err(fault) = sent {
            results.iter_mut().filter(|result| result.is_ok()).for_each(|result| *result = Err(fault.clone()));
        }
        results
    }

    async fn waiting(&self) -> Result<Vec<Waiting>, Fault> {
        Ok(self.depth().await?.into_iter().map(Waiting::from).collect())
    }
}

impl From<Depth> for Waiting {
    fn from(depth: Depth) -> Self {
        let Depth { source, ready, delayed, in_flight, oldest_sent_at, lately } = depth;
        // What is only delayed is not late.
        let oldest_at = oldest_sent_at.filter(|_| ready + in_flight > 0);
        Self { source, ready, delayed, in_flight, oldest_at, per_minute: Some(lately) }
    }
}

/// Refuses what SQS would refuse. A delay is not cut short, since the message would then come too early.
fn check(message: &Outgoing) -> Result<(), Fault> {
    let bytes = message.body.len();
    if bytes > MAX_BODY {
        return Err(Fault::failed(format!("the body has {bytes} bytes; a message carries at most {MAX_BODY}")));
    }
    if message.delay > MAX_DELAY {
        let (delay, longest) = (message.delay.as_secs_f64(), MAX_DELAY.as_secs());
        return Err(Fault::failed(format!("a delay of {delay} s is longer than the longest possible, {longest} s")));
    }
    Ok(())
}
