//! A model of the queue: at least once, in any order, fair between groups, with delays, visibility and receive counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_flows::message::Message;
use hooktide_model::envelope::VERSION;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Outgoing, Queue, Source};
use hooktide_store::times::Times;
use jiff::Timestamp;

use super::ports::{batch, lost, throttled};
use super::scheduler::{Gate, Scheduler, Verdict};

/// As the deployment has it.
const MOST_RECEIVES: u32 = 10;

#[derive(Debug, Clone)]
struct Held {
    source: Source,
    body: String,
    group: String,
    visible_at: Timestamp,
    receives: u32,
    receipt: u64,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<u64, Held>,
    next: u64,
    /// Whether what is sent now is sent by newer code.
    newer: bool,
    /// How often each group's messages were handed out: the next is the one that had fewest.
    served: BTreeMap<String, u64>,
}

/// The queues.
#[derive(Clone)]
pub struct ModelQueue {
    scheduler: Arc<Scheduler>,
    state: Arc<Mutex<State>>,
    /// A flaw for tests: what is sent again forgets how often it was tried.
    forgets_tries: bool,
}

impl ModelQueue {
    /// Empty queues.
    pub fn new(scheduler: &Arc<Scheduler>, forgets_tries: bool) -> Self {
        Self { scheduler: Arc::clone(scheduler), state: Arc::default(), forgets_tries }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("one thread only")
    }

    /// From now on, what is sent is sent by newer code, or no longer.
    pub fn set_newer(&self, newer: bool) {
        self.state().newer = newer;
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.state().messages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the next message can be taken.
    pub fn next_visible(&self) -> Option<Timestamp> {
        self.state().messages.values().map(|held| held.visible_at).min()
    }

    /// The bodies of what waits, for saying what is wrong.
    pub fn bodies(&self) -> Vec<String> {
        self.state().messages.values().map(|held| held.body.clone()).collect()
    }

    /// Takes up to `most` messages, fairly and otherwise at random.
    pub async fn receive(&self, source: Source, most: usize) -> Vec<(Message, u64)> {
        if Gate::new(&self.scheduler, "queue.receive", false).await != Verdict::Happens {
            return Vec::new();
        }
        let (now, twice) = (self.scheduler.now(), self.scheduler.rates().twice);
        let mut taken = Vec::new();
        let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        {
            let mut state = self.state();
            let dying: Vec<u64> = state
                .messages
                .iter()
                .filter(|(_, held)| held.source == source && held.visible_at <= now && held.receives >= MOST_RECEIVES)
                .map(|(id, _)| *id)
                .collect();
            for id in dying {
                if let Some(held) = state.messages.get_mut(&id).filter(|held| held.source != Source::Dead) {
                    (held.source, held.receives) = (Source::Dead, 0);
                    self.scheduler.note("queue: gave up on a message", "");
                }
            }
            for (id, held) in state.messages.iter().filter(|(_, held)| held.source == source && held.visible_at <= now)
            {
                groups.entry(held.group.clone()).or_default().push(*id);
            }
        }
        while taken.len() < most && !groups.is_empty() {
            let mut state = self.state();
            let fewest = groups.keys().min_by_key(|group| state.served.get(*group).copied().unwrap_or(0)).cloned();
            let Some(group) = fewest else { break };
            *state.served.entry(group.clone()).or_default() += 1;
            drop(state);
            let ids = groups.get_mut(&group).expect("a group");
            let id = ids.swap_remove(self.scheduler.choose(ids.len()));
            if ids.is_empty() {
                groups.remove(&group);
            }
            let again = self.scheduler.happens("fault: handed out twice", twice);
            let mut state = self.state();
            let Some(held) = state.messages.get_mut(&id) else { continue };
            held.receives += 1;
            held.receipt += 1;
            held.visible_at = if again { now + Duration::from_millis(1) } else { now + Times::of(source).visibility };
            taken.push((Message { handle: id.to_string(), source, body: held.body.clone() }, held.receipt));
        }
        taken
    }

    /// Is done with a message, if nobody else has taken it since.
    pub async fn delete(&self, handles: Vec<(String, u64)>) {
        for (handle, receipt) in handles {
            if Gate::new(&self.scheduler, "queue.delete", false).await == Verdict::Throttled {
                continue;
            }
            let id: u64 = handle.parse().expect("a handle of ours");
            let mut state = self.state();
            if state.messages.get(&id).is_some_and(|held| held.receipt == receipt) {
                state.messages.remove(&id);
            }
        }
    }

    /// Takes a message, without a gate.
    pub fn put(&self, message: Outgoing) {
        let now = self.scheduler.now();
        let mut state = self.state();
        let mut body = message.body;
        if self.forgets_tries {
            for tries in 1..3 {
                body = body.replace(&format!("\"attempt\":{tries}"), "\"attempt\":0");
            }
        }
        if state.newer {
            body = as_newer(&body);
        }
        let held = Held {
            source: Source::Queue(message.queue),
            body,
            group: message.group,
            visible_at: now + message.delay,
            receives: 0,
            receipt: 0,
        };
        let id = state.next;
        state.next += 1;
        state.messages.insert(id, held);
    }
}

/// What newer code would have sent in the place of ours: the next version, which we must leave alone.
pub fn as_newer(body: &str) -> String {
    body.replacen(&format!("\"v\":{VERSION}"), &format!("\"v\":{}", VERSION + 1), 1)
}

/// What newer code reads.
pub fn read_by_newer(body: &str) -> String {
    body.replacen(&format!("\"v\":{}", VERSION + 1), &format!("\"v\":{VERSION}"), 1)
}

#[async_trait]
impl Queue for ModelQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        let count = messages.len();
        match Gate::new(&self.scheduler, "queue.send", count > 1).await {
            Verdict::Happens | Verdict::Conflict => {
                messages.into_iter().for_each(|message| self.put(message));
                vec![Ok(()); count]
            }
            Verdict::Throttled => vec![Err(throttled()); count],
            Verdict::AnswerLost => {
                messages.into_iter().for_each(|message| self.put(message));
                vec![Err(lost()); count]
            }
            Verdict::Half(bits) => batch(messages, bits, |message| {
                self.put(message);
                Ok(())
            }),
        }
    }
}
