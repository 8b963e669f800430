//! Claims: the consent of a shared endpoint's owner that a tenant connects an account to it.
//!
//! A claim is stateless: endpoint, account, tenant and end, signed. It ends with the token that made it.

use hooktide_flows::connect::Consent;
use hooktide_model::tenant::Tenant;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Refused};
use crate::signed::{self, Signed};
use crate::state::Api;

/// The content of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The id of the token that it was made with, and ends with.
    pub(crate) by: String,
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) tenant: Tenant,
    pub(crate) until: i64,
}

impl Signed for Claim {
    const PREFIX: &'static str = "hc_";
    const PURPOSE: &'static str = "account-claim";
}

/// Opens the claim that a request gives, if it gives one: it is genuine, has not ended, and is for this tenant.
pub(crate) async fn consent(api: &Api, tenant: &Tenant, text: Option<&str>) -> Answer<Option<Consent>> {
    let Some(text) = text else { return Ok(None) };
    let detail = "it is not valid, has ended, or is for another tenant; ask the endpoint's owner for one";
    let invalid = || Refused::invalid("claim", detail);
    let claim: Claim = signed::open(api, text).await?.ok_or_else(invalid)?;
    let now = api.now();
    let counts = claim.until > now.as_second() && api.counts_by_id(&claim.by, now).await?;
    if !counts || claim.tenant != *tenant {
        return Err(invalid());
    }
    Ok(Some(Consent { endpoint: claim.endpoint, account: claim.account }))
}
