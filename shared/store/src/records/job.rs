//! Job marks: one per resource and kind. Hints raise the mark; whoever runs the job holds it by a lease.
//!
//! Hints that come while the job waits are folded into it; those that come while it runs cause exactly one more run.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Record, Stored, Upkeep};
use crate::key::{Area, Due, Key, Partition, due_partition};
use crate::ports::Write;
use hooktide_model::fault::Fault;
use hooktide_model::names::JobKind;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// How long a job waits for more hints.
pub const DEBOUNCE: Duration = Duration::from_secs(2);
/// How long it waits at the most, however many come.
pub const LATEST: Duration = Duration::from_secs(10);
/// How long a run holds the mark: longer than a function may run.
pub const LEASE: Duration = Duration::from_secs(40);

/// That a job is to be done, or is being done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Whose.
    pub tenant: Tenant,
    /// What to do.
    pub job: JobKind,
    /// With what.
    pub resource: String,
    /// How many hints it stands for.
    pub hints: u64,
    /// When the first of them came, in milliseconds.
    pub first_hint_at: i64,
    /// When it is due, or when its lease ends, in milliseconds.
    pub due_at: i64,
    /// Counts the runs; who holds an older number finishes nothing.
    pub fence: u64,
    /// Whether somebody runs it.
    pub running: bool,
    /// Whether hints came while it ran.
    pub again: bool,
}

impl Record for Mark {
    const NAME: &'static str = "job mark";
}

impl Mark {
    /// The connection whose resource is to be synced: the second part of `<resource>/<connection>`, with what of it.
    pub fn connection(&self) -> Option<&str> {
        let mut parts = self.resource.split('/').skip(1);
        (self.job == JobKind::Sync).then(|| parts.next()).flatten()
    }

    /// Whether a run holds it by a lease that can be true; one that ends later than two leases from now cannot.
    fn is_held(&self, now: Timestamp) -> bool {
        let lease = now.as_millisecond()..(now + 2 * LEASE).as_millisecond();
        self.running && self.due_at > lease.start && self.due_at <= lease.end
    }
}

/// Where the mark of a resource and kind is.
pub fn key(tenant: &Tenant, job: JobKind, resource: &str) -> Key {
    Partition::of(tenant, Area::Jobs).key(format!("{job}#{resource}"))
}

/// The mark after `hints` more hints.
pub fn raised(
    stored: Option<&Stored<Mark>>,
    tenant: &Tenant,
    job: JobKind,
    resource: &str,
    hints: u64,
    now: Timestamp,
) -> Mark {
    let fresh = |fence: u64| Mark {
        tenant: tenant.clone(),
        job,
        resource: resource.to_owned(),
        hints,
        first_hint_at: now.as_millisecond(),
        due_at: (now + DEBOUNCE).as_millisecond(),
        fence,
        running: false,
        again: false,
    };
    match stored.map(|stored| &stored.record) {
        None => fresh(0),
        Some(mark) if mark.is_held(now) => Mark { hints: mark.hints + hints, again: true, ..mark.clone() },
        Some(mark) if mark.running => fresh(mark.fence),
        // A clock that was ahead raised it: it waits no longer than if it had been right.
        Some(mark) if mark.first_hint_at > now.as_millisecond() => {
            Mark { hints: mark.hints + hints, ..fresh(mark.fence) }
        }
        Some(mark) => {
            let latest = mark.first_hint_at + i64::try_from(LATEST.as_millis()).unwrap_or(i64::MAX);
            let due_at = (now + DEBOUNCE).as_millisecond().min(latest).max(mark.due_at.min(latest));
            Mark { hints: mark.hints + hints, due_at, ..mark.clone() }
        }
    }
}

