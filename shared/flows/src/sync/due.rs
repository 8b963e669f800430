//! When a resource is due: the next poll, probe and full listing. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use crate::Settings;
use hooktide_model::names::{MarkReason, ResourceMode};
use hooktide_model::signing;
use hooktide_store::records::resource::Resource;

/// The bounds of the time between two polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
}

/// How often what has no webhook, or no healthy one, is polled.
const USUAL: Pace = Pace { shortest: Duration::from_secs(3600), longest: Duration::from_secs(7200) };
/// How long after a listing that is doubted the second one begins: longer than providers are usually unwell.
const SECOND_LISTING: Duration = Duration::from_secs(8 * 3600);
/// When the night begins, and how long full listings are spread over, in UTC.
const NIGHT: (i8, Duration) = (1, Duration::from_secs(4 * 3600));

/// The bounds of the time between two polls: the operator's own, if there is one.
pub(super) fn pace(settings: &Settings) -> Pace {
    match settings.poll_floor {
        Some(floor) => Pace { shortest: floor, longest: floor },
        None => USUAL,
    }
}

/// The time to the next poll: half as long after a change, half as long again after none, within bounds.
pub(super) fn interval(last: Option<Duration>, changed: bool, pace: Pace) -> Duration {
    let last = last.unwrap_or(pace.shortest);
    let next = if changed { last / 2 } else { last + last / 2 };
    next.clamp(pace.shortest, pace.longest)
}

/// When a resource is due next, and why; `None` if nothing is scheduled.
pub(super) fn next(resource: &Resource, settings: &Settings, now: Timestamp) -> Option<(Timestamp, MarkReason)> {
    let nightly_at = nightly(&resource.id().to_string(), now);
    let second = resource.full_at.filter(|_| resource.doubted).map(|listed_at| listed_at + SECOND_LISTING);
    let listing = second.map_or(nightly_at, |second| second.max(now));
    let nightly = (listing, MarkReason::Nightly);
    let other = match resource.mode {
        ResourceMode::Off => return None,
        ResourceMode::Polling => {
            let pace = pace(settings);
            let interval = resource.interval.map_or(pace.shortest, |seconds| Duration::from_secs(seconds.into()));
            (
                now + jittered(interval.clamp(pace.shortest, pace.longest), &resource.id().to_string(), now),
                MarkReason::Poll,
            )
        }
        ResourceMode::Webhook => {
            let last = resource.heard_at.max(resource.last_sync.as_ref().map(|sync| sync.at)).unwrap_or(now);
            ((last + settings.silence).max(now + Duration::from_secs(1)), MarkReason::Probe)
        }
    };
    Some(nightly.min(other))
}

/// The next night's time of a resource: nights are long, and each resource has a moment of its own.
fn nightly(resource: &str, now: Timestamp) -> Timestamp {
    let (hour, long) = NIGHT;
    let share = fraction(&[resource.as_bytes()]);
    let offset = SignedDuration::from_hours(hour.into()) + SignedDuration::from_secs_f64(long.as_secs_f64() * share);
    let midnight = now
        .to_zoned(jiff::tz::TimeZone::UTC)
        .round(jiff::ZonedRound::new().smallest(Unit::Day).mode(jiff::RoundMode::Floor));
    let midnight = midnight.map_or(now, |midnight| midnight.timestamp());
    let tonight = midnight + offset;
    if tonight > now + SignedDuration::from_mins(1) { tonight } else { tonight + 24.hours() }
}

/// A time that is up to a tenth shorter, so that polls do not come in step.
fn jittered(interval: Duration, resource: &str, now: Timestamp) -> Duration {
    let share = fraction(&[resource.as_bytes(), &now.as_millisecond().to_be_bytes()]);
    interval.mul_f64(1.0 - share / 10.0)
}

/// A number from 0 to 1 that a text decides.
fn fraction(parts: &[&[u8]]) -> f64 {
    let [a, b, ..] = signing::sha256(parts);
    f64::from(u16::from_be_bytes([a, b])) / 65_536.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use hooktide_store::records::resource::ResourceId;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_interval_halves_after_a_change_and_grows_by_half_after_none_within_its_bounds() {
        let pace = Pace { shortest: seconds(100), longest: seconds(400) };
        for (last, changed, expected) in [
            (None, true, 100),
            (None, false, 150),
            (Some(300), true, 150),
            (Some(300), false, 400),
            (Some(100), true, 100),
            (Some(9_000), false, 400),
        ] {
            assert_eq!(interval(last.map(seconds), changed, pace), seconds(expected), "{last:?} {changed}");
        }
    }

    #[test]
    fn full_listings_are_spread_over_the_night() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let times: Vec<Timestamp> = (0..200).map(|number| nightly(&format!("products/{number}"), now)).collect();
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*first >= "2026-11-30T01:00:00Z".parse().unwrap() && *last < "2026-11-30T05:00:00Z".parse().unwrap());
        assert!(last.duration_since(*first) > SignedDuration::from_hours(3), "{first} {last}");
        let again = nightly("products/7", times[7]);
        assert!(again > times[7] + 23.hours(), "not twice in one night");
    }

    #[test]
    fn a_polling_schedule_exists_only_in_mode_polling() {
        let (settings, now) = (Settings::default(), "2026-11-29T12:00:00Z".parse().unwrap());
        let next_in = |mode| next(&Resource::new(&ResourceId::new("c", "products"), mode), &settings, now);
        assert_eq!(next_in(ResourceMode::Off), None);
        let (at, reason) = next_in(ResourceMode::Polling).unwrap();
        assert!(reason == MarkReason::Poll && at > now + 54.minutes() && at <= now + 1.hour(), "{at}");
        let (at, reason) = next_in(ResourceMode::Webhook).unwrap();
        assert_eq!((reason, at), (MarkReason::Probe, now + settings.silence));
    }
}
