//! When a resource is due: the next poll, probe and full listing. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

use crate::Settings;
use hooktide_model::names::{MarkReason, ResourceMode};
use hooktide_model::signing;
use hooktide_store::records::resource::{Reading, Resource};

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
/// How often a list of parts is looked for new ones, where nothing tells of them. What there is in each has a schedule of its own.
const LISTS: Duration = Duration::from_secs(6 * 3600);
/// How much longer than others a list of parts may be silent: it hardly ever changes, so silence says nothing of its webhook.
const LISTS_ARE_SILENT: u32 = 4;
/// How early a listing may be, and still be that of a night: messages come in time, and clocks are read in milliseconds.
const EARLY: SignedDuration = SignedDuration::from_secs(10);
/// When the night begins, and how long full listings are spread over, in UTC.
const NIGHT: (i8, Duration) = (1, Duration::from_secs(4 * 3600));

/// The bounds of the time between two polls: the operator's own, if there is one, else the provider's.
fn pace(settings: &Settings, polled_every: Option<(Duration, Duration)>) -> Pace {
    match (settings.poll_floor, polled_every) {
        (Some(floor), _) => Pace { shortest: floor, longest: floor },
        (None, Some((shortest, longest))) => Pace { shortest, longest },
        (None, None) => USUAL,
    }
}

/// What decides when a resource is due, beside the resource itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    /// The bounds of the time between two polls.
    pub(super) pace: Pace,
    /// How long a webhook may be silent.
    pub(super) silence: Duration,
}

impl Schedule {
    /// The schedule of what a provider has, which may say itself how often it is polled.
    pub(super) fn of(settings: &Settings, polled_every: Option<(Duration, Duration)>) -> Self {
        Self { pace: pace(settings, polled_every), silence: settings.silence }
    }

    /// The schedule of a list of parts.
    pub(super) fn of_list(settings: &Settings) -> Self {
        let every = settings.poll_floor.unwrap_or(LISTS);
        Self { pace: Pace { shortest: every, longest: every }, silence: settings.silence * LISTS_ARE_SILENT }
    }
}

/// The time to the next poll: half as long after a change, half as long again after none, within bounds.
pub(super) fn interval(last: Option<Duration>, changed: bool, pace: Pace) -> Duration {
    let last = last.unwrap_or(pace.shortest);
    let next = if changed { last / 2 } else { last + last / 2 };
    next.clamp(pace.shortest, pace.longest)
}

/// When a resource is due next, and why; `None` if nothing is scheduled.
pub(super) fn next(resource: &Resource, schedule: Schedule, now: Timestamp) -> Option<(Timestamp, MarkReason)> {
    let nightly = (listing(resource, now).max(now), MarkReason::Nightly);
    let other = match resource.mode {
        ResourceMode::Off => return None,
        ResourceMode::Polling => {
            let Schedule { pace, .. } = schedule;
            let interval = resource.interval.map_or(pace.shortest, |seconds| Duration::from_secs(seconds.into()));
            (
                now + jittered(interval.clamp(pace.shortest, pace.longest), &resource.id().to_string(), now),
                MarkReason::Poll,
            )
        }
        ResourceMode::Webhook => {
            let last = resource.heard_at.max(resource.last_sync.as_ref().map(|sync| sync.at)).unwrap_or(now);
            ((last + schedule.silence).max(now + Duration::from_secs(1)), MarkReason::Probe)
        }
    };
    let again = resource.again_at.map(|again_at| (again_at.max(now), MarkReason::Unsettled));
    Some(again.into_iter().fold(nightly.min(other), Ord::min))
}

/// Whether the listing of everything is due, and what changed was read since then: what asks for that all the time does not
/// put the listing off. After an outage, what changed comes first.
pub(super) fn is_late(resource: &Resource, now: Timestamp) -> bool {
    let due_at = listing(resource, now);
    let was_read_since = resource.cursor_at.is_some_and(|read_at| read_at >= due_at);
    resource.mode != ResourceMode::Off && due_at <= now && was_read_since
}

