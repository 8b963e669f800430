//! Seasons: weeks of virtual time in which accounts at simulated providers are read, subscribed to and edited, while
//! notifications get lost, providers and we ourselves are out for hours, answers are lost and runs are cut off.
//!
//! Time goes from event to event, so that a quiet night costs nothing. One seed decides everything. After the last day nothing
//! fails any more; a day later everything that was edited has to be known.

pub mod account;
pub mod mortal;
pub mod queue;
pub mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::world::World;

/// A flaw, which a season must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The cursor of a reading is stored, and its page is not.
    CursorWithoutPage,
    /// Resources are polled although webhooks tell of them.
    PollsAlways,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::CursorWithoutPage, Self::PollsAlways];
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub struct Season {
    /// Decides everything.
    pub seed: u64,
    /// How many days it lasts.
    pub days: u32,
    /// The only provider, where it is not all that have a simulator.
    pub only: Option<&'static str>,
    /// How many products the merchant has.
    pub items: usize,
    /// How many calendars there are besides the one that every account begins with.
    pub calendars: usize,
    /// How many edits there are a day, over all accounts.
    pub edits_a_day: u32,
    /// Whether anything fails.
    pub rough: bool,
    /// A flaw for tests.
    pub flaw: Option<Flaw>,
}

/// How a season ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was broken, in words.
    pub broken: Vec<String>,
    /// How often everything happened.
    pub counts: BTreeMap<String, u64>,
    /// How long it took until each edit was known, in seconds; of those whose notification arrived first.
    pub told: Vec<u64>,
    /// The same, of those whose notification was lost.
    pub lost: Vec<u64>,
}

impl Outcome {
    /// How often something happened.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// The sum of all that begins with a text.
    pub fn sum(&self, prefix: &str) -> u64 {
        self.counts.iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
    }
}

/// When seasons begin.
fn start() -> Timestamp {
    "2026-11-02T08:00:00Z".parse().expect("a time")
}

/// Lets a season go by.
pub async fn run(season: Season) -> Outcome {
    let mut world = World::new(season).await;
    let end = start() + SignedDuration::from_hours(24 * i64::from(season.days));
    while world.now() < end {
        world.step(end).await;
    }
    world.calm_down();
    // A night with its listings, and the second one that a doubted one asks for.
    let calm = end + SignedDuration::from_hours(36);
    while world.now() < calm {
        world.step(calm).await;
    }
    world.outcome().await
}

/// A share of a list that is sorted, such as its median.
pub fn percentile(list: &[u64], percent: usize) -> u64 {
    let mut sorted = list.to_vec();
    sorted.sort_unstable();
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The seconds from one time to a later one.
fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    Duration::try_from(to.duration_since(from)).unwrap_or_default().as_secs()
}
