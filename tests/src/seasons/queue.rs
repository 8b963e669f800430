//! The queues of a season: messages become visible, are taken, and come back unless they are deleted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_flows::message::Message;
use hooktide_local::clock::ManualClock;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Clock, Outgoing, Queue, QueueName, Source};
use jiff::Timestamp;

/// How long a message that was taken is hidden.
const HIDDEN: Duration = Duration::from_secs(380);
/// How often a message is taken before it is given up.
const MOST: u32 = 14;

struct Held {
    source: Source,
    body: String,
    visible_at: Timestamp,
    taken: u32,
}

/// All queues.
pub struct Queues {
    clock: ManualClock,
    held: Mutex<(u64, BTreeMap<u64, Held>)>,
}

impl Queues {
    /// Empty ones.
    pub fn new(clock: ManualClock) -> Self {
        Self { clock, held: Mutex::default() }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, (u64, BTreeMap<u64, Held>)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next message can be taken.
    pub fn next_visible(&self) -> Option<Timestamp> {
        self.held().1.values().map(|held| held.visible_at).min()
    }

    /// Takes messages of a source, and says how often each was taken before.
    pub fn take(&self, source: Source, most: usize) -> Vec<(Message, u32)> {
        let now = self.clock.now();
        let mut held = self.held();
        for one in held.1.values_mut().filter(|one| one.taken >= MOST && one.visible_at <= now) {
            (one.source, one.taken) = (Source::Dead, 0);
        }
        let due = held.1.iter_mut().filter(|(_, one)| one.source == source && one.visible_at <= now);
        let taken = due.take(most).map(|(id, one)| {
            (one.visible_at, one.taken) = (now + HIDDEN, one.taken + 1);
            (Message { handle: id.to_string(), source, body: one.body.clone() }, one.taken)
        });
        taken.collect()
    }

    /// Is done with a message.
    pub fn delete(&self, handle: &str) {
        self.held().1.remove(&handle.parse().expect("a handle of ours"));
    }
}

#[async_trait]
impl Queue for Queues {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        let now = self.clock.now();
        let mut held = self.held();
        let count = messages.len();
        for Outgoing { queue, body, delay, .. } in messages {
            held.0 += 1;
            let id = held.0;
            held.1.insert(id, Held { source: Source::Queue(queue), body, visible_at: now + delay, taken: 0 });
        }
        vec![Ok(()); count]
    }
}

/// All sources, jobs last.
pub const SOURCES: [Source; 4] = [
    Source::Queue(QueueName::Priority),
    Source::Queue(QueueName::Notices),
    Source::Dead,
    Source::Queue(QueueName::Jobs),
];
