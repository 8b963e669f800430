//! Google Calendar: messages of headers alone, proved by the token of their channel. See the README beside this file.

mod webhooks;

use std::time::Duration;

use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Profile, Scheme, Topic};

const TOKEN: &str = "x-goog-channel-token";
const CHANNEL: &str = "x-goog-channel-id";
const EXPIRATION: &str = "x-goog-channel-expiration";
const RESOURCE: &str = "x-goog-resource-id";
const RESOURCE_URI: &str = "x-goog-resource-uri";
const STATE: &str = "x-goog-resource-state";
const NUMBER: &str = "x-goog-message-number";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "google-calendar",
    topics: &[
        Topic { name: "exists", becomes: Becomes::Sync("calendar") },
        Topic { name: "not_exists", becomes: Becomes::Sync("calendar") },
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
    derives_tokens: true,
    readable: webhooks::check,
    ..Profile::PLAIN
};

provider!(GoogleCalendar: webhooks, api);

impl Api for GoogleCalendar {
    fn base(&self) -> Base {
        Base::Fixed("https://www.googleapis.com")
    }
}
