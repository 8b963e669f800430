//! Endpoints, which webhook addresses name, with the secrets that verify their deliveries; and routes, which say which
//! connection an account's deliveries belong to.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;
use tracing::warn;

use super::guest::Guest;
use super::{Record, as_text};
use crate::key::{Area, Key, Partition};
use crate::ports::Keys;
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_model::names::Kind;
use hooktide_model::sealing::{Place, RootKeys, root_key_of};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_model::signing::SUBSCRIPTION_KEY;
use hooktide_model::tenant::Tenant;

/// The endpoint that a webhook address names: one account, or one provider app with many.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The last part of the address.
    pub id: String,
    /// The provider.
    pub provider: String,
    /// The tenant that owns it, and that data without another owner is filed with.
    pub tenant: Tenant,
    /// The name for people.
    pub name: String,
    /// The connection that all its deliveries belong to; absent if it serves many accounts.
    pub connection: Option<String>,
    /// The account of that connection; for an endpoint that serves many, a note of its owner.
    pub account: Option<String>,
    /// The other tenants that may connect accounts to it without asking. Its owner always may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<Guest>,
    /// The secrets that verify its deliveries, newest first within a name.
    pub secrets: Vec<SealedSecret>,
    /// Settings.
    #[serde(default, with = "as_text")]
    pub settings: ConnectionSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// A fingerprint of the request that made it, to tell another one with the same idempotency key.
    pub request: Option<String>,
    /// When it was deleted; deliveries that still arrive are ignored.
    pub deleted_at: Option<Timestamp>,
}

impl Record for Endpoint {
    const NAME: &'static str = "endpoint";
}

impl Endpoint {
    /// Where it is.
    pub fn key(&self) -> Key {
        key(&self.provider, &self.id)
    }

    /// Whether it serves many accounts and lets a tenant connect any of them: the tenant is its owner, or is named.
    pub fn admits(&self, tenant: &Tenant) -> bool {
        self.connection.is_none() && (self.tenant == *tenant || self.tenants.iter().any(|guest| guest.is(tenant)))
    }

    /// The accounts that its settings name beside the connection's own, as they were written.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.settings.sources.iter().map(String::as_str)
    }

    /// Its opened secrets, with the keys of its subscriptions' tokens, if its provider `derives` them.
    pub async fn open_secrets(&self, keys: &dyn Keys, derives: bool) -> Result<Secrets, Fault> {
        let mut root = keys.root().await?;
        let newer = |sealed: &SealedSecret| root_key_of(&sealed.sealed).filter(|id| !root.knows(id)).map(str::to_owned);
        if let Some(id) = self.secrets.iter().find_map(newer) {
            root = keys.root_with(&id).await?;
        }
        let opened = open_all(&self.secrets, &root, &self.tenant, &sealed_for(&self.key()))?;
        Ok(if derives { opened.with(self.subscription_keys(&root)) } else { opened })
    }

    /// The keys that the tokens of this endpoint's subscriptions are derived from: one for each root key, the current one
    /// first.
    fn subscription_keys(&self, root: &RootKeys) -> Vec<LiveSecret> {
        let purpose = format!("hooktide subscription tokens\0{}\0{}", self.provider, self.id);
        let ids = std::iter::once(root.current_id()).chain(root.ids().filter(|id| *id != root.current_id()));
        ids.filter_map(|id| {
            let secret = root.derived(id, &purpose)?;
            let (name, id) = (SUBSCRIPTION_KEY.to_owned(), KeyId(id.to_owned()));
            Some(LiveSecret { name, id, secret, retires_at: None })
        })
        .collect()
    }

    /// The address registered with the provider: the one in the settings, if its owner put one there, or `computed`.
    pub fn address(&self, computed: String) -> String {
        self.settings.notification_url.clone().unwrap_or(computed)
    }
}

/// The sort key of endpoints' records.
const SORT: &str = "endpoint";

/// The key of an endpoint.
pub fn key(provider: &str, id: &str) -> Key {
    Partition::endpoint(provider, id).key(SORT)
}

/// The provider and the id of the endpoint whose record is at `key`, if there is one.
pub fn at(key: &Key) -> Option<(&str, &str)> {
    key.endpoint().filter(|_| key.sort() == SORT)
}

/// A secret at rest.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// The name that the provider's needs give it.
    pub name: String,
    /// The id among the secrets of that name.
    pub key_id: KeyId,
    /// The sealed text.
    pub sealed: String,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it expires, if it does.
    pub retires_at: Option<Timestamp>,
}

impl SealedSecret {
    /// Seals a secret for a tenant's record (see [`sealed_for`]).
    pub fn seal(
        name: &str,
        secret: &Secret,
        (tenant, record): (&Tenant, &str),
        keys: &RootKeys,
        entropy: &Entropy,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let key_id = KeyId(data_encoding::HEXLOWER.encode(&entropy.bytes::<4>()));
        let field = format!("{name}/{key_id}");
        let sealed = keys.seal(secret, Place { tenant, record, field: &field }, entropy)?;
        Ok(Self { name: name.to_owned(), key_id, sealed, created_at: now, retires_at: None })
    }
}

/// The place that the secrets of the record at `key` are bound to.
pub fn sealed_for(key: &Key) -> String {
    format!("{}\0{}", key.partition(), key.sort())
}

