//! Authorizations: the tokens of a connection that were got from its provider, and whether it accepts them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Record;
use super::endpoint::SealedSecret;
use crate::key::{Area, Key, Partition};
use hooktide_model::tenant::Tenant;

/// The tokens of a connection that were got from its provider, and whether it accepts them.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Authorization {
    /// The access token that was got last, and the refresh tokens that came with one, newest first within a name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<SealedSecret>,
    /// When the access token ends, if the provider says so.
    pub expires_at: Option<Timestamp>,
    /// Until when one worker refreshes it.
    pub refreshing_until: Option<Timestamp>,
    /// How many refreshes failed in a row without a final answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// The time before which no refresh is tried again.
    pub not_before: Option<Timestamp>,
    /// Since when the provider refuses the credentials, so that somebody has to authorise us again.
    pub refused_since: Option<Timestamp>,
    /// The newest of the credentials that people gave when they were refused: others are tried.
    pub refused: Option<Timestamp>,
    /// What the provider said, and what to do.
    pub reason: Option<String>,
    /// The consents that were used, until they would have ended anyway: none counts twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<UsedConsent>,
}

/// A consent that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedConsent {
    /// The number that only it has.
    pub nonce: String,
    /// When it would have ended.
    pub until: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Record for Authorization {
    const NAME: &'static str = "authorization";
}

impl Authorization {
    /// Since when the provider refuses the credentials, where the newest that people gave are still these.
    pub fn refused_since(&self, newest: Option<Timestamp>) -> Option<Timestamp> {
        self.refused_since.filter(|_| self.refused == newest)
    }
}

/// The key of a connection's authorization.
pub fn key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::Authorizations).key(connection)
}