/// Whether a listing comes too early to agree with one that is doubted. What took the place of changes, which are asked for every
/// few minutes, may have met a provider that is still unwell.
pub(super) fn is_early(resource: &Resource, reading: &Reading) -> bool {
    let is_soon = |since: Timestamp| since <= reading.began_at && reading.began_at + EARLY < since + SECOND_LISTING;
    reading.in_place && resource.doubted_at.is_some_and(is_soon)
}

/// When the listing of everything is due: the resource's moment of this night, or of the next one if there was a listing
/// since. The second listing, where one is doubted, waits for no night.
fn listing(resource: &Resource, now: Timestamp) -> Timestamp {
    if let Some(doubted_at) = resource.doubted_at.filter(|doubted_at| *doubted_at <= now) {
        return doubted_at + SECOND_LISTING;
    }
    let this = night(&resource.id().to_string(), now + EARLY);
    let next = this + 24.hours();
    // A time beyond the next night is of a clock that was ahead.
    let was_listed = resource.full_at.is_some_and(|listed_at| (this..next).contains(&(listed_at + EARLY)));
    if was_listed { next } else { this }
}

/// The moment of the next night of something that is done each night.
pub(crate) fn nightly(of: &str, now: Timestamp) -> Timestamp {
    night(of, now + EARLY) + 24.hours()
}

