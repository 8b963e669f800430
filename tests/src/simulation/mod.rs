//! The whole spine under one seed: receivers, queues, processors, syncers, sweeps, replays and readers of the feed, with a virtual
//! clock and one source of chance that decides every step and every fault.
//!
//! A step is one call of a port or one move of the clock. After the steps the weather calms: nothing new is sent, nothing
//! fails, and everything must come to its end; then [`invariants`] are checked. The same seed does the same, to the last
//! call: [`Outcome::hash`] covers all of them.

pub mod actors;
pub mod invariants;
pub mod mutations;
pub mod ports;
pub mod queue;
pub mod rates;
pub mod scheduler;
pub mod ties;
pub mod trace;
pub mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};

use self::actors::Actor;
use self::mutations::Mutation;
use self::rates::Rates;
use self::scheduler::{Activity, Scheduler, Stepped};
use self::world::World;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Decides everything.
    pub seed: u64,
    /// How many steps of bad weather.
    pub steps: u64,
    /// A flaw for tests.
    pub mutation: Option<Mutation>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was broken, in words; the first is what was found first.
    pub broken: Vec<String>,
    /// How often everything happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Over all that happened.
    pub hash: String,
}

/// How many calm steps a run may take to come to its end, besides twice as many as it had of bad weather.
const LONGEST_CALM: u64 = 20_000;
/// How often the invariants that hold at any time are looked at.
const LOOK_EVERY: u64 = 2_000;

/// Runs it.
pub fn run(run: Run) -> Outcome {
    let start: Timestamp = "2026-11-02T08:00:00Z".parse().expect("a time");
    let scheduler = Scheduler::new(run.seed, Rates::ROUGH, start);
    let set_up = World::new(run.seed, Arc::clone(&scheduler), run.mutation);
    let world = Arc::new(set_up.now_or_never().expect("setting up waits for nobody"));
    let mut stage = Stage::new(world);
    for step in 0..run.steps {
        stage.step();
        if step % LOOK_EVERY == LOOK_EVERY - 1 {
            let broken = invariants::at_any_time(&stage.world);
            if !broken.is_empty() {
                return stage.outcome(broken);
            }
        }
    }
    stage.calm_down();
    let longest = LONGEST_CALM + 2 * run.steps;
    for _ in 0..longest {
        if stage.is_over() {
            let broken = invariants::at_the_end(&stage.world);
            return stage.outcome(broken);
        }
        stage.step();
    }
    let broken = vec![format!(
        "nothing waits for ever: after {longest} calm steps {} messages still wait, {} deliveries are still to be sent; the first: {}",
        stage.world.queue.len(),
        stage.world.ledger().again.len(),
        stage.world.queue.bodies().first().map(|body| body.chars().take(300).collect::<String>()).unwrap_or_default()
    )];
    stage.outcome(broken)
}

/// The shortest number of steps that is still broken, found by halving; the run is repeatable, so a prefix is a run.
pub fn shortest_failing(run_: Run) -> u64 {
    let (mut passes, mut fails) = (0, run_.steps);
    while fails - passes > 1 + fails / 50 {
        let middle = passes + (fails - passes) / 2;
        if run(Run { steps: middle, ..run_ }).broken.is_empty() {
            passes = middle;
        } else {
            fails = middle;
        }
    }
    fails
}

struct Stage {
    world: Arc<World>,
    actors: Vec<(Actor, Option<Activity>)>,
    calm: bool,
}

impl Stage {
    fn new(world: Arc<World>) -> Self {
        let scheduler = &world.scheduler;
        let mut actors: Vec<Actor> = Vec::new();
        actors.extend((0..3).map(|_| Actor::provider(&world)));
        // Two to eight processors, some with clocks that are off by up to half a minute.
        for n in 0..2 + scheduler.choose(7) {
            let millis = i64::try_from(scheduler.choose(60_000)).expect("small") - 30_000;
            let skew = if n % 3 == 2 { SignedDuration::from_millis(millis) } else { SignedDuration::ZERO };
            actors.push(Actor::worker(&world, actors::ORDINARY, skew, false));
        }
        actors.extend((0..2).map(|_| Actor::worker(&world, actors::JOBS, SignedDuration::ZERO, false)));
        actors.push(Actor::Sweeper);
        actors.extend((0..4).map(|n| Actor::reader(&world, n, n % 2 * (1 + scheduler.choose(world.shops.len() - 1)))));
        actors.push(Actor::Operator);
        let actors = actors.into_iter().map(|actor| (actor, None)).collect();
        Self { world, actors, calm: false }
    }

