//! Which reading a run begins: decided by what is known of the resource, and by why its mark was raised. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::due;
use hooktide_model::names::{MarkReason, ResourceMode, Via};
use hooktide_store::records::job::Mark;
use hooktide_store::records::resource::{Reading, Resource};

/// The reasons by which a webhook asks for a sync.
const BY_WEBHOOK: [MarkReason; 5] =
    [MarkReason::Hint, MarkReason::Unsettled, MarkReason::Reauthorize, MarkReason::Removed, MarkReason::Missed];

/// The reading that a run begins; `None` if nothing is due. Where the resource `is_dated`, what too many hints are about is
/// found among what changed.
pub(super) fn reading(resource: &Resource, mark: &Mark, is_dated: bool, now: Timestamp) -> Option<Reading> {
    let has = |reason| mark.reasons.contains_key(&reason);
    let hints = hints(&mark.reasons);
    let by_date = is_dated && mark.names_too_many();
    let is_full = has(MarkReason::Full) && !by_date;
    let (everything, via) = if resource.cursor.is_none() || is_full || due::is_late(resource, now) {
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
    // Where it was read from has expired, and the listing in its place came to nothing: this one takes that place as well.
    let in_place = everything && resource.cursor.is_none() && !is_full;
    // A listing of everything has them as well.
    let entities = if everything { BTreeSet::new() } else { mark.entities.clone() };
    Some(Reading { entities, by_date: by_date && !everything, in_place, ..reading })
}

/// A reading of everything, in place of one whose cursor has expired.
pub(super) fn anew(expired: &Reading, now: Timestamp) -> Reading {
    let Reading { calls, changes, hints, .. } = *expired;
    Reading { calls, changes, in_place: true, ..fresh(true, Via::Full, hints, now) }
}

pub(super) fn fresh(everything: bool, via: Via, hints: u64, now: Timestamp) -> Reading {
    Reading {
        everything,
        in_place: false,
        via,
        cursor: None,
        began_at: now,
        pages: 0,
        calls: 0,
        changes: 0,
        missed: 0,
        reported: false,
        hints,
        entities: BTreeSet::new(),
        put_off: BTreeMap::new(),
        has_unnamed: false,
        seen: BTreeSet::new(),
        seen_blobs: 0,
        done: None,
        asked: BTreeMap::new(),
        unlisted: 0,
        by_date: false,
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
    use jiff::ToSpan;

    #[test]
    fn a_reading_is_chosen_by_the_reasons_of_the_mark() {
        use MarkReason::{Asked, Full, Hint, Nightly, Poll, Probe, Unsettled};
        let now = Timestamp::UNIX_EPOCH;
        let mut read = Resource::new(&ResourceId::new("c", "products"), ResourceMode::Webhook);
        (read.cursor, read.full_at) = (Some("7".into()), Some(now));
        let polled = Resource { mode: ResourceMode::Polling, ..read.clone() };
        let never = Resource { cursor: None, ..read.clone() };
        // The night's listing is due; whether anything was read since then.
        let night = Resource { full_at: Some(now - 25.hours()), cursor_at: Some(now - 25.hours()), ..read.clone() };
        let late = Resource { cursor_at: Some(now), ..night.clone() };
        let off = Resource { mode: ResourceMode::Off, ..late.clone() };
        let cases: &[(&Resource, &[MarkReason], (bool, Via))] = &[
            (&never, &[Hint], (true, Via::Full)),
            (&never, &[Poll], (true, Via::Full)),
            (&never, &[Full], (true, Via::Full)),
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
            (&night, &[Hint, Nightly], (false, Via::Webhook)),
            (&night, &[Probe], (false, Via::Probe)),
            (&night, &[Nightly], (true, Via::Full)),
            (&late, &[Hint], (true, Via::Full)),
            (&late, &[Poll], (true, Via::Full)),
            (&late, &[Asked], (true, Via::Full)),
            (&off, &[Asked], (false, Via::Probe)),
        ];
        for (resource, reasons, expected) in cases {
            let mut mark = Mark::asked(&Tenant::system(), JobKind::SYNC, "products/c", now, now);
            mark.reasons = reasons.iter().map(|reason| (*reason, 2)).collect();
            let reading = reading(resource, &mark, true, now).unwrap();
            assert_eq!(
                (reading.everything, reading.via, reading.by_date),
                (expected.0, expected.1, false),
                "{reasons:?}"
            );
            let in_place = resource.cursor.is_none() && !reasons.contains(&Full);
            assert_eq!(reading.in_place, in_place, "{reasons:?}");
        }
    }

    #[test]
    fn hints_at_too_many_entities_are_found_by_their_dates_where_these_can_be_relied_on() {
        let now = Timestamp::UNIX_EPOCH;
        let never = Resource::new(&ResourceId::new("c", "stock"), ResourceMode::Webhook);
        let read = Resource { cursor: Some("7".into()), ..never.clone() };
        let mut mark = Mark::asked(&Tenant::system(), JobKind::SYNC, "stock/c", now, now);
        for (resource, asked, is_dated, expected) in [
            (&read, 0, true, (false, Via::Webhook, true)),
            (&read, 0, false, (true, Via::Full, false)),
            (&read, 1, true, (true, Via::Full, false)),
            (&never, 0, true, (true, Via::Full, false)),
        ] {
            mark.reasons = BTreeMap::from([(MarkReason::Hint, 100), (MarkReason::Full, asked)]);
            let reading = reading(resource, &mark, is_dated, now).unwrap();
            assert_eq!((reading.everything, reading.via, reading.by_date), expected, "{asked} {is_dated}");
        }
    }
}
