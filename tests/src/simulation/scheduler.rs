//! The scheduler: one seeded source of chance decides which port call happens next, what goes wrong with it, and when
//! the clock moves. Nothing else in a simulation is left to chance, so a seed determines a run.
//!
//! Every call of a port waits at a [`Gate`] until the scheduler lets it through with a [`Verdict`]. Actors are futures
//! that are polled only then; to crash one is to drop it.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::rates::Rates;
use super::trace::Trace;

/// The fate of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The call happens.
    Happens,
    /// The call does not happen, and its answer says that it was throttled.
    Throttled,
    /// The call happens, and its answer says that it failed.
    AnswerLost,
    /// The transaction does not happen, since another one was at the same items.
    Conflict,
    /// Each entry of the batch happens or is throttled, by the bits of this number.
    Half(u64),
}

/// A call that waits at its gate.
struct Waiting {
    actor: usize,
    call: &'static str,
    batch: bool,
    held_until: Timestamp,
}

/// The state that all parts of a simulation share.
pub struct Scheduler {
    state: Mutex<State>,
}

struct State {
    rng: StdRng,
    now: Timestamp,
    rates: Rates,
    trace: Trace,
    /// The actor that is being polled: calls that arrive are its own.
    polled: usize,
    waiting: BTreeMap<u64, Waiting>,
    verdicts: HashMap<u64, Verdict>,
    gates: u64,
}

/// The work of an actor until it is idle again.
pub type Activity = Pin<Box<dyn Future<Output = ()>>>;

/// The state of an actor after a step.
pub enum Stepped {
    /// The actor waits at its next call.
    Waits,
    /// The actor is idle.
    Ended,
    /// The actor was dropped at a call, with everything that it knew.
    Crashed,
}