    /// One call of a port, or one move of the clock.
    fn step(&mut self) {
        let scheduler = Arc::clone(&self.world.scheduler);
        let ready = scheduler.ready();
        let idle: Vec<usize> =
            (0..self.actors.len()).filter(|actor| self.actors[*actor].1.is_none() && self.may_start(*actor)).collect();
        let moves = usize::from(!self.calm || ready.is_empty() && idle.is_empty());
        let weights = (ready.len() * 6, idle.len(), moves);
        let choice = scheduler.choose(weights.0 + weights.1 + weights.2);
        if choice < weights.0 {
            let (gate, actor) = ready[choice % ready.len()];
            self.go_on(gate, actor);
        } else if choice < weights.0 + weights.1 {
            self.start(idle[choice - weights.0]);
        } else {
            self.move_clock();
        }
    }

    fn go_on(&mut self, gate: u64, actor: usize) {
        let (who, activity) = &mut self.actors[actor];
        let Some(running) = activity else { return };
        match self.world.scheduler.step(gate, running) {
            Stepped::Waits => {}
            Stepped::Ended => *activity = None,
            Stepped::Crashed => {
                *activity = None;
                who.restart(&self.world);
            }
        }
    }

    fn start(&mut self, actor: usize) {
        let (who, activity) = &mut self.actors[actor];
        let Some(mut started) = who.next(&self.world) else { return };
        if !self.world.scheduler.start(actor, &mut started) {
            *activity = Some(started);
        }
    }

    fn move_clock(&self) {
        let scheduler = &self.world.scheduler;
        if self.calm {
            // Straight to whatever comes next.
            let now = scheduler.now();
            let again = self.world.ledger().again.iter().map(|(at, _, _)| *at).min();
            let next = [scheduler.next_held(), self.world.queue.next_visible(), again].into_iter().flatten();
            let wait = next.filter(|at| *at > now).min().map_or(60_000, |at| at.duration_since(now).as_millis().max(1));
            scheduler.advance(Duration::from_millis(u64::try_from(wait).unwrap_or(1).min(60_000)));
        } else {
            scheduler.move_clock();
        }
        self.world.sync_clock();
    }

    /// Whether an actor has anything to begin with: some act only now and then.
    fn may_start(&self, actor: usize) -> bool {
        let world = &self.world;
        let now = world.scheduler.now();
        match &self.actors[actor].0 {
            Actor::Provider(_) if self.calm => world.ledger().again.iter().any(|(at, _, _)| *at <= now),
            Actor::Worker { .. } => world.queue.next_visible().is_some_and(|at| at <= now),
            Actor::Sweeper | Actor::Operator if self.calm => false,
            Actor::Sweeper => world.scheduler.choose(40) == 0,
            Actor::Operator => world.scheduler.choose(400) == 0,
            Actor::Reader { .. } if self.calm => false,
            Actor::Provider(_) | Actor::Reader { .. } => true,
        }
    }

    /// Nothing new, nothing fails; whoever ran newer code still does, so that all can be read.
    fn calm_down(&mut self) {
        self.calm = true;
        self.world.scheduler.set_rates(Rates::CALM);
        for (actor, activity) in &mut self.actors {
            if let Actor::Worker { newer: false, sources, .. } = actor {
                // What it worked on comes back when its visibility ends.
                *activity = None;
                *actor = Actor::worker(&self.world, sources, SignedDuration::ZERO, true);
            }
        }
    }

    /// Whether nothing waits any more.
    fn is_over(&mut self) -> bool {
        let idle = self.actors.iter().all(|(_, activity)| activity.is_none());
        if !idle || !self.world.queue.is_empty() || !self.world.ledger().again.is_empty() {
            return false;
        }
        // What is deferred or lost shows only to the sweeper, and what is new in the feed to the readers.
        invariants::sweep_and_read(&self.world, &self.actors) == 0
    }

    fn outcome(&self, broken: Vec<String>) -> Outcome {
        let trace = self.world.scheduler.trace();
        Outcome { broken, counts: trace.counts().clone(), hash: trace.hash() }
    }
}
