//! Ports that fail on demand: at the n-th call, before or after its effect.

mod blobs;
mod ports;
mod table;
mod world;

use std::future::Future;
use std::sync::{Arc, Mutex};

use hooktide_flows::Ports;
use hooktide_model::fault::Fault;
use tokio::sync::watch;

pub use self::blobs::FaultyBlobs;
pub use self::ports::{FaultyBus, FaultyKeys, FaultyQueue, Published};
pub use self::table::{FaultyTable, Place};
pub use self::world::FaultyWorld;

/// Which calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Only the n-th call, counted from zero.
    Nth(usize),
    /// The n-th call and all later ones.
    From(usize),
    /// The calls whose number leaves this remainder when divided by the first.
    Every(usize, usize),
}

impl Which {
    fn holds(self, call: usize) -> bool {
        match self {
            Self::Nth(nth) => call == nth,
            Self::From(first) => call >= first,
            Self::Every(of, rest) => call % of == rest,
        }
    }
}

/// How far a failing call gets. Calls for which this makes no difference do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The call does not happen. All calls count.
    Before,
    /// The first half happens, and the answer says so. Only calls that change several independent items count.
    Halfway,
    /// The call happens, and its answer is lost. Only calls that change something count.
    After,
}

/// How a failing call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With [`Fault::Retryable`].
    Retryable,
    /// With [`Fault::Failed`].
    Failed,
    /// The process ends there: the call never returns.
    Crash,
}

/// The calls that are to fail, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Which calls.
    pub which: Which,
    /// How far they get.
    pub until: Until,
    /// How they fail.
    pub how: How,
}

#[derive(Debug, Default)]
struct State {
    plan: Option<Plan>,
    calls: usize,
    struck: usize,
    pace: Option<u64>,
    all_calls: usize,
}

/// Counts the calls of all ports, and makes some of them fail.
#[derive(Debug)]
pub struct Faults {
    state: Mutex<State>,
    crashes: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { state: Mutex::default(), crashes: watch::Sender::new(0) }
    }
}

impl Faults {
    /// Counts from zero, and fails by this plan.
    pub fn arm(&self, plan: Plan) {
        let mut state = self.state.lock().unwrap();
        let (pace, all_calls) = (state.pace, state.all_calls);
        *state = State { plan: Some(plan), pace, all_calls, ..State::default() };
    }

    /// Lets everything succeed, and returns how many calls had failed.
    pub fn disarm(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.plan = None;
        state.struck
    }

    /// How many calls there were, whether they failed or not.
    pub fn all_calls(&self) -> usize {
        self.state.lock().unwrap().all_calls
    }

    /// Lets concurrent work in between all calls, in an order that the seed decides.
    pub fn interleave(&self, seed: u64) {
        self.state.lock().unwrap().pace = Some(seed);
    }

    async fn give_way(&self) {
        let turns = {
            let mut state = self.state.lock().unwrap();
            state.all_calls += 1;
            state.pace.as_mut().map_or(0, |pace| {
                *pace = pace.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *pace >> 62
            })
        };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    /// Runs `work` to its end, or up to a crash, which drops it there and returns `None`.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut crashes = self.crashes.subscribe();
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = crashes.changed() => None,
        }
    }

    /// The plan for a call that changes so many independent items.
    fn next(&self, changes: usize) -> Option<Plan> {
        let mut state = self.state.lock().unwrap();
        let least = match state.plan?.until {
            Until::Before => 0,
            Until::After => 1,
            Until::Halfway => 2,
        };
        if changes < least {
            return None;
        }
        let call = state.calls;
        state.calls += 1;
        let plan = state.plan.filter(|plan| plan.which.holds(call));
        state.struck += usize::from(plan.is_some());
        plan
    }

    async fn fault(&self, how: How) -> Fault {
        match how {
            How::Retryable => Fault::retryable("a fault that was asked for"),
            How::Failed => Fault::failed("a fault that was asked for"),
            How::Crash => {
                self.crashes.send_modify(|crashes| *crashes += 1);
                std::future::pending().await
            }
        }
    }

    /// A call that changes nothing.
    async fn read<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send,
        fault: impl Fn(Fault) -> E + Send,
    ) -> Result<T, E> {
        self.give_way().await;
        match self.next(0) {
            None => call.await,
            Some(plan) => Err(fault(self.fault(plan.how).await)),
        }
    }

    /// A call that changes everything or nothing.
    async fn change<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send,
        fault: impl Fn(Fault) -> E + Send,
    ) -> Result<T, E> {
        self.give_way().await;
        let Some(plan) = self.next(1) else { return call.await };
        if plan.until == Until::After {
            drop(call.await);
        }
        Err(fault(self.fault(plan.how).await))
    }

    /// A call that changes several items.
    async fn change_each<I: Send, E, F>(
        &self,
        mut things: Vec<I>,
        call: impl FnOnce(Vec<I>) -> F + Send,
        fault: impl Fn(Fault) -> E + Send,
    ) -> Vec<Result<(), E>>
    where
        F: Future<Output = Vec<Result<(), E>>> + Send,
    {
        self.give_way().await;
        let count = things.len();
        let Some(plan) = self.next(count) else { return call(things).await };
        let mut results = match plan.until {
            Until::Before => Vec::new(),
            Until::Halfway => {
                things.truncate(count / 2);
                call(things).await
            }
            Until::After => {
                drop(call(things).await);
                Vec::new()
            }
        };
        let told = self.fault(plan.how).await;
        results.resize_with(count, || Err(fault(told.clone())));
        results
    }
}

/// The ports with faults in front, and the entries that the bus received.
pub fn faulty(ports: &Ports, faults: &Arc<Faults>) -> (Ports, Arc<Published>) {
    let published = Arc::new(Published::default());
    let ports = Ports {
        table: Arc::new(FaultyTable::new(Arc::clone(&ports.table), Arc::clone(faults))),
        queue: Arc::new(FaultyQueue::new(Arc::clone(&ports.queue), Arc::clone(faults))),
        bus: Arc::new(FaultyBus::new(Arc::clone(&ports.bus), Arc::clone(&published), Arc::clone(faults))),
        blobs: Arc::new(FaultyBlobs::new(Arc::clone(&ports.blobs), Arc::clone(faults))),
        keys: Arc::new(FaultyKeys::new(Arc::clone(&ports.keys), Arc::clone(faults))),
        http: Arc::clone(&ports.http),
        entropy: Arc::clone(&ports.entropy),
        meter: Arc::clone(&ports.meter),
    };
    (ports, published)
}
