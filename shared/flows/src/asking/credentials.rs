//! Credentials: what an account is asked with, and whether its provider accepts it.
//!
//! People give some (the connection's secrets), and the provider gives others for them, which are kept in the authorization. A
//! token that people give later ends those that came before it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::Ports;
use hooktide_model::fault::Fault;
use hooktide_model::names::CredentialsState;
use hooktide_model::secret::{KeyId, Secret, Secrets};
use hooktide_model::tenant::Tenant;
use hooktide_providers::Api;
use hooktide_providers::oauth2::{ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN};
use hooktide_store::records::authorization::{self, Authorization, Lack};
use hooktide_store::records::budget::{self, Breaker, Budget};
use hooktide_store::records::connection::{self, Connection};
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret, open_all, sealed_for};
use hooktide_store::records::{self, Stored};

/// How long before its end an access token is refreshed; of a short life, a quarter.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// How many refresh tokens are tried: the last one, and those before it, whose successor may have been lost.
const MOST_REFRESH_TOKENS: usize = 3;

/// What an account is asked with.
#[derive(Default)]
pub(crate) struct Credentials {
    /// All of it, with what verifies its deliveries; newest first within a name.
    pub(super) secrets: Secrets,
    /// The access token in use.
    pub(super) access: Option<Access>,
    /// The newest of what people gave.
    pub(super) given_at: Option<Timestamp>,
    /// The authorization, as it was read.
    pub(super) stored: Option<Stored<Authorization>>,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) id: KeyId,
    got_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl Access {
    /// Whether it ends so soon that it is refreshed now.
    pub(super) fn ends_soon(&self, now: Timestamp) -> bool {
        // The clock of whoever stored it, or of whoever gave what it was got with, may have been ahead.
        let early =
            |expires_at: Timestamp| (expires_at.duration_since(self.got_at) / 4).clamp(SignedDuration::ZERO, EARLY);
        self.expires_at.is_some_and(|expires_at| expires_at - early(expires_at) <= now)
    }
}

impl Credentials {
    /// What a connection is asked with, as it is stored now.
    pub(crate) async fn of(
        ports: &Ports,
        tenant: &Tenant,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let root = ports.keys.root().await?;
        let key = authorization::key(tenant, &connection.id);
        let stored = records::get::<Authorization>(&*ports.table, &key).await?;
        let got = stored.as_ref().map(|stored| counting(&stored.record, &connection.credentials)).unwrap_or_default();
        let own_key = connection::key(tenant, &connection.id);
        let own = open_all(&connection.credentials, &root, tenant, &sealed_for(&own_key))?;
        let mut secrets = open_all(&got, &root, tenant, &sealed_for(&key))?.with(own.into_all());
        let mut given_at = newest(&connection.credentials, |_| true);
        let endpoint_key = endpoint::key(&connection.provider, &connection.endpoint);
        if let Some(endpoint) = records::get::<Endpoint>(&*ports.table, &endpoint_key).await? {
            let opened = endpoint.record.open_secrets(&*ports.keys, false).await?;
            secrets = secrets.with(opened.into_all());
            given_at = given_at.max(newest(&endpoint.record.secrets, |name| name == CLIENT_SECRET));
        }
        let id = secrets.live(ACCESS_TOKEN, now).next().map(|live| live.id.clone());
        let access = id.and_then(|id| {
            let sealed = got.iter().chain(&connection.credentials).find(|sealed| sealed.key_id == id)?;
            Some(Access { id, got_at: sealed.created_at, expires_at: sealed.retires_at })
        });
        Ok(Self { secrets, access, given_at, stored })
    }

    /// The refresh tokens that are tried, the newest first.
    pub(super) fn refresh_tokens(&self, now: Timestamp) -> Vec<Secret> {
        let tokens = self.secrets.live(REFRESH_TOKEN, now).map(|live| live.secret.clone());
        tokens.take(MOST_REFRESH_TOKENS).collect()
    }

    /// Whether another access token can be asked for.
    pub(super) fn can_renew(&self, api: &dyn Api, now: Timestamp) -> bool {
        let has = |name| self.secrets.live(name, now).next().is_some();
        let Some(oauth) = api.oauth() else { return false };
        // A token that somebody gave is another app's, or from before tokens ended: the app's own name would not get it.
        let in_own_name = oauth.in_own_name && (self.access.is_none() || self.was_got());
        has(CLIENT_ID) && has(CLIENT_SECRET) && (in_own_name || has(REFRESH_TOKEN))
    }

    /// Whether the access token in use was got from the provider, and not given by somebody.
    fn was_got(&self) -> bool {
        let got = self.stored.iter().flat_map(|stored| &stored.record.tokens);
        self.access.as_ref().is_some_and(|access| got.into_iter().any(|token| token.key_id == access.id))
    }

    /// The authorization, as it was read; an empty one if there is none.
    pub(super) fn authorization(&self) -> Authorization {
        self.stored.as_ref().map(|stored| stored.record.clone()).unwrap_or_default()
    }

    /// Since when the provider refuses them.
    pub(super) fn refused_since(&self) -> Option<Timestamp> {
        self.stored.as_ref()?.record.refused_since(self.given_at)
    }

    /// What they lack, by what was asked about.
    fn lacks(&self) -> impl Iterator<Item = (&str, &Lack)> {
        self.stored.iter().flat_map(|stored| stored.record.lacks(self.given_at))
    }

    /// Whether it is noted that they do not count, or lack something for what is asked about.
    pub(super) fn are_doubted(&self, about: &str) -> bool {
        self.refused_since().is_some() || self.lacks().any(|(lacking, _)| lacking == about)
    }

