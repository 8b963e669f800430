//! Feed tokens: stateless, what they permit, signed with a key of their own that is derived from the root keys.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hooktide_flows::feed::ChangeView;
use hooktide_model::names::{Channel, ProblemType};
use hooktide_model::tenant::Tenant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::{Feed, May};
use crate::answer::Refused;
use crate::signed::{self, Signed};
use crate::state::Api;

/// The content of a feed token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Permit {
    /// The id of the token that it was made with, and ends with.
    pub(crate) by: String,
    pub(crate) tenant: Tenant,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<Channel>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    pub(crate) until: i64,
}

impl Signed for Permit {
    const PREFIX: &'static str = "hf_";
    const PURPOSE: &'static str = "feed-token";
}

/// A principal who may follow the feed, or the part of it that they may see.
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
            return open(api, &text).await;
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

/// Opens a feed token that is genuine and has not ended.
async fn open(api: &Api, text: &str) -> Result<FeedReader, Refused> {
    let invalid = || Refused::new(ProblemType::Unauthorized, "The feed token is not valid, or has ended.");
    let permit: Permit = signed::open(api, text).await?.ok_or_else(invalid)?;
    let now = api.now();
    if permit.until <= now.as_second() || !api.counts_by_id(&permit.by, now).await? {
        return Err(invalid());
    }
    let Permit { by, tenant, channels, tags, until } = permit;
    let until = Timestamp::from_second(until).map_err(|_| invalid())?;
    Ok(FeedReader { tenant, channels, tags, token: by, until: Some(until) })
}

impl FeedReader {
    /// Whether a feed token lets its holder see this change.
    pub(crate) fn wants(&self, view: &ChangeView) -> bool {
        let channel = self.channels.is_empty() || view.kind.channels().iter().any(|one| self.channels.contains(one));
        let tag = self.tags.is_empty() || view.tags.iter().any(|one| self.tags.contains(one));
        channel && tag
    }

    /// Whether one of the channels that it lets its holder see carries the document.
    pub(crate) fn sees_document_of(&self, view: &ChangeView) -> bool {
        let mut channels = view.kind.channels().iter().filter(|one| !one.is_invalidation());
        self.channels.is_empty() || channels.any(|one| self.channels.contains(one))
    }
}
