//! Job marks: one for each resource and kind of job. Hints raise the mark; a run of the job holds it by a lease.
//!
//! Hints that come while the job waits are folded into it; those that come while it runs cause exactly one more run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Whether hints came while it ran.
    pub again: bool,
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
}

impl Raise<'_> {
    /// The mark of a job that nobody has begun.
    fn fresh(&self, fence: u64, due_at: Timestamp, now: Timestamp) -> Mark {
        Mark {
            tenant: self.tenant.clone(),
            job: self.job.clone(),
            resource: self.resource.to_owned(),
            hints: self.reasons.values().sum(),
            reasons: self.reasons.clone(),
            first_hint_at: now.as_millisecond(),
            due_at: due_at.as_millisecond(),
            fence,
            running: false,
            again: false,
        }
    }
}

impl Mark {
    /// The mark of a job that somebody asks for, due at this time.
    pub fn asked(tenant: &Tenant, job: JobKind, resource: &str, due_at: Timestamp, now: Timestamp) -> Self {
        let reasons = BTreeMap::from([(MarkReason::Asked, 1)]);
        Raise { tenant, job, resource, reasons: &reasons }.fresh(0, due_at, now)
    }

    /// The connection whose resource is to be synced, and the resource: the parts of `<resource>/<connection>`.
    pub fn connection(&self) -> Option<&str> {
        let mut parts = self.resource.split('/').skip(1);
        (self.job == JobKind::SYNC).then(|| parts.next()).flatten()
    }

    /// Whether a message must announce it: none is under way for a mark that did not wait, or waited for longer.
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        !self.running && before.is_none_or(|before| before.running || before.due_at > self.due_at)
    }

    /// The mark with more hints.
    fn with(&self, more: &BTreeMap<MarkReason, u64>) -> Self {
        let mut mark = Self { hints: self.hints + more.values().sum::<u64>(), ..self.clone() };
        for (reason, count) in more {
            *mark.reasons.entry(*reason).or_default() += count;
        }
        mark
    }

    /// Whether a run holds it by a plausible lease; one that ends later than two leases from now is not.
    fn is_held(&self, now: Timestamp) -> bool {
        let lease = now.as_millisecond()..(now + 2 * LEASE).as_millisecond();
        self.running && self.due_at > lease.start && self.due_at <= lease.end
    }
}

/// The key of the mark of a resource and kind.
pub fn key(tenant: &Tenant, job: &JobKind, resource: &str) -> Key {
    Partition::of(tenant, Area::Jobs).key(format!("{job}#{resource}"))
}

