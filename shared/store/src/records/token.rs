//! API tokens: `hk_<id>_<secret>`, read by id, the secret compared by its SHA-256 in constant time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::endpoint::Owned;
use super::grant::Grant;
use super::{Record, Upkeep};
use crate::key::{Area, Key, Partition};
use crate::ports::Table;
use hooktide_model::entropy::Entropy;
use hooktide_model::fault::Fault;
use hooktide_model::names::Scope;
use hooktide_model::secret::Secret;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;

/// The beginning of every token.
const PREFIX: &str = "hk_";

/// A caller, with their permissions.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The tenant that the data belongs to.
    pub tenant: Tenant,
    /// The person, if the token belongs to one.
    pub user: Option<String>,
    /// The companies whose figures they may see; all if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companies: Vec<String>,
    /// The permissions.
    pub scopes: Vec<Scope>,
    /// Whether they run the deployment: they may act for any tenant, and use the test tools.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operator: bool,
}

impl Principal {
    /// The principal who runs the deployment.
    pub fn operator(tenant: Tenant) -> Self {
        Self { tenant, user: None, companies: Vec::new(), scopes: vec![Scope::Admin], operator: true }
    }

    /// Whether one of the scopes is `wanted` or includes it.
    pub fn may(&self, wanted: Scope) -> bool {
        self.scopes.iter().any(|scope| *scope >= wanted)
    }
}

/// A token at rest.
#[skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The principal that it belongs to, with their permissions.
    #[serde(flatten)]
    pub principal: Principal,
    /// SHA-256 of the secret, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it expires, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The id of the token that made it.
    pub by: Option<String>,
    /// Whether it is valid only while the token that made it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bound: bool,
}

impl Record for Token {
    const NAME: &'static str = "token";
}

/// A new token's id and secret.
#[derive(Debug)]
pub struct NewToken {
    /// Its id.
    pub id: String,
    /// The text that its holder presents.
    pub text: Secret,
    /// The record to store.
    pub sha256: String,
}

/// Makes a token's id and secret; an `id` may be given.
pub fn generate(entropy: &Entropy, id: Option<String>) -> NewToken {
    let id = id.unwrap_or_else(|| data_encoding::HEXLOWER.encode(&entropy.bytes::<8>()));
    let secret = data_encoding::HEXLOWER.encode(&entropy.bytes::<32>());
    let sha256 = signing::sha256_hex(secret.as_bytes());
    NewToken { text: Secret::new(format!("{PREFIX}{id}_{secret}")), id, sha256 }
}

/// An issued token; its text is available only this once.
#[derive(Debug)]
pub struct Issued {
    /// Its id.
    pub id: String,
    /// The text that its holder presents.
    pub text: Secret,
    /// The record to store.
    pub token: Token,
}

/// Issues a token without a maker.
pub async fn issue(
    table: &dyn Table,
    entropy: &Entropy,
    principal: Principal,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Issued, Fault> {
    issue_by(table, entropy, Grant { principal, expires_at }, None, now).await
}

/// Issues a token: stores it, and the tenant's reference to it, so that it is listed and can be revoked. The maker is the
/// id of the token that makes it, and whether the new token is valid only while that one is.
pub async fn issue_by(
    table: &dyn Table,
    entropy: &Entropy,
    grant: Grant,
    maker: Option<(String, bool)>,
    now: Timestamp,
) -> Result<Issued, Fault> {
    let NewToken { id, text, sha256 } = generate(entropy, None);
    let (Grant { principal, expires_at }, bound) = (grant, maker.as_ref().is_some_and(|(_, bound)| *bound));
    let by = maker.map(|(by, _)| by);
    let token = Token { principal, sha256, created_at: now, expires_at, revoked_at: None, by, bound };
    let writes = vec![
        super::insert(&key(&id), &token, Upkeep::default())?,
        super::insert(&owned_key(&token.principal.tenant, &id), &Owned { since: now }, Upkeep::default())?,
    ];
    table.transact(writes).await.map_err(super::overtaken)?;
    Ok(Issued { id, text, token })
}

/// The id and the secret of a token's text.
pub fn parse(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let fits =
        id.len() == 16 && secret.len() == 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits.then_some((id, secret))
}

impl Token {
    /// Whether `secret` is the token's, and the token is valid at `now`.
    pub fn admits(&self, secret: &str, now: Timestamp) -> bool {
        let genuine = signing::equal(signing::sha256_hex(secret.as_bytes()).as_bytes(), self.sha256.as_bytes());
        genuine && self.counts(now)
    }

    /// The id of the token whose end also ends this one, if there is one.
    pub fn maker(&self) -> Option<&str> {
        self.by.as_deref().filter(|_| self.bound)
    }

    /// Whether it is neither revoked nor expired. Its maker is not checked.
    pub fn counts(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// The key of a token.
pub fn key(id: &str) -> Key {
    Partition::token(id).key("token")
}

/// The key of a tenant's reference to a token.
pub fn owned_key(tenant: &Tenant, id: &str) -> Key {
    Partition::of(tenant, Area::Tokens).key(id)
}
