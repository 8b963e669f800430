//! Agendas: people with calendars at several providers that block each other, over weeks of virtual time in which they edit
//! them, while notifications and answers get lost, providers and we ourselves are out, and runs are cut off.
//!
//! Each week ends with a day and a half in which nothing fails and nobody edits. Then the blocks that lie at the providers must be
//! those that a naive reckoning expects, which shares no code with the product.

pub mod account;
pub mod entry;
pub mod flaw;
pub mod forms;
pub mod held;
pub mod judge;
pub mod machine;
pub mod owner;
pub mod people;
pub mod person;
pub mod way;
pub mod world;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use self::flaw::Flaw;
use self::people::Plan;
use self::world::World;

/// What happens.
#[derive(Debug, Clone)]
pub struct Agenda {
    /// Decides everything.
    pub seed: u64,
    /// How many days it lasts.
    pub days: u32,
    /// The people, and their calendars.
    pub people: Vec<Vec<Plan>>,
    /// How many edits there are a day, over all of them.
    pub edits_a_day: u32,
    /// How many notifications of a million get lost.
    pub lost: u32,
    /// Whether anything else fails.
    pub rough: bool,
    /// Whether it is measured how long blocks take.
    pub measured: bool,
    /// A flaw for tests.
    pub flaw: Option<Flaw>,
}

impl Agenda {
    /// An agenda of these people in which everything fails at times.
    pub fn rough(seed: u64, days: u32, people: Vec<Vec<Plan>>) -> Self {
        Self { seed, days, people, edits_a_day: 30, lost: 10_000, rough: true, measured: false, flaw: None }
    }

    /// The person and the days that show a flaw.
    pub fn flawed(seed: u64, flaw: Flaw) -> Self {
        let rough = Self { flaw: Some(flaw), ..Self::rough(seed, 7, people::each()) };
        match flaw {
            Flaw::NoMark => Self { people: people::thin(), ..rough },
            Flaw::EmptyFeed => rough,
            // Only until the night's listing.
            Flaw::CursorWithoutPage => Self { lost: 0, rough: false, measured: true, ..rough },
            // While the calendar is out to which a block was written, its event has to go.
            Flaw::NoIntent => Self { edits_a_day: 300, days: 4, ..rough },
            // What is beyond the window has to come into it.
            Flaw::NoRoll => Self { days: 14, ..rough },
        }
    }

    /// Five people with two calendars each, fifty edits a day, and notifications of which one in a hundred gets lost.
    pub fn reference(seed: u64, days: u32) -> Self {
        let people = people::five();
        Self { seed, days, people, edits_a_day: 50, lost: 10_000, rough: false, measured: true, flaw: None }
    }
}

/// How it ended.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What was broken, in words.
    pub broken: Vec<String>,
    /// How often everything happened.
    pub counts: BTreeMap<String, u64>,
    /// How long it took from the notification of each edit until its blocks were as they should be, in seconds.
    pub told: Vec<u64>,
    /// The same from the edit on, of those whose notification was lost.
    pub lost: Vec<u64>,
}

impl Outcome {
    /// How often something happened.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    /// How many reads there were since everybody had chosen their calendars.
    pub fn reads(&self) -> u64 {
        self.count("calls: read") - self.count("before: read")
    }
}

/// How many reads a day polling each quarter of an hour would cost: ten calendars, each compared with three others.
pub const POLLED: u64 = 2_880;

/// When it begins.
pub fn start() -> Timestamp {
    "2026-11-02T08:00:00Z".parse().expect("a time")
}

/// How long nobody edits and nothing fails before the blocks are looked at.
const CALM: SignedDuration = SignedDuration::from_hours(36);

/// Lets it go by.
pub async fn run(agenda: Agenda) -> Outcome {
    let days = i64::from(agenda.days);
    let mut world = World::new(agenda).await;
    let (begin, mut day) = (world.now(), 0);
    while day < days {
        day = (day + 7).min(days);
        let end = begin + SignedDuration::from_hours(24 * day);
        world.go_until(end - CALM);
        world.set_calm(true);
        world.go_until(end);
        if world.runs_away() {
            break;
        }
        world.judge();
        world.set_calm(false);
    }
    world.outcome().await
}
