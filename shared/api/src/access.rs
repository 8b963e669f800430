//! Who asks, by API token. A handler cannot be reached without saying which scope it needs.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hooktide_flows::connect::Context;
use hooktide_flows::read::Reader;
use hooktide_model::names::{ProblemType, Scope};
use hooktide_model::tenant::Tenant;
use hooktide_store::records::token::{self, Principal};
use jiff::Timestamp;

use crate::answer::Refused;
use crate::limits;
use crate::state::Api;

/// The header by which an operator says for which tenant they act.
pub(crate) const TENANT: &str = "hooktide-tenant";

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

/// The request of a principal who may do what the scope says, and the API that it asks.
pub(crate) struct May<S: Needs> {
    pub(crate) api: Arc<Api>,
    pub(crate) principal: Principal,
    /// The id of their token.
    pub(crate) token: String,
    /// When their token ends.
    pub(crate) expires_at: Option<Timestamp>,
    scope: PhantomData<S>,
}

impl<S: Needs> May<S> {
    /// What the server asks of itself, for those who may see all of a tenant.
    pub(crate) fn itself(api: &Arc<Api>, tenant: Tenant) -> Self {
        let principal = Principal::operator(tenant);
        Self { api: Arc::clone(api), principal, token: String::new(), expires_at: None, scope: PhantomData }
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.principal.tenant
    }

    /// Whom lists and figures are read for.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { context: self.context(), companies: &self.principal.companies }
    }

    /// The context of their request.
    pub(crate) fn context(&self) -> Context<'_> {
        self.api.context(self.tenant())
    }
}

impl<S: Needs> FromRequestParts<Arc<Api>> for May<S> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Refused> {
        let Known { principal, token, expires_at } = authenticate(parts, api).await?;
        if !principal.may(S::SCOPE) {
            let (tenant, scope) = (&principal.tenant, S::SCOPE);
            let detail = format!(
                "The token lacks the scope {scope}; make one that has it with `hooktide token create --tenant {tenant} \
                 --scope {scope}`."
            );
            return Err(Refused::new(ProblemType::Forbidden, detail));
        }
        if let Some(detail) = limits::refused(&principal, parts.uri.path()) {
            return Err(Refused::new(ProblemType::Forbidden, detail));
        }
        Ok(Self { api: Arc::clone(api), principal, token, expires_at, scope: PhantomData })
    }
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
        unauthorized("Send `Authorization: Bearer <token>`; make a token with `hooktide token create --tenant NAME`.")
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