    fn state(&self, api: &dyn Api, now: Timestamp) -> CredentialsState {
        let can_ask = || api.authorise(http::Request::default(), &self.secrets, now).is_some();
        if self.refused_since().is_some() || self.lacks().next().is_some() {
            CredentialsState::NeedsReauthorization
        } else if can_ask() || self.can_renew(api, now) {
            CredentialsState::Ok
        } else {
            CredentialsState::Missing
        }
    }
}

/// Whether a connection can ask its provider, and what to do if not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whether it can.
    pub state: CredentialsState,
    /// Since when the provider refuses the credentials, for some of what is asked at least.
    pub since: Option<Timestamp>,
    /// What the provider said, and what to do.
    pub reason: Option<String>,
    /// Since when the provider does not answer as it should, and until when it is left alone because of that.
    pub unanswered: Option<(Timestamp, Option<Timestamp>)>,
}

/// Whether a connection can ask its provider; `None` where there is nothing that is asked.
pub async fn standing(
    ports: &Ports,
    tenant: &Tenant,
    connection: &Connection,
    now: Timestamp,
) -> Result<Option<Standing>, Fault> {
    let provider = hooktide_providers::by_id(&connection.provider).filter(|provider| provider.source().is_some());
    let Some(api) = provider.and_then(|provider| provider.api()) else { return Ok(None) };
    let credentials = Arc::new(Credentials::of(ports, tenant, connection, now).await?);
    let (since, reason) = match credentials.refused_since() {
        Some(since) => (Some(since), credentials.authorization().reason),
        None => lacking(credentials.lacks().map(|(_, lack)| lack)),
    };
    let budget = records::get::<Budget>(&*ports.table, &budget::key(tenant, &connection.id)).await?;
    let unanswered = budget.and_then(|stored| {
        let Breaker { since, open_until, .. } = stored.record.breaker;
        Some((since?, open_until.filter(|until| now < *until)))
    });
    Ok(Some(Standing { state: credentials.state(api, now), since, reason, unanswered }))
}

/// Since when something is lacking, and what to do about each of it.
fn lacking<'a>(lacks: impl Iterator<Item = &'a Lack>) -> (Option<Timestamp>, Option<String>) {
    let mut since: Option<Timestamp> = None;
    let mut reasons = BTreeSet::new();
    for lack in lacks {
        since = since.into_iter().chain([lack.since]).min();
        reasons.insert(lack.reason.as_str());
    }
    (since, since.map(|_| reasons.into_iter().collect::<Vec<_>>().join("; ")))
}

/// The tokens of an authorization that count: those that people gave no other for since.
fn counting(authorization: &Authorization, own: &[SealedSecret]) -> Vec<SealedSecret> {
    let refresh_since = newest(own, |name| name == REFRESH_TOKEN);
    let access_since = newest(own, |name| name == ACCESS_TOKEN).max(refresh_since);
    let counts = |token: &&SealedSecret| {
        let since = if token.name == ACCESS_TOKEN { access_since } else { refresh_since };
        since.is_none_or(|since| token.created_at >= since)
    };
    authorization.tokens.iter().filter(counts).cloned().collect()
}

/// When the newest of the secrets with such a name was stored.
fn newest(secrets: &[SealedSecret], of: impl Fn(&str) -> bool) -> Option<Timestamp> {
    secrets.iter().filter(|secret| of(&secret.name)).map(|secret| secret.created_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(name: &str, id: &str, at: i64) -> SealedSecret {
        SealedSecret {
            name: name.to_owned(),
            key_id: KeyId(id.to_owned()),
            sealed: String::new(),
            created_at: Timestamp::from_second(at).unwrap(),
            retires_at: None,
        }
    }

    #[test]
    fn what_people_give_ends_the_tokens_that_came_before_it() {
        let tokens = vec![sealed(ACCESS_TOKEN, "a", 10), sealed(REFRESH_TOKEN, "r", 10)];
        let authorization = Authorization { tokens, ..Authorization::default() };
        for (given, at, expected) in [
            (REFRESH_TOKEN, 5, &["a", "r"][..]),
            (REFRESH_TOKEN, 10, &["a", "r"]),
            (REFRESH_TOKEN, 11, &[]),
            (ACCESS_TOKEN, 11, &["r"]),
            (CLIENT_SECRET, 11, &["a", "r"]),
        ] {
            let counting = counting(&authorization, &[sealed(given, "own", at)]);
            let ids: Vec<&str> = counting.iter().map(|token| token.key_id.0.as_str()).collect();
            assert_eq!(ids, expected, "{given} at {at}");
        }
    }

    #[test]
    fn all_that_is_lacking_is_told_once_each_since_the_first() {
        let lack = |since: i64, reason: &str| Lack {
            scopes: Vec::new(),
            since: Timestamp::from_second(since).unwrap(),
            given: None,
            reason: reason.to_owned(),
        };
        let several = [lack(9, "allow b"), lack(3, "allow a"), lack(5, "allow b")];
        let (since, reason) = lacking(several.iter());
        assert_eq!((since, reason.as_deref()), (Timestamp::from_second(3).ok(), Some("allow a; allow b")));
        assert_eq!(lacking([].iter()), (None, None));
    }

    #[test]
    fn an_access_token_is_refreshed_five_minutes_before_it_ends_or_after_three_quarters_of_a_short_life() {
        for (life, asked_at, expected) in [
            (None, 1_000_000, false),
            (Some(3_600), 3_299, false),
            (Some(3_600), 3_300, true),
            (Some(3_600), 4_000, true),
            (Some(60), 44, false),
            (Some(60), 45, true),
        ] {
            let at = |second| Timestamp::from_second(second).unwrap();
            let access = Access { id: KeyId("a".to_owned()), got_at: at(0), expires_at: life.map(at) };
            assert_eq!(access.ends_soon(at(asked_at)), expected, "{life:?} {asked_at}");
        }
    }
}
