//! Authorizations: the access token of a connection that is in use, and whether its provider accepts it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;
use super::endpoint::SealedSecret;
use crate::key::{Area, Key, Partition};
use hooktide_model::tenant::Tenant;

/// The access token of a connection, and whether its provider accepts it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Authorization {
    /// The access token that was got by a refresh, and a refresh token that took the place of the former one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<SealedSecret>,
    /// When the access token ends, if the provider says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when one worker refreshes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshing_until: Option<Timestamp>,
    /// Since when the provider refuses the credentials, so that somebody has to authorise us again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
    /// The newest of the connection's own credentials when they were refused: others are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Timestamp>,
}

impl Record for Authorization {
    const NAME: &'static str = "authorization";
}

/// The key of a connection's authorization.
pub fn key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::Authorizations).key(connection)
}
