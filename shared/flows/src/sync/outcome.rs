//! How a run ended: what the resource's record says of it, and when the next one is due. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::due::{self, Schedule};
use crate::asking::Failure;
use hooktide_model::names::{MarkReason, ReadOutcome, Via};
use hooktide_providers::Refusal;
use hooktide_store::records::resource::{LastSync, Reading, Resource};

/// The shortest and the longest pause after a failure.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3600));
/// How long it takes until a provider finds by its date what it has reported.
const LAG: Duration = Duration::from_secs(30);

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// There is more to read at once.
    GoesOn,
    /// The run failed, and is tried again then.
    Again(Timestamp),
    /// The connection lacks what is needed; somebody has to add it first.
    Parked,
    /// The run is done; the next one is scheduled then, for this reason, if at all.
    Rests(Option<(Timestamp, MarkReason)>),
}

/// Notes a sync that read everything it asked for.
pub(super) fn done(resource: &mut Resource, reading: &Reading, schedule: Schedule, now: Timestamp) -> End {
    resource.reading = None;
    resource.cursor_at = Some(now);
    if reading.everything {
        resource.full_at = Some(now);
    }
    (resource.failures, resource.failing_since) = (0, None);
    if reading.via == Via::Polling {
        let last = resource.interval.map(|seconds| Duration::from_secs(seconds.into()));
        let interval = due::interval(last, reading.changes > 0, schedule.pace);
        resource.interval = u32::try_from(interval.as_secs()).ok();
    }
    if reading.via == Via::Webhook || reading.reported && reading.missed == 0 {
        (resource.heard_at, resource.missed_in_a_row) = (Some(now), 0);
    }
    // Providers may know by dates only a while later what they report.
    resource.again_at = match resource.again_at.filter(|again_at| reading.began_at < *again_at) {
        _ if reading.by_date => Some(now + LAG),
        other => other,
    };
    resource.missed += u64::from(reading.missed);
    resource.missed_in_a_row += reading.missed;
    resource.last_sync = Some(last_sync(reading, ReadOutcome::Done, None, now));
    rests(resource, schedule, now)
}

/// The end of a run after which nothing is left to read.
pub(super) fn rests(resource: &mut Resource, schedule: Schedule, now: Timestamp) -> End {
    let next = due::next(resource, schedule, now);
    resource.next_due = next.map(|(at, _)| at);
    End::Rests(next)
}

