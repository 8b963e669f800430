//! Microsoft Graph: notifications in lots, each of which is proved by its own `clientState`. See the README beside this
//! file.

mod webhooks;

use std::time::Duration;

use http::StatusCode;

use crate::provider::provider;
use crate::{Api, Base, Becomes, Covers, Profile, Proof, Scheme, Topic};

/// The field of each item that proves it.
const PROOF: &str = "clientState";

/// The description of the provider, as data.
const PROFILE: Profile = Profile {
    id: "microsoft-graph",
    topics: &[
        Topic { name: "created", becomes: Becomes::Sync("calendar") },
        Topic { name: "updated", becomes: Becomes::Sync("calendar") },
        Topic { name: "deleted", becomes: Becomes::Sync("calendar") },
        Topic { name: "reauthorizationRequired", becomes: Becomes::Sync("subscription") },
        Topic { name: "subscriptionRemoved", becomes: Becomes::Sync("subscription") },
        Topic { name: "missed", becomes: Becomes::Sync("subscription") },
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
    derives_tokens: true,
    accepted: StatusCode::ACCEPTED,
    // Microsoft asks for it: a refusal would tell whoever made the notification up that it failed, and would be retried.
    refused: StatusCode::ACCEPTED,
    readable: webhooks::check,
    ..Profile::PLAIN
};

provider!(MicrosoftGraph: webhooks, api);

impl Api for MicrosoftGraph {
    fn base(&self) -> Base {
        Base::Fixed("https://graph.microsoft.com")
    }
}
