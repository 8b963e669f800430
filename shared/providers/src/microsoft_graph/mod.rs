//! Microsoft Graph: the calendars of a mailbox, and notifications in lots, each of which is proved by its own `clientState`. See
//! the README beside this file.

mod api;
#[cfg(feature = "simulators")]
mod simulator;
mod webhooks;

use std::time::Duration;

use http::StatusCode;

use crate::profile::OAUTH_WITH_SECRET;
use crate::provider::provider;
use crate::{Becomes, Covers, Profile, Proof, Scheme, Topic};
use hooktide_model::names::Kind;
use hooktide_model::settings::connection::OF_CALENDARS;

/// The field of each item that proves it.
const PROOF: &str = "clientState";
/// The credential that the API is called with.
const ACCESS_TOKEN: &str = "access_token";
/// The resource whose pages name the calendars.
const CALENDARS: &str = "calendars";
/// The resource whose parts are the calendars.
const CALENDAR: &str = "calendar";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "microsoft-graph",
    credentials: OAUTH_WITH_SECRET,
    settings: OF_CALENDARS,
    resources: &[(Kind::CalendarEvent, CALENDAR)],
    // Half of what Outlook lets one app ask for of one mailbox.
    calls_per_minute: Some(500),
    topics: &[
        Topic { name: "created", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "updated", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "deleted", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "reauthorizationRequired", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "subscriptionRemoved", becomes: Becomes::Sync(CALENDAR) },
        Topic { name: "missed", becomes: Becomes::Sync(CALENDAR) },
    ],
    // Graph retries for 4 hours; twice that, since nobody says when they begin.
    window: Duration::from_secs(8 * 3600),
    identity: "subscription, topic, entity and its version; without a version: expiry, id and quarter of an hour",
    schemes: {
        const SCHEMES: &[Scheme] = &[Scheme { proof: Proof::Field(PROOF), covers: Covers::NOTHING, list: false }];
        SCHEMES
    },
    // No notification says whose mailbox it is about: an endpoint has one connection.
    signs_account: false,
    // Everything is in the body.
    needed: &["value[].subscriptionId", "value[].clientState", "value[].changeType", "value[].lifecycleEvent"],
    items: &["value"],
    sample_account: "owner@example.com",
    sample_credentials: &[
        (ACCESS_TOKEN, "hush-graph-access-token"),
        ("refresh_token", "hush-graph-refresh-token"),
        ("client_id", "6731de76-14a6-49ae-97bc-6eba6914391e"),
        ("client_secret", "hush-graph-client-secret"),
    ],
    derives_tokens: true,
    accepted: StatusCode::ACCEPTED,
    // Microsoft asks for it: a refusal would tell whoever made the notification up that it failed, and would be retried.
    refused: StatusCode::ACCEPTED,
    readable: webhooks::check,
    ..Profile::PLAIN
};

provider!(MicrosoftGraph: webhooks, api, source, target, subscriptions, simulator);
