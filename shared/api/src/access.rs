//! Who asks: API tokens and feed tokens. A handler cannot be reached without saying which scope it needs.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hooktide_model::names::{Channel, ProblemType, Scope};
use hooktide_model::tenant::Tenant;
use hooktide_store::records::token::{self, Principal};
use jiff::Timestamp;

use crate::answer::Refused;
use crate::routes::feed_tokens;
use crate::state::Api;

/// The header by which an operator says for which tenant they act.
const TENANT: &str = "hooktide-tenant";

/// A scope as a type.
pub(crate) trait Needs: Send + Sync {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident),+) => { $(
        pub(crate) struct $name;
        impl Needs for $name { const SCOPE: Scope = Scope::$name; }
    )+ };
}
needs!(Feed, Read, Operate, Admin);

/// A principal who may do what the scope says.
pub(crate) struct May<S: Needs> {
    pub(crate) principal: Principal,
    /// The id of their token.
    pub(crate) token: String,
    /// When their token ends.
    pub(crate) expires_at: Option<Timestamp>,
    scope: PhantomData<S>,
}

impl<S: Needs> May<S> {
    pub(crate) fn tenant(&self) -> &Tenant {
        &self.principal.tenant
    }
}

impl<S: Needs> FromRequestParts<Arc<Api>> for May<S> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refused> {
        let Known { principal, token, expires_at } = authenticate(parts, api).await?;
        if !principal.may(S::SCOPE) {
            let detail = format!("The token lacks the scope {}; make one with `hooktide token create`.", S::SCOPE);
            return Err(Refused::new(ProblemType::Forbidden, detail));
        }
        Ok(Self { principal, token, expires_at, scope: PhantomData })
    }
}

/// A principal who may follow the feed, and what of it.
pub(crate) struct FeedReader {
    pub(crate) tenant: Tenant,
    /// Only these channels, if any are given.
    pub(crate) channels: Vec<Channel>,
    /// Only what has one of these tags, if any are given.
    pub(crate) tags: Vec<String>,
    /// The token that they read by, or that their feed token was made with.
    pub(crate) token: String,
    /// When they may no longer read.
    pub(crate) until: Option<Timestamp>,
}

impl FeedReader {
    /// Whether they still may read: their token has neither ended nor been revoked.
    pub(crate) async fn still_may(&self, api: &Api) -> bool {
        let now = api.now();
        if self.until.is_some_and(|until| until <= now) {
            return false;
        }
        // A store that fails is no reason: whoever reads will meet it anyway.
        api.counts_by_id(&self.token, now).await.is_ok_and(|counts| counts)
    }
}

impl FromRequestParts<Arc<Api>> for FeedReader {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refused> {
        if !parts.headers.contains_key(AUTHORIZATION)
            && let Some(text) = query_token(parts)
        {
            return feed_tokens::open(api, &text).await;
        }
        let may = May::<Feed>::from_request_parts(parts, api).await?;
        let May { principal, token, expires_at, .. } = may;
        Ok(Self { tenant: principal.tenant, channels: Vec::new(), tags: Vec::new(), token, until: expires_at })
    }
}

/// Feed tokens come in the query, since browsers' event sources cannot send headers.
fn query_token(parts: &Parts) -> Option<String> {
    let query = parts.uri.query()?;
    query.split('&').find_map(|pair| pair.strip_prefix("token=")).map(str::to_owned)
}

/// Who presented a token that counts.
struct Known {
    principal: Principal,
    token: String,
    expires_at: Option<Timestamp>,
}

async fn authenticate(parts: &Parts, api: &Arc<Api>) -> Result<Known, Refused> {
    let unauthorized = |detail: &str| Refused::new(ProblemType::Unauthorized, detail);
    let header = parts.headers.get(AUTHORIZATION).ok_or_else(|| {
        unauthorized("Send `Authorization: Bearer <token>`; make a token with `hooktide token create`.")
    })?;
    let invalid = || unauthorized("The token is not valid: unknown, expired or revoked.");
    let text = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).ok_or_else(invalid)?;
    let (id, secret) = token::parse(text.trim()).ok_or_else(invalid)?;
    let now = api.now();
    let token = api.token(id, now).await?.ok_or_else(invalid)?;
    if !token.admits(secret, now) || !api.counts(&token, now).await? {
        return Err(invalid());
    }
    let mut principal = token.principal.clone();
    if let Some(tenant) = parts.headers.get(TENANT) {
        principal.tenant = acting_for(&principal, tenant.to_str().unwrap_or_default())?;
    }
    Ok(Known { principal, token: id.to_owned(), expires_at: token.expires_at })
}

fn acting_for(principal: &Principal, tenant: &str) -> Result<Tenant, Refused> {
    let tenant = Tenant::parse(tenant).map_err(|error| Refused::invalid(TENANT, error.to_string()))?;
    if principal.operator || tenant == principal.tenant {
        return Ok(tenant);
    }
    Err(Refused::new(ProblemType::Forbidden, "Only the operator's key may act for another tenant."))
}
