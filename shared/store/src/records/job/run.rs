//! A run of a job: it holds the mark by a lease, and says what becomes of it.
//!
//! Hints may raise the mark while a run holds it, so what a run writes is on the condition that it still holds it, and not that
//! nobody else changed it. Only what would lose those hints is on the condition that there are none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{LEASE, Mark, key, sum, upkeep};
use crate::key::Key;
use crate::ports::{AttributeValue, Condition, DUE_AT, Write};
use crate::records::{self, Stored};
use hooktide_model::fault::Fault;
use hooktide_model::names::MarkReason;

/// The mark held by a run that starts now; `None` while another run holds it.
pub fn claimed(mark: &Mark, now: Timestamp) -> Option<Mark> {
    if mark.is_held(now) {
        return None;
    }
    // What was cut off or rested goes on, so hints that came meanwhile still need a run of their own.
    let mark = if mark.begun { mark.clone() } else { mark.anew() };
    Some(Mark { running: true, begun: true, fence: mark.fence + 1, due_at: (now + LEASE).as_millisecond(), ..mark })
}

/// Whether a mark is still held by the run that holds this one.
pub fn is_run_of(mark: &Mark, held: &Mark) -> bool {
    mark.running && (mark.fence, mark.due_at) == (held.fence, held.due_at)
}

/// The write that lets the mark go until the next step is due. It fails if somebody else runs the job now.
pub fn rest(held: &Mark, due_at: Timestamp) -> Write {
    changed(held, due_at, Vec::new(), unclaimed(held))
}

/// The write that lets the mark go until somebody raises it, or it is due: the job then begins anew. It fails as [`over`] does.
pub fn park(mark: &Mark, due_at: Timestamp) -> Write {
    let begun = ("begun", AttributeValue::Bool(false));
    changed(mark, due_at, vec![begun], quiet(mark))
}

/// The write that ends the job. It fails if somebody else runs the job now, and if hints came meanwhile.
pub fn over(held: &Mark) -> Write {
    Write::Delete { key: place(held), condition: Some(quiet(held)) }
}

/// The write that ends the job until it is due again, for this reason. It fails as [`over`] does.
pub fn scheduled(held: &Stored<Mark>, due_at: Timestamp, reason: MarkReason) -> Result<Write, Fault> {
    let mark = Mark {
        hints: 0,
        reasons: BTreeMap::from([(reason, 1)]),
        later: BTreeMap::new(),
        entities: BTreeSet::new(),
        later_entities: BTreeSet::new(),
        ..waiting(&held.record, due_at, due_at)
    };
    let item = records::encode(&place(&mark), held.rev + 1, &mark, upkeep(&mark))?;
    Ok(Write::Put { item, condition: Some(quiet(&held.record)) })
}

/// The mark of the one more run that hints asked for, due then. It is stored over the mark with these hints.
pub fn again(mark: &Mark, due_at: Timestamp, now: Timestamp) -> Mark {
    let mut waiting = waiting(mark, due_at, now);
    // Older code added such hints to the reasons of the run itself.
    let reasons = if mark.later.is_empty() { mark.reasons.clone() } else { mark.later.clone() };
    let entities = std::mem::take(&mut waiting.later_entities);
    Mark { hints: sum(&reasons), reasons, later: BTreeMap::new(), entities, ..waiting }
}

/// The mark of a job that could not be done, for which hints came: it begins anew, for all that raised it.
pub fn anew(mark: &Mark, due_at: Timestamp, now: Timestamp) -> Mark {
    waiting(&mark.anew(), due_at, now)
}

fn waiting(mark: &Mark, due_at: Timestamp, since: Timestamp) -> Mark {
    let (due_at, first_hint_at) = (due_at.as_millisecond(), since.as_millisecond());
    Mark { first_hint_at, due_at, running: false, begun: false, again: false, ..mark.clone() }
}

/// Lets a mark go, and leaves what hints say in it.
fn changed(mark: &Mark, due_at: Timestamp, more: Vec<(&'static str, AttributeValue)>, condition: Condition) -> Write {
    let due_at = (DUE_AT, records::number(due_at.as_millisecond()));
    let set = [vec![("running", AttributeValue::Bool(false)), due_at], more].concat();
    Write::Update { key: place(mark), set, add: vec![("rev", 1)], remove: Vec::new(), condition: Some(condition) }
}

fn place(mark: &Mark) -> Key {
    key(&mark.tenant, &mark.job, &mark.resource)
}

/// The condition that nobody claimed the mark since, or let it go. Leases end at different times, so no two runs are alike even
/// where a mark was deleted and raised again between them.
fn unclaimed(mark: &Mark) -> Condition {
    Condition::All(vec![
        Condition::Equals("fence", records::number(mark.fence)),
        Condition::Equals("running", AttributeValue::Bool(mark.running)),
        Condition::Equals(DUE_AT, records::number(mark.due_at)),
    ])
}

/// The condition that, besides, no hints came since the job was begun.
fn quiet(held: &Mark) -> Condition {
    Condition::All(vec![unclaimed(held), Condition::Equals("again", AttributeValue::Bool(false))])
}
