//! Subscriptions: the providers' promises to send webhooks. Each is written before its provider is called, so that none is
//! ever forgotten.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::key::{Area, Key, Partition};
use hooktide_model::names::SubscriptionState;
use hooktide_model::tenant::Tenant;

/// The reason of one that exists, and did not report changes that were found by other ways. Only a webhook ends it.
pub const MISSED: &str = "changes were found that no webhook reported";

/// The reason of one that cannot be made, since the provider sends nobody anything about the resource. That is no trouble.
pub const UNSUPPORTED: &str = "the provider sends no webhooks about this, so it is polled";

/// A provider's promise to send webhooks about a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Our reference, which the provider sends back where it can: letters, digits and hyphens.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// The resource's name; empty for a stray.
    pub resource: String,
    /// The part of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The topic, as the provider has it; empty for a stray of which it is not known.
    pub topic: String,
    /// The webhook address that the provider was given.
    pub url: String,
    /// How it is doing.
    pub state: SubscriptionState,
    /// How many failures there were in a row.
    #[serde(default)]
    pub failures: u32,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// The reason for the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The provider's id, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it is renewed, or replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Timestamp>,
    /// When the next step is due.
    pub next_at: Timestamp,
    /// When its existence was last checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// The subscription that took its place: it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<String>,
}

impl Record for Subscription {
    const NAME: &'static str = "subscription";
}

impl Subscription {
    /// Whether webhooks are expected of it now.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let state = matches!(self.state, SubscriptionState::Active | SubscriptionState::Degraded);
        state && self.provider_id.is_some() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// Whether it is a stray: found at the provider, sent to us, and known to nobody, so that it is to be ended.
    pub fn is_stray(&self) -> bool {
        self.resource.is_empty()
    }

    /// Whether it is about this resource, or part of one.
    pub fn covers(&self, resource: &str, part: Option<&str>) -> bool {
        self.resource == resource && self.part.as_deref() == part
    }

    /// Its key.
    pub fn key(&self, tenant: &Tenant) -> Key {
        key(tenant, &self.connection, &self.id)
    }
}

/// The key of a subscription.
pub fn key(tenant: &Tenant, connection: &str, id: &str) -> Key {
    partition(tenant).key(format!("{connection}#{id}"))
}

/// The partition of a tenant's subscriptions, sorted by connection.
pub fn partition(tenant: &Tenant) -> Partition {
    Partition::of(tenant, Area::Subscriptions)
}

/// The prefix that the subscriptions of a connection sort under.
pub fn prefix(connection: &str) -> String {
    format!("{connection}#")
}
