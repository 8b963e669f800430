//! Google Calendar: messages of headers alone, proved by the token of their channel. See the README beside this file.

mod api;
mod channel;
#[cfg(feature = "simulators")]
mod simulator;
mod webhooks;

use std::time::Duration;

use self::webhooks::{CHANNEL, EXPIRATION, NUMBER, RESOURCE, RESOURCE_URI, STATE, TOKEN};
use crate::profile::OAUTH_WITH_SECRET;
use crate::provider::provider;
use crate::{Becomes, Covers, Profile, Scheme, Topic};
use hooktide_model::names::Kind;
use hooktide_model::settings::connection::OF_CALENDARS;

const ACCESS_TOKEN: &str = "access_token";
/// The resource whose pages name the calendars.
const CALENDARS: &str = "calendars";
/// The resource whose parts are the calendars.
const CALENDAR: &str = "calendar";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "google-calendar",
    credentials: OAUTH_WITH_SECRET,
    settings: OF_CALENDARS,
    resources: &[(Kind::CalendarEvent, CALENDAR)],
    // Half of what Google lets one app ask for one of its users, unless the app has a larger quota.
    calls_per_minute: Some(300),
    topics: &[
        Topic { name: "exists", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "not_exists", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "sync", becomes: Becomes::Ignored("the channel is open") },
    ],
    // Google retries with growing gaps; for how long is not documented.
    window: Duration::from_secs(72 * 3600),
    identity: "channel and message number",
    schemes: &[Scheme::header(TOKEN, Covers::NOTHING)],
    // No message says whose it is: an endpoint has one connection.
    signs_account: false,
    headers: &[CHANNEL, RESOURCE, STATE, NUMBER, RESOURCE_URI, EXPIRATION],
    sample_account: "owner@example.com",
    sample_credentials: &[
        (ACCESS_TOKEN, "hush-google-access-token"),
        ("refresh_token", "hush-google-refresh-token"),
        ("client_id", "sample.apps.googleusercontent.com"),
        ("client_secret", "hush-google-client-secret"),
    ],
    derives_tokens: true,
    readable: webhooks::check,
    ..Profile::PLAIN
};

provider!(GoogleCalendar: webhooks, api, source, subscriptions, target, simulator);
