//! Job marks: one for each resource and kind of job. Hints raise the mark; a run of the job holds it by a lease (`run.rs`).
//!
//! Hints that come while the job waits are folded into it. Those that come once it is begun, while a run holds it or it rests
//! between two steps, are kept apart: they cause exactly one more run when it ends.

mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::run::{again, anew, claimed, is_run_of, over, park, rest, scheduled};
use super::{Record, Stored, Upkeep};
use crate::key::{Area, Due, Key, Partition, due_partition};
use crate::ports::Write;
use crate::times;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The longest that a job waits for more hints, however many come, unless a single wait is longer.
pub const LATEST: Duration = Duration::from_secs(10);
/// How many entities a mark names; where hints are about more of them, none is named, and everything is asked for.
pub const MOST_NAMED: usize = 64;
/// A job that rests for longer was put to rest by a clock that was ahead.
const LONGEST_REST: Duration = Duration::from_secs(2 * 3600);
/// How long a run holds the mark.
pub const LEASE: Duration = times::SYNCER.lease;

/// A pending or running job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The tenant whose job it is.
    pub tenant: Tenant,
    /// The kind of work.
    pub job: JobKind,
    /// The object of the work: a resource, or the id of a replay or request.
    pub resource: String,
    /// How many hints were folded into it.
    pub hints: u64,
    /// The reasons, with the number of hints for each. Marks of older code have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<MarkReason, u64>,
    /// When the first hint came, in milliseconds.
    pub first_hint_at: i64,
    /// When it is due, or when the lease of its run ends, in milliseconds.
    pub due_at: i64,
    /// The number of its latest run; a run with an older number finishes nothing.
    pub fence: u64,
    /// Whether a run holds it.
    pub running: bool,
    /// Whether the job is begun: a run holds it, or it rests between two steps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begun: bool,
    /// Whether hints came since it was begun.
    pub again: bool,
    /// The reasons of these hints, for the one more run that they cause. Marks of older code have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub later: BTreeMap<MarkReason, u64>,
    /// The entities that hints were about, by the provider's ids, as far as they said so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub entities: BTreeSet<String>,
    /// The entities that the hints of the one more run were about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub later_entities: BTreeSet<String>,
}

impl Record for Mark {
    const NAME: &'static str = "job mark";
}

/// The content of a raised mark: a job, and how many hints there are for each reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Raise<'a> {
    /// The tenant whose job it is.
    pub tenant: &'a Tenant,
    /// The kind of work.
    pub job: JobKind,
    /// The object of the work.
    pub resource: &'a str,
    /// The reasons, with the number of hints for each.
    pub reasons: &'a BTreeMap<MarkReason, u64>,
    /// The entities that they are about, by the provider's ids, as far as they say so.
    pub entities: &'a BTreeSet<String>,
}

impl Raise<'_> {
    /// The mark of a job that nobody has begun.
    fn fresh(&self, fence: u64, due_at: Timestamp, now: Timestamp) -> Mark {
        let mut mark = Mark {
            tenant: self.tenant.clone(),
            job: self.job.clone(),
            resource: self.resource.to_owned(),
            hints: sum(self.reasons),
            reasons: self.reasons.clone(),
            first_hint_at: now.as_millisecond(),
            due_at: due_at.as_millisecond(),
            fence,
            running: false,
            begun: false,
            again: false,
            later: BTreeMap::new(),
            entities: BTreeSet::new(),
            later_entities: BTreeSet::new(),
        };
        name(&mut mark.entities, &mut mark.reasons, self.entities);
        mark
    }

    /// Whether it cannot wait until a job that rests goes on by itself: somebody asks for it.
    fn hurries(&self) -> bool {
        self.reasons.keys().any(|reason| matches!(reason, MarkReason::Asked | MarkReason::Full))
    }
}

impl Mark {
    /// The mark of a job that somebody asks for, due at this time.
    pub fn asked(tenant: &Tenant, job: JobKind, resource: &str, due_at: Timestamp, now: Timestamp) -> Self {
        let reasons = BTreeMap::from([(MarkReason::Asked, 1)]);
        Raise { tenant, job, resource, reasons: &reasons, entities: &BTreeSet::new() }.fresh(0, due_at, now)
    }

    /// The connection whose resource is to be synced, and the resource: the parts of `<resource>/<connection>`.
    pub fn connection(&self) -> Option<&str> {
        let mut parts = self.resource.split('/').skip(1);
        (self.job == JobKind::SYNC).then(|| parts.next()).flatten()
    }

