//! Tokens: an access token expires after an hour, and the token that renews it stays until somebody takes it back.

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::refused::Refused;
use crate::google_calendar::{ACCESS_TOKEN, PROFILE};
use crate::simulator::oauth::Consents;
use crate::simulator::{drawn, json, outbox, query};

/// The path under which access tokens are renewed.
pub(super) const TOKEN_PATH: &str = "/token";
/// The path of the page on which an owner lets the app in.
pub(super) const CONSENT_PATH: &str = "/o/oauth2/v2/auth";
/// The scope that the list of calendars needs.
const OF_LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
/// The scope that events need.
const OF_EVENTS: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
/// How long an access token lives.
const LIFE: SignedDuration = SignedDuration::from_secs(3599);
/// How many access tokens live at the most; the oldest ends without a word.
const MOST: usize = 50;

/// The tokens of an account.
pub(super) struct Access {
    seed: u64,
    renewed: u64,
    /// Each with the time at which it ends. Renewing ends none.
    tokens: Vec<(String, Timestamp)>,
    is_granted: bool,
    pub(super) consents: Consents,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        let first = (sample(ACCESS_TOKEN).to_owned(), Timestamp::MAX);
        let consents = Consents::new(seed, sample("client_id"), &[OF_LIST, OF_EVENTS]);
        Self { seed, renewed: 0, tokens: vec![first], is_granted: true, consents }
    }

    /// Refuses a request without an access token that lives.
    pub(super) fn check(&self, request: &Request<Bytes>, now: Timestamp) -> Result<(), Refused> {
        let refused = |reason, message| Err(Refused::new(401, reason, message).in_header("Authorization"));
        let Some(header) = request.headers().get(AUTHORIZATION) else { return refused("required", "Login Required.") };
        let given = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer "));
        match self.tokens.iter().any(|(token, ends_at)| given == Some(token) && now < *ends_at) {
            true => Ok(()),
            false => refused("authError", "Invalid Credentials"),
        }
    }

    /// Refuses a request to a path whose scope was not granted.
    pub(super) fn check_scope(&self, parts: &[&str]) -> Result<(), Refused> {
        let scope = match parts {
            ["users", ..] => OF_LIST,
            ["channels", ..] => return Ok(()),
            _ => OF_EVENTS,
        };
        match self.consents.allow(scope) {
            true => Ok(()),
            false => Err(Refused::scope(scope)),
        }
    }

    /// Ends all access tokens.
    pub(super) fn expire(&mut self) {
        self.tokens.clear();
    }

    /// Takes the consent back: nothing can be renewed any more.
    pub(super) fn revoke(&mut self) {
        self.expire();
        self.is_granted = false;
    }

    /// Gives an access token for a consent, or for the token to renew it with. Only the answer to a consent has such a token,
    /// since that stays the same.
    pub(super) fn give(&mut self, body: &Bytes, now: Timestamp) -> Response<Bytes> {
        let pairs = query::pairs(std::str::from_utf8(body).unwrap_or_default());
        let given = |name: &str| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
        let refused = |status, error: &str, description: &str| {
            json::answer(status, &json!({ "error": error, "error_description": description }))
        };
        if !["client_id", "client_secret"].iter().all(|name| given(name) == sample(name)) {
            return refused(401, "invalid_client", "The OAuth client was not found.");
        }
        let consented = match given("grant_type") {
            "authorization_code" => {
                self.consents.exchange(given("code"), given("code_verifier"), given("redirect_uri"), now)
            }
            "refresh_token" => false,
            _ => return refused(400, "unsupported_grant_type", "Invalid grant_type."),
        };
        self.is_granted |= consented;
        if !consented && (!self.is_granted || given("refresh_token") != sample("refresh_token")) {
            return refused(400, "invalid_grant", "Token has been expired or revoked.");
        }
        self.renewed += 1;
        let token = format!("ya29.{}", drawn::id(self.seed, &format!("token {}", self.renewed), 64));
        self.tokens.push((token.clone(), now.checked_add(LIFE).unwrap_or(now)));
        self.tokens.drain(..self.tokens.len().saturating_sub(MOST));
        let scope = self.consents.granted(" ");
        let mut body =
            json!({ "access_token": token, "expires_in": LIFE.as_secs(), "scope": scope, "token_type": "Bearer" });
        if consented {
            body["refresh_token"] = json!(sample("refresh_token"));
        }
        json::answer(200, &body)
    }
}

/// A credential that the simulator takes.
fn sample(name: &str) -> &'static str {
    outbox::sample(&PROFILE, name)
}