impl Scheduler {
    /// A scheduler with this seed, starting at `now`.
    pub fn new(seed: u64, rates: Rates, now: Timestamp) -> Arc<Self> {
        let state = State {
            rng: StdRng::seed_from_u64(seed),
            now,
            rates,
            trace: Trace::default(),
            polled: 0,
            waiting: BTreeMap::new(),
            verdicts: HashMap::new(),
            gates: 0,
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("one thread only")
    }

    /// The true time.
    pub fn now(&self) -> Timestamp {
        self.state().now
    }

    /// A number below `below`.
    pub fn choose(&self, below: usize) -> usize {
        self.state().rng.random_range(0..below.max(1))
    }

    /// Whether an event with a chance of `per_mille` happens; counted under `name` if it does.
    pub fn happens(&self, name: &'static str, per_mille: u32) -> bool {
        let mut state = self.state();
        let happens = state.rng.random_range(0..1000) < per_mille;
        if happens {
            state.trace.count(name);
        }
        happens
    }

    /// Notes something that happened, for the counts and the hash.
    pub fn note(&self, name: &'static str, detail: &str) {
        let mut state = self.state();
        state.trace.count(name);
        state.trace.add(name, detail);
    }

    /// Moves the clock, by a little or a lot.
    pub fn move_clock(&self) {
        let mut state = self.state();
        let millis = match state.rng.random_range(0..100) {
            0..80 => state.rng.random_range(1..400),
            80..97 => state.rng.random_range(400..5_000),
            97..99 => state.rng.random_range(5_000..90_000),
            _ => state.rng.random_range(90_000..900_000),
        };
        state.now += Duration::from_millis(millis);
        state.trace.add("clock", &millis.to_string());
    }

    /// Moves the clock on by this much.
    pub fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    /// Changes the rates from now on.
    pub fn set_rates(&self, rates: Rates) {
        let mut state = self.state();
        state.rates = rates;
        let now = state.now;
        state.waiting.values_mut().for_each(|waiting| waiting.held_until = now);
    }

    /// The current rates.
    pub fn rates(&self) -> Rates {
        self.state().rates
    }

    /// The actors whose call may go on, each with its gate.
    pub fn ready(&self) -> Vec<(u64, usize)> {
        let state = self.state();
        let ready = state.waiting.iter().filter(|(_, waiting)| waiting.held_until <= state.now);
        ready.map(|(gate, waiting)| (*gate, waiting.actor)).collect()
    }

    /// When the first of the held calls may go on.
    pub fn next_held(&self) -> Option<Timestamp> {
        self.state().waiting.values().map(|waiting| waiting.held_until).min()
    }

    /// Lets one call through, and polls its actor.
    pub fn step(&self, gate: u64, activity: &mut Activity) -> Stepped {
        let crash = {
            let mut state = self.state();
            let Some(waiting) = state.waiting.remove(&gate) else { return Stepped::Waits };
            let Rates { crash_before, crash_after, throttled, answer_lost, conflict, half, held, .. } = state.rates;
            let mut chance = |per_mille: u32| state.rng.random_range(0..1000) < per_mille;
            let (before, after) = (chance(crash_before), chance(crash_after));
            let fault = [
                (Verdict::Throttled, "fault: throttled", chance(throttled)),
                (Verdict::AnswerLost, "fault: answer lost", chance(answer_lost)),
                (
                    Verdict::Conflict,
                    "fault: transaction cancelled",
                    chance(conflict) && waiting.call == "table.transact",
                ),
                (Verdict::Half(0), "fault: half a batch failed", chance(half) && waiting.batch),
            ];
            let hold = chance(held);
            let bits = state.rng.random();
            if hold && waiting.held_until < state.now {
                let held_until = state.now + Duration::from_millis(state.rng.random_range(1..120_000));
                state.trace.count("fault: a call took long");
                state.trace.add("held", waiting.call);
                state.waiting.insert(gate, Waiting { held_until, ..waiting });
                return Stepped::Waits;
            }
            let verdict = fault.iter().find(|(_, _, happens)| *happens);
            if let Some((_, name, _)) = verdict {
                state.trace.count(name);
            }
            let verdict = match verdict {
                Some((Verdict::Half(_), _, _)) => Verdict::Half(bits),
                Some((verdict, _, _)) => *verdict,
                None => Verdict::Happens,
            };
            state.trace.count(waiting.call);
            let line = format!("{} {} {verdict:?} {before} {after}", waiting.actor, waiting.call);
            state.trace.add("call", &line);
            if before {
                state.trace.count("fault: crash before a call");
                state.waiting.retain(|_, other| other.actor != waiting.actor);
                return Stepped::Crashed;
            }
            state.verdicts.insert(gate, verdict);
            state.polled = waiting.actor;
            after.then_some(waiting.actor)
        };
        let ended = poll(activity);
        if ended {
            return Stepped::Ended;
        }
        if let Some(actor) = crash {
            let mut state = self.state();
            state.trace.count("fault: crash after a call");
            state.waiting.retain(|_, other| other.actor != actor);
            return Stepped::Crashed;
        }
        Stepped::Waits
    }

    /// Starts an activity by polling it to its first call, and returns whether it already ended.
    pub fn start(&self, actor: usize, activity: &mut Activity) -> bool {
        self.state().polled = actor;
        poll(activity)
    }

    /// The counts, and the hash of everything that happened.
    pub fn trace(&self) -> Trace {
        self.state().trace.clone()
    }
}

fn poll(activity: &mut Activity) -> bool {
    activity.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// The gate at which a call waits until it is let through.
pub struct Gate {
    scheduler: Arc<Scheduler>,
    call: &'static str,
    batch: bool,
    id: Option<u64>,
}

impl Gate {
    /// The gate of a call; `batch` if its entries can fail separately.
    pub fn new(scheduler: &Arc<Scheduler>, call: &'static str, batch: bool) -> Self {
        Self { scheduler: Arc::clone(scheduler), call, batch, id: None }
    }
}

impl Future for Gate {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<Verdict> {
        let scheduler = Arc::clone(&self.scheduler);
        let mut state = scheduler.state();
        match self.id {
            None => {
                let id = state.gates;
                state.gates += 1;
                let waiting =
                    Waiting { actor: state.polled, call: self.call, batch: self.batch, held_until: Timestamp::MIN };
                state.waiting.insert(id, waiting);
                self.id = Some(id);
                Poll::Pending
            }
            Some(id) => state.verdicts.remove(&id).map_or(Poll::Pending, Poll::Ready),
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let mut state = self.scheduler.state();
            state.waiting.remove(&id);
            state.verdicts.remove(&id);
        }
    }
}