/// Opens secrets that are bound to `record`; fails if there are some and none of them opens.
pub fn open_all(sealed: &[SealedSecret], keys: &RootKeys, tenant: &Tenant, record: &str) -> Result<Secrets, Fault> {
    let open = |secret: &SealedSecret| -> Result<LiveSecret, Fault> {
        let field = format!("{}/{}", secret.name, secret.key_id);
        Ok(LiveSecret {
            name: secret.name.clone(),
            id: secret.key_id.clone(),
            secret: keys.open(&secret.sealed, Place { tenant, record, field: &field })?,
            retires_at: secret.retires_at,
        })
    };
    let (mut opened, mut last) = (Vec::with_capacity(sealed.len()), None);
    for secret in sealed {
        match open(secret) {
            Ok(secret) => opened.push(secret),
            Err(fault) => {
                warn!(%fault, "a secret does not open, and verifies nothing");
                last = Some(fault);
            }
        }
    }
    // One that does not open must not fail the others; if none opens, a signature cannot be judged.
    match last {
        Some(fault) if opened.is_empty() => Err(fault),
        _ => Ok(Secrets::new(opened)),
    }
}

/// The connection that the deliveries for one account of an endpoint belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The tenant that has the connection.
    pub tenant: Tenant,
    /// The connection's id.
    pub connection: String,
}

impl Record for Route {
    const NAME: &'static str = "route";
}

/// The key of an account's route.
pub fn route_key(provider: &str, endpoint: &str, account: &str) -> Key {
    Partition::routes(provider, endpoint).key(account)
}

/// The account of a shared endpoint that an entity belongs to, where the provider does not sign the account: the one that
/// it was first reported for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Belonging {
    /// The account.
    pub account: String,
}

impl Record for Belonging {
    const NAME: &'static str = "belonging";
}

/// The key of the record that names the account of an entity.
pub fn belonging_key(provider: &str, endpoint: &str, kind: Kind, id: &str) -> Key {
    Partition::belonging(provider, endpoint, kind, id).key("belonging")
}

/// When a secret last verified a delivery; written at most every few minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastVerified {
    /// The time.
    pub at: Timestamp,
}

impl Record for LastVerified {
    const NAME: &'static str = "last verification";
}

/// The key of the last verification by a secret.
pub fn last_verified_key(provider: &str, endpoint: &str, key_id: &KeyId) -> Key {
    Partition::endpoint(provider, endpoint).key(format!("verified#{key_id}"))
}

/// How many codes are kept: some of the first, and some of the last.
const MOST_CODES: usize = 10;

/// A code that a provider sent for whoever sets up the endpoint, and those before it: since the senders are unproven, no
/// code takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Handshake {
    /// The time.
    pub received_at: Timestamp,
    /// The code, whose sender is unproven.
    pub code: String,
    /// Earlier codes, the latest first. They have no earlier ones themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Handshake>,
}

impl Handshake {
    /// A code that arrived at this time.
    pub fn new(code: impl Into<String>, received_at: Timestamp) -> Self {
        Self { received_at, code: code.into(), earlier: Vec::new() }
    }

    /// The codes of both, the last one first, in whatever order they arrived.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut codes: Vec<Self> = Vec::new();
        for Self { received_at, code, earlier } in [self, other] {
            codes.extend(earlier);
            codes.push(Self::new(code, received_at));
        }
        codes.sort_by(|one, other| other.cmp(one));
        // A code that arrived again counts from its last arrival.
        let mut seen = BTreeSet::new();
        codes.retain(|code| seen.insert(code.code.clone()));
        while codes.len() > MOST_CODES {
            codes.remove(MOST_CODES / 2);
        }
        let last = codes.remove(0);
        Self { earlier: codes, ..last }
    }
}

impl Record for Handshake {
    const NAME: &'static str = "handshake";
}

/// The key of the last code.
pub fn handshake_key(provider: &str, endpoint: &str) -> Key {
    Partition::endpoint(provider, endpoint).key("handshake")
}

/// A tenant's reference to an endpoint or a token that it owns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Owned {
    /// When it was made.
    pub since: Timestamp,
}

impl Record for Owned {
    const NAME: &'static str = "reference";
}

/// The key of a tenant's reference to an endpoint.
pub fn owned_key(tenant: &Tenant, provider: &str, id: &str) -> Key {
    Partition::of(tenant, Area::Endpoints).key(format!("{provider}#{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(number: i64) -> Handshake {
        Handshake::new(format!("code {number}"), Timestamp::from_second(number).unwrap())
    }

    fn shown(handshake: &Handshake) -> Vec<&str> {
        std::iter::once(handshake).chain(&handshake.earlier).map(|code| code.code.as_str()).collect()
    }

    #[test]
    fn no_code_takes_the_place_of_another() {
        let both = code(1).and(code(2));
        assert_eq!(shown(&both), ["code 2", "code 1"]);
        assert_eq!(both, code(2).and(code(1)), "in whatever order they come");
        assert_eq!(both.clone().and(code(1)), both, "or come again");
        let all = (2..100).map(code).fold(code(1), Handshake::and);
        assert_eq!(shown(&all)[..2], ["code 99", "code 98"]);
        assert_eq!(shown(&all)[5..], ["code 5", "code 4", "code 3", "code 2", "code 1"]);
    }
}
