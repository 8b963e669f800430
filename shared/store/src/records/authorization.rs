//! Authorizations: the tokens of a connection that were got from its provider, and whether it accepts them.

use std::collections::BTreeMap;

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
    /// What the credentials lack, although they count, by what was asked about with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lacks: BTreeMap<String, Lack>,
    /// The consents that were used, until they would have ended anyway: none counts twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<UsedConsent>,
}

/// What credentials lack that count otherwise, so that somebody has to allow more.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// The scopes that the provider named, if it did.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Since when they lack it.
    pub since: Timestamp,
    /// The newest of the credentials that people had given by then: others may do.
    pub given: Option<Timestamp>,
    /// What the provider said, and what to do.
    pub reason: String,
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

    /// What they lack, by what was asked about, where the newest that people gave are still these.
    pub fn lacks(&self, newest: Option<Timestamp>) -> impl Iterator<Item = (&str, &Lack)> {
        self.lacks.iter().filter(move |(_, lack)| lack.given == newest).map(|(about, lack)| (about.as_str(), lack))
    }
}

/// The key of a connection's authorization.
pub fn key(tenant: &Tenant, connection: &str) -> Key {
    Partition::of(tenant, Area::Authorizations).key(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_of_before_lacks_were_noted_is_read_and_lacks_are_those_of_the_newest_credentials() {
        let former = r#"{"refused_since":"2026-11-29T12:00:00Z","reason":"revoked"}"#;
        let mut authorization: Authorization = serde_json::from_str(former).unwrap();
        assert_eq!((authorization.lacks.len(), authorization.refused_since.is_some()), (0, true));
        let at = |second| Timestamp::from_second(second).unwrap();
        for (about, given) in [("stock", None), ("catalog", Some(at(5)))] {
            let lack = Lack { scopes: Vec::new(), since: at(7), given, reason: "allow it".to_owned() };
            authorization.lacks.insert(about.to_owned(), lack);
        }
        let text = serde_json::to_string(&authorization).unwrap();
        let read: Authorization = serde_json::from_str(&text).unwrap();
        for (newest, expected) in [(None, &["stock"][..]), (Some(at(5)), &["catalog"]), (Some(at(6)), &[])] {
            let about: Vec<&str> = read.lacks(newest).map(|(about, _)| about).collect();
            assert_eq!(about, expected, "{newest:?}");
        }
    }
}