/// The mark after more hints, due once none came for as long as `debounce`.
pub fn raised(stored: Option<&Stored<Mark>>, raise: &Raise<'_>, debounce: Duration, now: Timestamp) -> Mark {
    let fresh = |fence: u64| raise.fresh(fence, now + debounce, now);
    match stored.map(|stored| &stored.record) {
        None => fresh(0),
        Some(mark) if mark.is_held(now) => Mark { again: true, ..mark.with(raise.reasons) },
        Some(mark) if mark.running => fresh(mark.fence),
        // A mark that was raised by a clock that was ahead waits no longer than if the clock had been right.
        Some(mark) if mark.first_hint_at > now.as_millisecond() => {
            let Mark { first_hint_at, due_at, .. } = fresh(mark.fence);
            Mark { first_hint_at, due_at, ..mark.with(raise.reasons) }
        }
        Some(mark) => {
            let longest = i64::try_from(LATEST.max(debounce).as_millis()).unwrap_or(i64::MAX);
            let latest = mark.first_hint_at.saturating_add(longest);
            let due_at = (now + debounce).as_millisecond().min(latest).max(mark.due_at.min(latest));
            Mark { due_at, ..mark.with(raise.reasons) }
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
    let key = key(&mark.tenant, &mark.job, &mark.resource);
    super::replace(&key, read, mark, Upkeep { expires_at: None, due: Some(due(mark)) })
}

/// The mark of a run that goes on at `due_at`.
pub fn resting(mark: &Mark, due_at: Timestamp) -> Mark {
    Mark { running: false, again: false, due_at: due_at.as_millisecond(), ..mark.clone() }
}

/// The write that ends a run: the mark goes, or waits for the one more run that hints asked for.
///
/// The write fails if the lease lapsed and somebody else runs the job now.
pub fn finish(held: &Stored<Mark>, debounce: Duration, now: Timestamp) -> Result<Write, Fault> {
    let mark = &held.record;
    if mark.again {
        let waiting = Mark { first_hint_at: now.as_millisecond(), ..mark.clone() };
        let waiting = resting(&waiting, now + debounce);
        return store(Some(held.rev), &waiting);
    }
    let key = key(&mark.tenant, &mark.job, &mark.resource);
    Ok(Write::Delete { key, condition: Some(super::unchanged(held.rev)) })
}

fn due(mark: &Mark) -> (String, Timestamp) {
    let shard = signing::sha256(&[mark.tenant.as_str().as_bytes(), mark.resource.as_bytes()])[0];
    let due_at = Timestamp::from_millisecond(mark.due_at).unwrap_or(Timestamp::MAX);
    (due_partition(Due::Job(&mark.job), shard), due_at)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::records;

    fn at(milli: i64) -> Timestamp {
        Timestamp::from_millisecond(milli).unwrap()
    }

    const DEBOUNCE: Duration = Duration::from_secs(2);

    fn raise_for(reason: MarkReason, stored: Option<Mark>, now: i64) -> Mark {
        let stored = stored.map(|record| Stored { rev: 1, record });
        let (tenant, reasons) = (Tenant::system(), BTreeMap::from([(reason, 1)]));
        let raise = Raise { tenant: &tenant, job: JobKind::SYNC, resource: "stock/c", reasons: &reasons };
        raised(stored.as_ref(), &raise, DEBOUNCE, at(now))
    }

    fn raise(stored: Option<Mark>, now: i64) -> Mark {
        raise_for(MarkReason::Hint, stored, now)
    }

    #[test]
    fn a_mark_says_why_it_was_raised_and_how_often() {
        let mut mark = raise(None, 0);
        for reason in [MarkReason::Missed, MarkReason::Hint, MarkReason::Removed] {
            mark = raise_for(reason, Some(mark), 100);
        }
        let expected = [(MarkReason::Hint, 2), (MarkReason::Removed, 1), (MarkReason::Missed, 1)];
        assert_eq!((mark.hints, &mark.reasons), (4, &BTreeMap::from(expected)));
        let item = records::encode(&key(&mark.tenant, &mark.job, &mark.resource), 1, &mark, Upkeep::default());
        assert_eq!(records::decode::<Mark>(item.unwrap()).unwrap().record, mark);
    }

    #[test]
    fn a_mark_of_older_code_has_no_reasons_and_is_raised_like_any_other() {
        let old = json!({
            "tenant": "acme", "job": "sync", "resource": "stock/c", "hints": 3, "first_hint_at": 0, "due_at": 2000,
            "fence": 1, "running": false, "again": false,
        });
        let old: Mark = serde_json::from_value(old).unwrap();
        assert_eq!(old.reasons, BTreeMap::new());
        let mark = raise(Some(old), 500);
        assert_eq!((mark.hints, mark.reasons), (4, BTreeMap::from([(MarkReason::Hint, 1)])));
    }

    #[test]
    fn only_a_mark_that_no_message_is_under_way_for_is_announced() {
        let waiting = raise(None, 0);
        let later = raise(Some(waiting.clone()), 1_000);
        let running = claimed(&later, at(4_000)).unwrap();
        let lapsed = raise(Some(running.clone()), 400_000);
        let parked = resting(&waiting, at(i64::from(u32::MAX)));
        let cases = [
            (None, &waiting, true),
            (Some(&waiting), &later, false),
            (Some(&running), &raise(Some(running.clone()), 5_000), false),
            (Some(&running), &lapsed, true),
            (Some(&parked), &raise(Some(parked.clone()), 3_000), true),
        ];
        for (number, (before, mark, expected)) in cases.into_iter().enumerate() {
            assert_eq!(mark.is_news(before), expected, "case {number}");
        }
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
        let write = finish(&Stored { rev: 4, record: raised }, DEBOUNCE, at(5_000)).unwrap();
        assert!(matches!(write, Write::Put { .. }), "one more run waits");
    }

    #[test]
    fn a_lapsed_run_can_be_taken_over_and_is_fenced_off() {
        let first = claimed(&raise(None, 0), at(2_000)).unwrap();
        let second = claimed(&first, at(72_000)).unwrap();
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
