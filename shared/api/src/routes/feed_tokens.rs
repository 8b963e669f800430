//! `/v1/feed-tokens`: short-lived, read-only tokens for browsers, which cannot send headers with an event source.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use hooktide_model::names::Channel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Feed, May};
use crate::answer::{Answer, Body, Refused, created};
use crate::feed_token::Permit;
use crate::signed;

/// How many tags a feed token is for.
const MOST_TAGS: usize = 100;
/// How long a feed token lasts at the most.
const LONGEST: u64 = 24 * 3600;

/// What a feed token is to permit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFeedToken {
    /// Only these channels; all if none are given.
    #[serde(default)]
    channels: Vec<Channel>,
    /// Only changes with one of these tags; all if none are given.
    #[serde(default)]
    tags: Vec<String>,
    /// How long it lasts, in seconds; an hour by default, a day at the most.
    #[serde(default = "an_hour")]
    expires_in: u64,
}

fn an_hour() -> u64 {
    3600
}

/// A feed token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedToken {
    /// Give it as `?token=` to `/v1/events` and `/v1/changes`.
    token: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Makes a feed token.
#[utoipa::path(post, path = "/v1/feed-tokens", operation_id = "create_feed_token", request_body = NewFeedToken, responses((status = 201, body = FeedToken)))]
pub(crate) async fn create(may: May<Feed>, Body(new): Body<NewFeedToken>) -> Answer<(StatusCode, Json<FeedToken>)> {
    if !(1..=LONGEST).contains(&new.expires_in) {
        return Err(Refused::invalid("expires_in", format!("it is 1 to {LONGEST} seconds")));
    }
    if new.tags.len() > MOST_TAGS || new.tags.iter().map(String::len).sum::<usize>() > 2_000 {
        return Err(Refused::invalid("tags", format!("they are at most {MOST_TAGS}, with 2000 bytes together")));
    }
    if new.channels.len() > Channel::ALL.len() {
        return Err(Refused::invalid("channels", "give each channel once"));
    }
    let expires_at = may.api.now() + Duration::from_secs(new.expires_in);
    let expires_at = may.expires_at.map_or(expires_at, |ends_at| ends_at.min(expires_at));
    let (tenant, until) = (may.tenant().clone(), expires_at.as_second());
    let permit = Permit { by: may.token, tenant, channels: new.channels, tags: new.tags, until };
    let token = signed::sign(&may.api, &permit).await?;
    Ok(created(FeedToken { token, expires_at }))
}
