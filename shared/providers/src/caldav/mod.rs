//! CalDAV: the calendars of iCloud, Radicale, Nextcloud and others, polled, since their servers call nobody. See the README
//! beside this file.

mod api;
#[cfg(feature = "simulators")]
mod simulator;

use std::time::Duration;

use crate::provider::provider;
use crate::reading::trimmed;
use crate::{Need, Profile};
use hooktide_model::names::Kind;

const APP_PASSWORD: &str = "app_password";
/// The resource whose pages name the calendars.
const CALENDARS: &str = "calendars";
/// The resource whose parts are the calendars.
const CALENDAR: &str = "calendar";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "caldav",
    credentials: &[Need::optional(
        APP_PASSWORD,
        "the password to log in with; where the account has a second factor, as at iCloud, one that is made for an app",
    )],
    settings: &[
        "url",
        "username",
        "share_titles",
        "block_tentative",
        "block_restore",
        "block_merge",
        "block_title",
        "block_days_ahead",
    ],
    resources: &[(Kind::CalendarEvent, CALENDAR)],
    // No server says how much it lets an account ask.
    calls_per_minute: Some(120),
    polled_every: Some((Duration::from_secs(300), Duration::from_secs(600))),
    sample_account: "anna@example.com",
    sample_credentials: &[(APP_PASSWORD, "hush-caldav-app-password")],
    normalise_account: trimmed,
    ..Profile::PLAIN
};

provider!(Caldav: api, source, target, simulator);
