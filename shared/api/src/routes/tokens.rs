//! `/v1/tokens`: API tokens.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_flows::connect::LONGEST_TEXT;
use hooktide_model::names::{ProblemType, Scope};
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::{Partition, Write};
use hooktide_store::records::endpoint::Owned;
use hooktide_store::records::grant::{DEEPEST, Grant};
use hooktide_store::records::token::{self, Principal, Token};
use hooktide_store::records::{self, Upkeep};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Admin, May};
use crate::answer::{Answer, Body, List, Refused, created, ok};
use crate::state::Api;

/// How many companies a token is for.
const MOST_COMPANIES: usize = 100;
/// More tokens than a tenant has.
const MOST: usize = 1_000;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// For which tenant; one's own by default.
    #[schema(value_type = Option<String>)]
    tenant: Option<String>,
    /// For which person.
    user: Option<String>,
    /// Which companies' figures it may see; all if none are given.
    #[serde(default)]
    companies: Vec<String>,
    /// What it may do; `read` by default.
    #[serde(default = "only_read")]
    scopes: Vec<Scope>,
    /// When it ends; never by default.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

fn only_read() -> Vec<Scope> {
    vec![Scope::Read]
}

/// A token; its text is shown only when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    tenant: String,
    user: Option<String>,
    companies: Vec<String>,
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// The id of the token that made it. It ends with that one, unless that is the operator's.
    by: Option<String>,
}

impl TokenView {
    fn of(id: &str, stored: Token, text: Option<String>) -> Self {
        Self {
            id: id.to_owned(),
            token: text,
            tenant: stored.principal.tenant.to_string(),
            user: stored.principal.user,
            companies: stored.principal.companies,
            scopes: stored.principal.scopes,
            created_at: stored.created_at,
            expires_at: stored.expires_at,
            revoked_at: stored.revoked_at,
            by: stored.by,
        }
    }
}

/// Makes a token; this answer is the only one that shows its text. It has at most what the token has that makes it, ends no
/// later, and counts only while that one does; the operator's key alone limits nothing.
#[utoipa::path(post, path = "/v1/tokens", operation_id = "create_token", request_body = NewToken, responses((status = 201, body = TokenView)))]
pub(crate) async fn create(may: May<Admin>, Body(new): Body<NewToken>) -> Answer<(StatusCode, Json<TokenView>)> {
    let tenant = match &new.tenant {
        None => may.tenant().clone(),
        Some(name) => Tenant::parse(name).map_err(|error| Refused::invalid("tenant", error.to_string()))?,
    };
    if tenant != *may.tenant() && !may.principal.operator {
        return Err(Refused::new(ProblemType::Forbidden, "Only the operator's key makes tokens for other tenants."));
    }
    if new.scopes.is_empty() {
        return Err(Refused::invalid("scopes", "give at least one of feed, read, operate, admin"));
    }
    if new.expires_at.is_some_and(|expires_at| expires_at <= may.api.now()) {
        return Err(Refused::invalid("expires_at", "it is in the past"));
    }
    check_texts(&new)?;
    let now = may.api.now();
    let companies: BTreeSet<String> = new.companies.into_iter().collect();
    let companies = companies.into_iter().collect();
    let principal = Principal { tenant, user: new.user, companies, scopes: new.scopes, operator: false };
    let maker = Grant { principal: may.principal.clone(), expires_at: may.expires_at };
    let grant = Grant { principal, expires_at: new.expires_at };
    let grant = grant.within(&maker).map_err(|field| {
        Refused::invalid(field, "a token that another one makes has at most what that one has; ask for less")
    })?;
    let bound = !may.principal.operator;
    if bound && !may_have_children(&may.api, &may.token, now).await? {
        let detail = format!("tokens make each other at most {DEEPEST} deep; use one that was made earlier");
        return Err(Refused::invalid("body", detail));
    }
    let (table, entropy) = (may.api.table(), &may.api.ports().entropy);
    let issued = token::issue_by(table, entropy, grant, Some((may.token, bound)), now).await?;
    let text = issued.text.expose_text().map(str::to_owned);
    Ok(created(TokenView::of(&issued.id, issued.token, text)))
}

/// Whether a token that this one makes would be looked at: each use looks at all that made each other.
async fn may_have_children(api: &Api, id: &str, now: Timestamp) -> Answer<bool> {
    let Some(token) = api.token(id, now).await? else { return Ok(false) };
    Ok(api.makers(&token, now).await?.is_some_and(|makers| makers.len() < DEEPEST))
}

fn check_texts(new: &NewToken) -> Answer<()> {
    let fits = |text: &String| (1..=LONGEST_TEXT).contains(&text.len());
    if new.user.as_ref().is_some_and(|user| !fits(user)) {
        return Err(Refused::invalid("user", format!("it has 1 to {LONGEST_TEXT} bytes")));
    }
    if new.companies.len() > MOST_COMPANIES || !new.companies.iter().all(fits) {
        let detail = format!("they are at most {MOST_COMPANIES}, each with 1 to {LONGEST_TEXT} bytes");
        return Err(Refused::invalid("companies", detail));
    }
    if new.scopes.len() > Scope::ALL.len() {
        return Err(Refused::invalid("scopes", "give each scope once"));
    }
    Ok(())
}

/// The tenant's tokens, without their texts.
#[utoipa::path(get, path = "/v1/tokens", operation_id = "list_tokens", responses((status = 200, body = List<TokenView>)))]
pub(crate) async fn list(may: May<Admin>) -> Answer<Json<List<TokenView>>> {
    let partition = Partition::of(may.tenant(), hooktide_store::key::Area::Tokens);
    let owned = records::list_all::<Owned>(may.api.table(), partition, "", MOST).await?;
    let keys: Vec<_> = owned.iter().map(|(id, _)| token::key(id)).collect();
    let mut items = Vec::new();
    for ((id, _), item) in owned.iter().zip(may.api.table().get_many(&keys).await?) {
        let Some(item) = item else { continue };
        let token = records::decode::<Token>(item)?.record;
        if may.minds(&token.principal) {
            items.push(TokenView::of(id, token, None));
        }
    }
    Ok(ok(List { items, next: None }))
}

/// Revokes a token, and with it the tokens, feed tokens and claims made with it: they count no longer, here at once and elsewhere within a
/// minute. Only the operator revokes the operator's key.
#[utoipa::path(delete, path = "/v1/tokens/{id}", operation_id = "revoke_token", responses((status = 204), (status = 404)))]
pub(crate) async fn revoke(may: May<Admin>, Path(id): Path<String>) -> Answer<StatusCode> {
    let key = token::key(&id);
    let stored = records::get::<Token>(may.api.table(), &key).await?;
    let stored = stored.filter(|stored| {
        let principal = &stored.record.principal;
        let is_ours = principal.tenant == *may.tenant() && may.minds(principal);
        is_ours && (may.principal.operator || !principal.operator)
    });
    let Some(stored) = stored else { return Err(Refused::not_found("token")) };
    let revoked = Token { revoked_at: Some(may.api.now()), ..stored.record };
    let write: Write = records::replace(&key, Some(stored.rev), &revoked, Upkeep::default())?;
    may.api.table().write(write).await.map_err(records::raced)?;
    may.api.forget_token(&id);
    Ok(StatusCode::NO_CONTENT)
}