/// How many changes a reading found, in words.
pub(super) fn changes(reading: &Reading) -> String {
    counted(reading.changes.into(), "change", "changes")
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What the activity says of a sync that is done.
pub(super) fn told(resource: &Resource, reading: &Reading) -> String {
    let mut text = format!(
        "{} of {}: {}, {}",
        match reading.via {
            Via::Full => "full sync",
            Via::Polling => "poll",
            Via::Probe => "probe",
            Via::Webhook | Via::Import | Via::Own => "sync",
        },
        resource.id(),
        changes(reading),
        counted(reading.calls.into(), "call", "calls"),
    );
    if reading.hints > 0 {
        text.push_str(&format!("; {} settled", counted(reading.hints, "hint is", "hints are")));
    }
    if reading.missed > 0 {
        text.push_str(&format!(
            "; {} not been reported by a webhook",
            counted(reading.missed.into(), "change had", "changes had")
        ));
    }
    if reading.unlisted > 0 {
        let unlisted = counted(reading.unlisted.into(), "was", "were");
        text.push_str(&format!(
            "; {unlisted} not listed, and may be there all the same, so nothing was deleted of these"
        ));
    }
    if reading.has_unnamed {
        text.push_str("; an item had no id that can be read, so nothing that was not listed is taken for deleted");
    }
    if resource.doubted_at.is_some() && reading.everything {
        text.push_str(
            "; it listed less than half of what is known, so nothing was deleted before a second listing agrees",
        );
    }
    text
}

/// Notes a sync that failed; what the activity says, and when it is tried again.
pub(super) fn failed(resource: &mut Resource, reading: &Reading, failure: &Failure, now: Timestamp) -> (String, End) {
    let ((outcome, after), text) = (sorted(failure), failure.to_string());
    // Nothing was asked while the provider is left alone, so it is no failure more.
    let rests = if let Failure::Resting(rests) = failure { Some(*rests) } else { None };
    resource.failures = resource.failures.saturating_add(u32::from(rests.is_none()));
    let since = *resource.failing_since.get_or_insert(now);
    resource.last_sync = Some(last_sync(reading, outcome, Some(text.clone()), now));
    if matches!(failure, Failure::NoCredentials | Failure::NoAddress(_)) {
        resource.next_due = None;
        return (format!("sync of {}: {text}", resource.id()), End::Parked);
    }
    let again = now + rests.unwrap_or_else(|| pause(resource.failures, after));
    resource.next_due = Some(again);
    (format!("sync of {}: {text}; failing since {since}, tried again at {again}", resource.id()), End::Again(again))
}

/// The outcome of a failure, and the time to wait that the provider asks for.
fn sorted(failure: &Failure) -> (ReadOutcome, Option<Duration>) {
    match failure {
        Failure::NoCredentials => (ReadOutcome::Refused, None),
        Failure::NoAddress(_) => (ReadOutcome::Invalid, None),
        Failure::Silent(_) | Failure::Endless(_) | Failure::Resting(_) | Failure::Later(_) | Failure::Fault(_) => {
            (ReadOutcome::Unavailable, None)
        }
        // The same ones are tried now and then, others at once.
        Failure::Reauthorize(_, after) => (ReadOutcome::Refused, *after),
        Failure::Refused(refusal) => {
            let outcome = match refusal {
                Refusal::Refused | Refusal::Forbidden | Refusal::Closed(_) => ReadOutcome::Refused,
                Refusal::Limited { .. } => ReadOutcome::Limited,
                Refusal::Unavailable { .. } | Refusal::Unreadable(_) => ReadOutcome::Unavailable,
                Refusal::Expired | Refusal::Invalid | Refusal::Unknown => ReadOutcome::Invalid,
            };
            (outcome, refusal.after())
        }
    }
}

/// The pause after so many failures in a row; the provider's own, if it is longer.
fn pause(failures: u32, after: Option<Duration>) -> Duration {
    let (shortest, longest) = PAUSES;
    let doubled = shortest.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.max(after.unwrap_or_default()).min(longest)
}

fn last_sync(reading: &Reading, outcome: ReadOutcome, reason: Option<String>, now: Timestamp) -> LastSync {
    LastSync { kind: reading.via, at: now, calls: reading.calls, changes: reading.changes, outcome, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::sync::begin;
    use hooktide_model::job_kind::JobKind;
    use hooktide_model::names::ResourceMode;
    use hooktide_model::tenant::Tenant;
    use hooktide_store::records::job::Mark;
    use hooktide_store::records::resource::ResourceId;

    #[test]
    fn a_provider_that_is_left_alone_is_tried_when_that_is_over_which_is_no_failure_more() {
        let (now, id) = (Timestamp::UNIX_EPOCH, ResourceId::new("c", "products"));
        let mut resource =
            Resource { failures: 6, failing_since: Some(now), ..Resource::new(&id, ResourceMode::Polling) };
        let mark = Mark::asked(&Tenant::system(), JobKind::SYNC, "products/c", now, now);
        let reading = begin::reading(&resource, &mark, false, now).unwrap();
        for (failure, failures, pause) in [
            (Failure::Resting(Duration::from_secs(60)), 6, 60),
            (Failure::Silent("the request took too long".to_owned()), 7, 320),
        ] {
            let (told, end) = failed(&mut resource, &reading, &failure, now);
            assert_eq!((resource.failures, end), (failures, End::Again(now + Duration::from_secs(pause))));
            assert!(told.contains("failing since 1970-01-01"), "{told}");
        }
    }

    #[test]
    fn what_is_found_by_dates_is_looked_for_once_more_when_the_provider_knows_of_all() {
        let (start, settings) = ("2026-11-29T12:00:00Z".parse::<Timestamp>().unwrap(), Settings::default());
        let at = |seconds| start + Duration::from_secs(seconds);
        let id = ResourceId::new("c", "stock");
        let mut resource = Resource { full_at: Some(start), ..Resource::new(&id, ResourceMode::Webhook) };
        for (second, by_date, expected) in [
            (0, true, Some((at(30), MarkReason::Unsettled))),
            // Others that come in between do not do it.
            (10, false, Some((at(30), MarkReason::Unsettled))),
            (20, true, Some((at(50), MarkReason::Unsettled))),
            (50, false, None),
        ] {
            let reading = Reading { by_date, ..begin::fresh(false, Via::Webhook, 1, at(second)) };
            let end = done(&mut resource, &reading, Schedule::of(&settings, None), at(second));
            let usual = Some((at(second) + settings.silence, MarkReason::Probe));
            assert_eq!(end, End::Rests(expected.or(usual)), "{second}");
        }
    }

    #[test]
    fn a_pause_doubles_with_each_failure_and_the_provider_may_ask_for_a_longer_one() {
        let seconds = Duration::from_secs;
        for (failures, after, expected) in
            [(1, None, 5), (2, None, 10), (5, None, 80), (40, None, 3600), (1, Some(60), 60), (5, Some(7), 80)]
        {
            assert_eq!(pause(failures, after.map(seconds)), seconds(expected), "{failures} {after:?}");
        }
    }
}
