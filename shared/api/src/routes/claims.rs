//! `/v1/endpoints/{id}/claims` and `/release`: how the owner of a shared endpoint consents that an account is a tenant's.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hooktide_flows::connect;
use hooktide_model::tenant::Tenant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dead_letters::replay::ReplayView;
use crate::access::{Admin, May};
use crate::answer::{Answer, Body, Refused, accepted, created};
use crate::claim::Claim;
use crate::signed;

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

/// Signs a claim: the tenant may connect this one account to the endpoint, and gets what was held for it.
#[utoipa::path(post, path = "/v1/endpoints/{id}/claims", operation_id = "claim_account", request_body = NewClaim,
    responses((status = 201, body = ClaimView), (status = 404), (status = 422)))]
pub(crate) async fn claim(
    may: May<Admin>,
    Path(id): Path<String>,
    Body(new): Body<NewClaim>,
) -> Answer<(StatusCode, Json<ClaimView>)> {
    let endpoint = connect::shared_endpoint_of(may.context(), &id).await?.record;
    let account = connect::account_of(connect::provider_of(&endpoint.provider)?, &new.account)?;
    if !(1..=LONGEST).contains(&new.expires_in) {
        return Err(Refused::invalid("expires_in", format!("it is 1 to {LONGEST} seconds")));
    }
    let expires_at = may.api.now() + Duration::from_secs(new.expires_in);
    let expires_at = may.expires_at.map_or(expires_at, |ends_at| ends_at.min(expires_at));
    let tenant = new.tenant.to_string();
    let until = expires_at.as_second();
    let claim = Claim { by: may.token, endpoint: endpoint.id, account: account.clone(), tenant: new.tenant, until };
    let claim = signed::sign(&may.api, &claim).await?;
    Ok(created(ClaimView { claim, account, tenant, expires_at }))
}

/// Releases what was held for an account: before a tenant that needs no claim connected it, or, on a connection's own
/// endpoint, before the connection had the account or named it among its `sources`.
#[utoipa::path(post, path = "/v1/endpoints/{id}/release", operation_id = "release_account", request_body = NewRelease,
    responses((status = 202, body = ReplayView), (status = 404), (status = 409), (status = 422)))]
pub(crate) async fn release(
    may: May<Admin>,
    Path(id): Path<String>,
    Body(new): Body<NewRelease>,
) -> Answer<(StatusCode, Json<ReplayView>)> {
    let context = may.context();
    let released = connect::release(context, &id, &new.account, new.tenant.as_ref()).await?;
    Ok(accepted(ReplayView { replay: Some(released.replay), matched: released.matched }))
}