    /// Whether a message must announce it: none is under way for a mark that did not wait, waited for longer, or was only scheduled.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        let is_due_sooner = |before: &Self| before.running || before.is_scheduled() || before.due_at > self.due_at;
        !self.running && before.is_none_or(is_due_sooner)
    }

    /// Whether it only waits for its time: no hint asks for it, and no message of its own is under way.
    pub fn is_scheduled(&self) -> bool {
        !self.running && !self.begun && self.hints == 0
    }

    /// The entities that it is about; `None` where it is about all of them: somebody asked for that as well, or they are more than
    /// a mark names.
    pub fn named(&self) -> Option<&BTreeSet<String>> {
        let asks_for_all = self.reasons.contains_key(&MarkReason::Full);
        (!asks_for_all && !self.entities.is_empty()).then_some(&self.entities)
    }

    /// Whether everything is asked for only because hints were about more entities than a mark names.
    pub fn names_too_many(&self) -> bool {
        self.reasons.get(&MarkReason::Full) == Some(&0)
    }

    /// The mark with more hints: those that come once the job is begun are for the run after it.
    fn with(&self, more: &Raise<'_>) -> Self {
        let mut mark = Self { hints: self.hints + sum(more.reasons), ..self.clone() };
        let begun = self.begun || self.running;
        let (reasons, entities) = match begun {
            true => (&mut mark.later, &mut mark.later_entities),
            false => (&mut mark.reasons, &mut mark.entities),
        };
        add(reasons, more.reasons);
        name(entities, reasons, more.entities);
        Self { again: begun, ..mark }
    }

    /// The mark of a job that is to begin anew: everything that raised it is for the next run.
    fn anew(&self) -> Self {
        let mut mark = Self { begun: false, again: false, later: BTreeMap::new(), ..self.clone() };
        add(&mut mark.reasons, &self.later);
        name(&mut mark.entities, &mut mark.reasons, &std::mem::take(&mut mark.later_entities));
        mark
    }

    /// Whether a run holds it by a plausible lease; one that ends later than two leases from now is not.
    fn is_held(&self, now: Timestamp) -> bool {
        let lease = now.as_millisecond()..(now + 2 * LEASE).as_millisecond();
        self.running && self.due_at > lease.start && self.due_at <= lease.end
    }

    /// Whether the job rests between two steps.
    fn is_resting(&self, now: Timestamp) -> bool {
        self.begun && !self.running && self.due_at <= (now + LONGEST_REST).as_millisecond()
    }
}

fn sum(reasons: &BTreeMap<MarkReason, u64>) -> u64 {
    reasons.values().sum()
}

fn add(reasons: &mut BTreeMap<MarkReason, u64>, more: &BTreeMap<MarkReason, u64>) {
    for (reason, count) in more {
        *reasons.entry(*reason).or_default() += count;
    }
}

/// Names more entities. Where they are too many, everything has to be read, although nobody asked for that.
fn name(entities: &mut BTreeSet<String>, reasons: &mut BTreeMap<MarkReason, u64>, more: &BTreeSet<String>) {
    entities.extend(more.iter().cloned());
    if entities.len() > MOST_NAMED {
        entities.clear();
        reasons.entry(MarkReason::Full).or_default();
    }
}

/// The key of the mark of a resource and kind.
pub fn key(tenant: &Tenant, job: &JobKind, resource: &str) -> Key {
    Partition::of(tenant, Area::Jobs).key(format!("{job}#{resource}"))
}

/// The mark after more hints, due once none came for as long as `debounce`.
pub fn raised(stored: Option<&Stored<Mark>>, raise: &Raise<'_>, debounce: Duration, now: Timestamp) -> Mark {
    let soon = (now + debounce).as_millisecond();
    let Some(Stored { record: former, .. }) = stored else { return raise.fresh(0, now + debounce, now) };
    let mark = former.with(raise);
    if former.is_held(now) {
        return mark;
    }
    if former.is_resting(now) {
        let due_at = if raise.hurries() { soon.min(mark.due_at) } else { mark.due_at };
        return Mark { due_at, ..mark };
    }
    // A run that was cut off is due again, and so is what a clock that was ahead put to rest for years.
    if former.running || former.begun {
        return Mark { first_hint_at: now.as_millisecond(), due_at: soon, running: false, ..mark };
    }
    // A mark that was raised by a clock that was ahead waits no longer than if the clock had been right.
    if former.first_hint_at > now.as_millisecond() {
        return Mark { first_hint_at: now.as_millisecond(), due_at: soon, ..mark };
    }
    let longest = i64::try_from(LATEST.max(debounce).as_millis()).unwrap_or(i64::MAX);
    let latest = mark.first_hint_at.saturating_add(longest);
    Mark { due_at: soon.min(latest).max(mark.due_at.min(latest)), ..mark }
}

/// The write that stores a mark over the one that was read.
pub fn store(read: Option<u64>, mark: &Mark) -> Result<Write, Fault> {
    super::replace(&key(&mark.tenant, &mark.job, &mark.resource), read, mark, upkeep(mark))
}

/// The write of a mark, whatever is there.
pub fn put(mark: &Mark) -> Result<Write, Fault> {
    super::put(&key(&mark.tenant, &mark.job, &mark.resource), mark, upkeep(mark))
}

fn upkeep(mark: &Mark) -> Upkeep {
    let shard = signing::sha256(&[mark.tenant.as_str().as_bytes(), mark.resource.as_bytes()])[0];
    let due_at = Timestamp::from_millisecond(mark.due_at).unwrap_or(Timestamp::MAX);
    Upkeep { expires_at: None, due: Some((due_partition(Due::Job(&mark.job), shard), due_at)) }
}
