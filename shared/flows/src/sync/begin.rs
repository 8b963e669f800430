//! Which reading a run begins: decided by what is known of the resource, and by why its mark was raised. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use hooktide_model::names::{MarkReason, ResourceMode, Via};
use hooktide_store::records::job::Mark;
use hooktide_store::records::resource::{Reading, Resource};

/// The reasons by which a webhook asks for a sync.
const BY_WEBHOOK: [MarkReason; 5] =
    [MarkReason::Hint, MarkReason::Unsettled, MarkReason::Reauthorize, MarkReason::Removed, MarkReason::Missed];

/// The reading that a run begins; `None` if nothing is due.
pub(super) fn reading(resource: &Resource, mark: &Mark, now: Timestamp) -> Option<Reading> {
    let has = |reason| mark.reasons.contains_key(&reason);
    let hints = hints(&mark.reasons);
    let (everything, via) = if resource.cursor.is_none() || has(MarkReason::Full) {
        (true, Via::Full)
    } else if hints > 0 || mark.reasons.is_empty() {
        (false, Via::Webhook)
    } else if has(MarkReason::Asked) {
        (false, Via::Probe)
    } else if has(MarkReason::Nightly) {
        (true, Via::Full)
    } else if has(MarkReason::Poll) && resource.mode == ResourceMode::Polling {
        (false, Via::Polling)
    } else if has(MarkReason::Probe) {
        (false, Via::Probe)
    } else if has(MarkReason::Poll) {
        (false, Via::Polling)
    } else {
        return None;
    };
    let reading = fresh(everything, via, hints, now);
    // A listing of everything has them as well.
    let entities = if everything { BTreeSet::new() } else { mark.entities.clone() };
    Some(Reading { entities, ..reading })
}

/// A reading of everything, in place of one whose cursor has expired.
pub(super) fn anew(expired: &Reading, now: Timestamp) -> Reading {
    let Reading { calls, changes, hints, .. } = *expired;
    Reading { calls, changes, ..fresh(true, Via::Full, hints, now) }
}

pub(super) fn fresh(everything: bool, via: Via, hints: u64, now: Timestamp) -> Reading {
    Reading {
        everything,
        via,
        cursor: None,
        began_at: now,
        pages: 0,
        calls: 0,
        changes: 0,
        missed: 0,
        hints,
        entities: BTreeSet::new(),
        has_unnamed: false,
        seen: Default::default(),
        seen_blobs: 0,
        unlisted: 0,
        lap: None,
    }
}

/// How many hints of webhooks are among the reasons.
fn hints(reasons: &BTreeMap<MarkReason, u64>) -> u64 {
    BY_WEBHOOK.iter().filter_map(|reason| reasons.get(reason)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_model::job_kind::JobKind;
    use hooktide_model::tenant::Tenant;
    use hooktide_store::records::resource::ResourceId;

    #[test]
    fn a_reading_is_chosen_by_the_reasons_of_the_mark() {
        use MarkReason::{Asked, Full, Hint, Nightly, Poll, Probe, Unsettled};
        let now = Timestamp::UNIX_EPOCH;
        let mut read = Resource::new(&ResourceId::new("c", "products"), ResourceMode::Webhook);
        read.cursor = Some("7".into());
        let polled = Resource { mode: ResourceMode::Polling, ..read.clone() };
        let never = Resource { cursor: None, ..read.clone() };
        let cases: &[(&Resource, &[MarkReason], (bool, Via))] = &[
            (&never, &[Hint], (true, Via::Full)),
            (&never, &[Poll], (true, Via::Full)),
            (&read, &[], (false, Via::Webhook)),
            (&read, &[Hint, Poll], (false, Via::Webhook)),
            (&read, &[Unsettled, Nightly], (false, Via::Webhook)),
            (&read, &[Hint, Full], (true, Via::Full)),
            (&read, &[Asked, Poll], (false, Via::Probe)),
            (&read, &[Nightly], (true, Via::Full)),
            (&read, &[Probe], (false, Via::Probe)),
            (&read, &[Poll], (false, Via::Polling)),
            (&read, &[Probe, Poll], (false, Via::Probe)),
            (&polled, &[Probe, Poll], (false, Via::Polling)),
        ];
        for (resource, reasons, expected) in cases {
            let mut mark = Mark::asked(&Tenant::system(), JobKind::SYNC, "products/c", now, now);
            mark.reasons = reasons.iter().map(|reason| (*reason, 2)).collect();
            let reading = reading(resource, &mark, now).unwrap();
            assert_eq!((reading.everything, reading.via), *expected, "{reasons:?}");
        }
    }
}
