//! Connections: one account at one provider, of one tenant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::endpoint::SealedSecret;
use super::{Record, as_text};
use crate::key::{Area, Key, Partition};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::settings::rules::Rules;
use hooktide_model::tenant::Tenant;

/// One account at one provider, of one tenant.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// What people call it.
    pub name: String,
    /// The provider's account, normalised.
    pub account: Option<String>,
    /// The endpoint that its deliveries come to: its own, with the same id, or one that serves many accounts.
    pub endpoint: String,
    /// API credentials; what verifies deliveries is in the endpoint.
    pub credentials: Vec<SealedSecret>,
    /// Settings.
    #[serde(with = "as_text")]
    pub settings: ConnectionSettings,
    /// What is synced of it, and what of it reaches the user's other connections.
    #[serde(default)]
    pub rules: Rules,
    /// When it was made.
    pub created_at: Timestamp,
    /// A fingerprint of the request that made it, to tell another one with the same idempotency key.
    pub request: Option<String>,
    /// When it was deleted: nobody sees it any more, and it goes when everything that is known through it is erased.
    pub deleted_at: Option<Timestamp>,
}

impl Record for Connection {
    const NAME: &'static str = "connection";
}

impl Connection {
    /// Whether the endpoint is its own.
    pub fn owns_endpoint(&self) -> bool {
        self.endpoint == self.id
    }

    /// The person whose account it is, if somebody said so.
    pub fn user(&self) -> Option<&str> {
        self.settings.user.as_deref()
    }
}

/// Where a connection is.
pub fn key(tenant: &Tenant, id: &str) -> Key {
    Partition::of(tenant, Area::Connections).key(id)
}
