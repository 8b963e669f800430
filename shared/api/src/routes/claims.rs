//! `/v1/endpoints/{id}/claims` and `/release`: how the owner of a shared endpoint consents that an account is a tenant's.
//!
//! A claim is stateless: endpoint, account, tenant and end, signed. It ends with the token that made it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hooktide_flows::foreign::is_foreign;
use hooktide_flows::replay;
use hooktide_model::names::ProblemType;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::endpoint::Route;
use hooktide_store::records::replay::Filter;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::checks::{account_of, provider_of};
use super::dead_letters::{ReplayView, SCANNED};
use super::endpoints::{endpoint_of, shared_endpoint_of};
use super::routing::{self, Release};
use crate::access::{Admin, May};
use crate::answer::{Answer, Body, Refused};
use crate::signed::{self, Signed};
use crate::state::Api;

/// How long a claim lasts at the most: as long as deliveries are held.
const LONGEST: u64 = 30 * 24 * 3600;

/// What a claim is to permit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClaim {
    /// The provider's account, such as the shop's domain.
    account: String,
    /// Which tenant may connect it.
    #[schema(value_type = String)]
    tenant: Tenant,
    /// How long the claim lasts, in seconds; a day by default, 30 at the most.
    #[serde(default = "a_day")]
    expires_in: u64,
}

fn a_day() -> u64 {
    24 * 3600
}

/// A claim.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClaimView {
    /// Give it as `claim` to `POST /v1/connections`, or to the `PATCH` of one that changes its account.
    claim: String,
    /// The account, as the provider's deliveries name it.
    account: String,
    tenant: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// What to release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRelease {
    /// The account whose deliveries were held.
    account: String,
    /// Only if the account is connected by this tenant.
    #[schema(value_type = Option<String>)]
    tenant: Option<Tenant>,
}

/// The owner's consent that a tenant connects an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The id of the token that it was made with, and ends with.
    by: String,
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) tenant: Tenant,
    until: i64,
}

impl Signed for Claim {
    const PREFIX: &'static str = "hc_";
    const PURPOSE: &'static str = "account-claim";
}

/// Signs a claim: the tenant may connect this one account to the endpoint, and gets what was held for it.
#[utoipa::path(post, path = "/v1/endpoints/{id}/claims", operation_id = "claim_account", request_body = NewClaim,
    responses((status = 201, body = ClaimView), (status = 404), (status = 422)))]
pub(crate) async fn claim(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
    Body(new): Body<NewClaim>,
) -> Answer<(StatusCode, Json<ClaimView>)> {
    let endpoint = shared_endpoint_of(&api, may.tenant(), &id).await?.record;
    let account = named_account(&endpoint.provider, new.account)?;
    if !(1..=LONGEST).contains(&new.expires_in) {
        return Err(Refused::invalid("expires_in", format!("it is 1 to {LONGEST} seconds")));
    }
    let expires_at = api.now() + Duration::from_secs(new.expires_in);
    let expires_at = may.expires_at.map_or(expires_at, |ends_at| ends_at.min(expires_at));
    let tenant = new.tenant.to_string();
    let until = expires_at.as_second();
    let claim = Claim { by: may.token, endpoint: endpoint.id, account: account.clone(), tenant: new.tenant, until };
    let claim = signed::sign(&api, &claim).await?;
    Ok((StatusCode::CREATED, Json(ClaimView { claim, account, tenant, expires_at })))
}

/// Releases what was held for an account: before a tenant that needs no claim connected it, or, on a connection's own
/// endpoint, before the connection had the account or named it among its `sources`.
#[utoipa::path(post, path = "/v1/endpoints/{id}/release", operation_id = "release_account", request_body = NewRelease,
    responses((status = 202, body = ReplayView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn release(
    State(api): State<Arc<Api>>,
    may: May<Admin>,
    Path(id): Path<String>,
    Body(new): Body<NewRelease>,
) -> Answer<(StatusCode, Json<ReplayView>)> {
    let endpoint = endpoint_of(&api, may.tenant(), &id).await?.record;
    let account = named_account(&endpoint.provider, new.account)?;
    let route = match &endpoint.connection {
        None => routing::route_of(&api, &endpoint, &account).await?.map(|stored| stored.record),
        Some(_) if is_foreign(&endpoint, &account) => {
            let detail = "This account is not the connection's; what is held for it stays until the connection's account \
                          is changed to it, or its settings name it among the `sources`.";
            return Err(Refused::new(ProblemType::Conflict, detail));
        }
        Some(connection) => Some(Route { tenant: endpoint.tenant.clone(), connection: connection.clone() }),
    };
    let Some(route) = route.filter(|route| new.tenant.as_ref().is_none_or(|wanted| *wanted == route.tenant)) else {
        let detail = "Nobody whom you mean has connected this account; what is held for it stays until somebody does.";
        return Err(Refused::new(ProblemType::Conflict, detail));
    };
    let release = Release::new(&api, &endpoint, &account, &route.connection);
    let matched =
        replay::count(api.ports(), &endpoint.tenant, &release.replay.shelf, &Filter::default(), SCANNED).await?;
    replay::start(api.ports(), &endpoint.tenant, &release.id, &release.replay, api.now()).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplayView { replay: Some(release.id), matched })))
}

/// The claim that a text is, if it is genuine, has not ended, and is for this tenant.
pub(crate) async fn open(api: &Api, tenant: &Tenant, text: &str) -> Answer<Claim> {
    let detail = "it is not valid, has ended, or is for another tenant; ask the endpoint's owner for one";
    let invalid = || Refused::invalid("claim", detail);
    let claim: Claim = signed::open(api, text).await?.ok_or_else(invalid)?;
    let now = api.now();
    let counts = claim.until > now.as_second() && api.counts_by_id(&claim.by, now).await?;
    if counts && claim.tenant == *tenant { Ok(claim) } else { Err(invalid()) }
}

fn named_account(provider: &str, account: String) -> Answer<String> {
    let account = account_of(provider_of(provider)?, Some(account))?;
    account.ok_or_else(|| Refused::invalid("account", "give the provider's account"))
}
