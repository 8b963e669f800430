//! Feeds of iCalendar: a calendar that somebody publishes at an address, polled and read as a whole. See the README beside this
//! file.

mod api;
#[cfg(feature = "simulators")]
mod simulator;

use std::time::Duration;

use crate::Profile;
use crate::provider::provider;
use crate::reading::trimmed;
use hooktide_model::names::Kind;

/// The resource that names the feed.
const CALENDARS: &str = "calendars";
/// The resource whose only part the feed is.
const CALENDAR: &str = "calendar";
/// The id of that part. The address is none: whoever knows it can read the feed.
const FEED: &str = "feed";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "ics",
    credentials: &[],
    settings: &["url", "share_titles"],
    resources: &[(Kind::CalendarEvent, CALENDAR)],
    calls_per_minute: Some(30),
    polled_every: Some((Duration::from_secs(300), Duration::from_secs(600))),
    sample_account: "anna@example.com",
    normalise_account: trimmed,
    ..Profile::PLAIN
};

provider!(Ics: api, source, simulator);