/// A resource's moment of the latest night whose moment is over: nights are long, and each resource has a moment of its own.
fn night(resource: &str, now: Timestamp) -> Timestamp {
    let (hour, long) = NIGHT;
    let share = fraction(&[resource.as_bytes()]);
    let offset = SignedDuration::from_hours(hour.into()) + SignedDuration::from_secs_f64(long.as_secs_f64() * share);
    let midnight = now
        .to_zoned(jiff::tz::TimeZone::UTC)
        .round(jiff::ZonedRound::new().smallest(Unit::Day).mode(jiff::RoundMode::Floor));
    let midnight = midnight.map_or(now, |midnight| midnight.timestamp());
    let tonight = midnight + offset;
    if tonight <= now { tonight } else { tonight - 24.hours() }
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
    use hooktide_model::names::Via;
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
    fn the_operator_says_how_often_is_polled_then_the_provider() {
        let minutes = |minutes: u64| seconds(60 * minutes);
        let own = Some((minutes(5), minutes(10)));
        for (floor, own, shortest, longest) in [
            (None, None, minutes(60), minutes(120)),
            (None, own, minutes(5), minutes(10)),
            (Some(seconds(30)), own, seconds(30), seconds(30)),
            (Some(seconds(30)), None, seconds(30), seconds(30)),
        ] {
            let settings = Settings { poll_floor: floor, ..Settings::default() };
            assert_eq!(Schedule::of(&settings, own).pace, Pace { shortest, longest }, "{floor:?} {own:?}");
            let list = Schedule::of_list(&settings);
            let every = floor.unwrap_or(minutes(360));
            assert_eq!((list.pace.shortest, list.pace.longest, list.silence), (every, every, minutes(24 * 60)));
        }
    }

    #[test]
    fn full_listings_are_spread_over_the_night() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let times: Vec<Timestamp> = (0..200).map(|number| night(&format!("products/{number}"), now)).collect();
        let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*first >= "2026-11-29T01:00:00Z".parse().unwrap() && *last < "2026-11-29T05:00:00Z".parse().unwrap());
        assert!(last.duration_since(*first) > SignedDuration::from_hours(3), "{first} {last}");
        assert_eq!(night("products/7", times[7]), times[7]);
        assert_eq!(night("products/7", times[7] - 1.second()), times[7] - 24.hours());
    }

    #[test]
    fn a_night_without_a_listing_is_made_good_at_once_and_one_with_a_listing_is_followed_by_the_next() {
        let id = ResourceId::new("c", "products");
        let night = night(&id.to_string(), "2026-11-29T12:00:00Z".parse().unwrap());
        let day = 24.hours();
        // The last listing, whether it is doubted, the last reading, now; when the next listing is due, and whether it is late.
        let cases = [
            // At its moment, whatever is read right before it and right after it.
            (Some(-day), false, -30.seconds(), -30.seconds(), (0.hours(), false)),
            (Some(-day), false, -30.seconds(), 0.hours(), (0.hours(), false)),
            (Some(-day), false, 10.seconds(), 20.seconds(), (0.hours(), true)),
            // Days of an outage are one listing.
            (Some(-3 * day), false, -3 * day, 5.hours(), (0.hours(), false)),
            (Some(-3 * day), false, 5.hours(), 5.hours(), (0.hours(), true)),
            (None, false, 5.hours(), 5.hours(), (0.hours(), true)),
            (Some(0.hours()), false, 5.hours(), 5.hours(), (day, false)),
            // A listing by a message that came early.
            (Some(-5.seconds()), false, -5.seconds(), -5.seconds(), (day, false)),
            (Some(-5.seconds()), false, -5.seconds(), 5.hours(), (day, false)),
            (Some(1.hour()), false, 23.hours(), 23.hours(), (day, false)),
            // A listing that is doubted is repeated hours later, and not at night.
            (Some(-1.hour()), true, 0.hours(), 1.hour(), (7.hours(), false)),
            (Some(-1.hour()), true, 6.hours(), 8.hours(), (7.hours(), false)),
            (Some(-1.hour()), true, 7.hours(), 8.hours(), (7.hours(), true)),
            // A clock that was ahead.
            (Some(30.hours()), false, 1.hour(), 1.hour(), (0.hours(), true)),
            (Some(30.hours()), true, 1.hour(), 1.hour(), (0.hours(), true)),
            (Some(3.hours()), false, 3.hours(), 1.hour(), (day, false)),
        ];
        for (listed_at, doubted, read_at, now, (due_at, late)) in &cases {
            let resource = Resource {
                full_at: listed_at.map(|listed_at| night + listed_at),
                cursor_at: Some(night + *read_at),
                doubted_at: listed_at.filter(|_| *doubted).map(|listed_at| night + listed_at),
                ..Resource::new(&id, ResourceMode::Polling)
            };
            let now = night + *now;
            let found = (listing(&resource, now), is_late(&resource, now));
            assert_eq!(found, (night + *due_at, *late), "{listed_at:?} {doubted} {read_at} {now}");
            let often = Settings { poll_floor: Some(seconds(30)), ..Settings::default() };
            let (at, reason) = next(&resource, Schedule::of(&often, None), now).unwrap();
            let is_near = night + *due_at <= now + 26.seconds();
            assert_eq!(reason == MarkReason::Nightly, is_near, "{listed_at:?} {doubted} {read_at} {now}: {at}");
        }
    }

    #[test]
    fn a_listing_in_place_of_changes_agrees_with_a_doubted_one_only_hours_later() {
        let since: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let id = ResourceId::new("c", "calendar");
        for (doubted, in_place, began_at, expected) in [
            (true, true, since + 5.minutes(), true),
            (true, true, since + 7.hours(), true),
            (true, true, since + 8.hours(), false),
            (true, false, since + 5.minutes(), false),
            (false, true, since + 5.minutes(), false),
            // A clock that was ahead.
            (true, true, since - 5.minutes(), false),
        ] {
            let doubted_at = doubted.then_some(since);
            let resource = Resource { doubted_at, ..Resource::new(&id, ResourceMode::Polling) };
            let reading = Reading { in_place, ..crate::sync::begin::fresh(true, Via::Full, 0, began_at) };
            assert_eq!(is_early(&resource, &reading), expected, "{doubted} {in_place} {began_at}");
        }
    }

    #[test]
    fn a_polling_schedule_exists_only_in_mode_polling() {
        let (settings, now): (_, Timestamp) = (Settings::default(), "2026-11-29T12:00:00Z".parse().unwrap());
        let id = ResourceId::new("c", "products");
        let read = |mode| Resource { full_at: Some(now), ..Resource::new(&id, mode) };
        let next_in = |mode| next(&read(mode), Schedule::of(&settings, None), now);
        assert_eq!(next_in(ResourceMode::Off), None);
        let (at, reason) = next_in(ResourceMode::Polling).unwrap();
        assert!(reason == MarkReason::Poll && at > now + 54.minutes() && at <= now + 1.hour(), "{at}");
        let (at, reason) = next_in(ResourceMode::Webhook).unwrap();
        assert_eq!((reason, at), (MarkReason::Probe, now + settings.silence));
    }
}