/// The mark held by a run that starts now; `None` while another run holds it.
pub fn claimed(mark: &Mark, now: Timestamp) -> Option<Mark> {
    if mark.is_held(now) {
        return None;
    }
    let due_at = (now + LEASE).as_millisecond();
    Some(Mark { running: true, again: false, fence: mark.fence + 1, due_at, ..mark.clone() })
}

/// The write that stores a mark over the one that was read.
pub fn store(read: Option<u64>, mark: &Mark) -> Result<Write, Fault> {
    let key = key(&mark.tenant, mark.job, &mark.resource);
    super::replace(&key, read, mark, Upkeep { expires_at: None, due: Some(due(mark)) })
}

/// The mark of a run that goes on at `due_at`.
pub fn resting(mark: &Mark, due_at: Timestamp) -> Mark {
    Mark { running: false, again: false, due_at: due_at.as_millisecond(), ..mark.clone() }
}

/// The write that ends a run: the mark goes, or waits for the one more run that hints asked for.
///
/// It fails if the lease lapsed and somebody else runs the job now.
pub fn finish(held: &Stored<Mark>, now: Timestamp) -> Result<Write, Fault> {
    let mark = &held.record;
    if mark.again {
        let waiting = Mark { first_hint_at: now.as_millisecond(), ..mark.clone() };
        let waiting = resting(&waiting, now + DEBOUNCE);
        return store(Some(held.rev), &waiting);
    }
    let key = key(&mark.tenant, mark.job, &mark.resource);
    Ok(Write::Delete { key, condition: Some(super::unchanged(held.rev)) })
}

fn due(mark: &Mark) -> (String, Timestamp) {
    let shard = signing::sha256(&[mark.tenant.as_str().as_bytes(), mark.resource.as_bytes()])[0];
    let due_at = Timestamp::from_millisecond(mark.due_at).unwrap_or(Timestamp::MAX);
    (due_partition(Due::Job(mark.job), shard), due_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milli: i64) -> Timestamp {
        Timestamp::from_millisecond(milli).unwrap()
    }

    fn raise(stored: Option<Mark>, now: i64) -> Mark {
        let stored = stored.map(|record| Stored { rev: 1, record });
        raised(stored.as_ref(), &Tenant::system(), JobKind::Sync, "stock/c", 1, at(now))
    }

    #[test]
    fn hints_are_folded_until_it_is_quiet_but_no_longer_than_ten_seconds() {
        let mut mark = raise(None, 0);
        assert_eq!(mark.due_at, 2_000);
        for now in [1_000, 2_000, 3_500, 5_000, 6_500, 8_000, 9_500] {
            mark = raise(Some(mark), now);
        }
        assert_eq!((mark.hints, mark.due_at), (8, 10_000));
    }

    #[test]
    fn hints_during_a_run_cause_exactly_one_more() {
        let running = claimed(&raise(None, 0), at(2_000)).unwrap();
        assert_eq!(claimed(&running, at(2_001)), None, "nobody else may run it");
        let raised = raise(Some(raise(Some(running), 3_000)), 4_000);
        assert!(raised.again && raised.running);
        let write = finish(&Stored { rev: 4, record: raised }, at(5_000)).unwrap();
        assert!(matches!(write, Write::Put { .. }), "one more run waits");
    }

    #[test]
    fn a_lapsed_run_can_be_taken_over_and_is_fenced_off() {
        let first = claimed(&raise(None, 0), at(2_000)).unwrap();
        let second = claimed(&first, at(42_000)).unwrap();
        assert_eq!((first.fence, second.fence), (1, 2));
    }

    #[test]
    fn a_clock_that_was_ahead_delays_nothing() {
        let (ahead, now) = (1_000_000_000, 5_000);
        let mark = raise(Some(raise(None, ahead)), now);
        assert_eq!((mark.hints, mark.due_at), (2, 7_000));
        let running = claimed(&raise(None, ahead), at(ahead)).unwrap();
        assert!(claimed(&running, at(now)).is_some_and(|taken_over| taken_over.fence == 2));
    }
}
