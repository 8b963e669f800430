//! Tokens: an access token expires after an hour, and the token that renews it stays until somebody takes it back.

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::query::is_among;
use super::refused::Refused;
use crate::google_calendar::{ACCESS_TOKEN, PROFILE};
use crate::simulator::oauth::Consents;
use crate::simulator::query::Form;
use crate::simulator::tokens::{AccessTokens, Giver, Shown};
use crate::simulator::{drawn, json, outbox};

/// The scopes that the app asks for.
const ASKED: &[&str] = &[
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.events",
];
/// The scopes of which the list of calendars needs one.
const OF_LIST: &str = "https://www.googleapis.com/auth/calendar https://www.googleapis.com/auth/calendar.readonly \
    https://www.googleapis.com/auth/calendar.calendarlist https://www.googleapis.com/auth/calendar.calendarlist.readonly";
/// The scopes of which reading events needs one.
const OF_READING: &str = "https://www.googleapis.com/auth/calendar https://www.googleapis.com/auth/calendar.readonly \
    https://www.googleapis.com/auth/calendar.events https://www.googleapis.com/auth/calendar.events.readonly";
/// The scopes of which writing events needs one.
const OF_WRITING: &str = "https://www.googleapis.com/auth/calendar https://www.googleapis.com/auth/calendar.events";
/// How long an access token lives.
const LIFE: SignedDuration = SignedDuration::from_secs(3599);

/// The tokens of an account.
pub(super) struct Access {
    seed: u64,
    renewed: u64,
    tokens: AccessTokens,
    is_granted: bool,
    pub(super) consents: Consents,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        let consents = Consents::new(seed, sample("client_id"), ASKED);
        Self { seed, renewed: 0, tokens: AccessTokens::of(sample(ACCESS_TOKEN)), is_granted: true, consents }
    }

    /// Refuses a request without an access token that lives.
    pub(super) fn check(&self, request: &Request<Bytes>, now: Timestamp) -> Result<(), Refused> {
        let refused = |reason, message| Err(Refused::new(401, reason, message).in_header("Authorization"));
        match self.tokens.shown_by(request, now) {
            Shown::Living => Ok(()),
            Shown::Nothing => refused("required", "Login Required."),
            Shown::Ended => refused("authError", "Invalid Credentials"),
        }
    }

    /// Refuses a request to a path for which no scope was granted.
    pub(super) fn check_scope(&self, method: &Method, parts: &[&str]) -> Result<(), Refused> {
        let scopes = match (method, parts) {
            (_, ["users", ..]) => OF_LIST,
            (_, ["channels", ..]) => return Ok(()),
            (&Method::GET, _) | (_, [.., "watch"]) => OF_READING,
            _ => OF_WRITING,
        };
        let granted = self.consents.granted(" ");
        match granted.split(' ').any(|granted| is_among(scopes, granted)) {
            true => Ok(()),
            false => Err(Refused::scopes(scopes)),
        }
    }

    /// Ends all access tokens.
    pub(super) fn expire(&mut self) {
        self.tokens.end();
    }

    /// Takes the consent back: nothing can be renewed any more.
    pub(super) fn revoke(&mut self) {
        self.expire();
        self.is_granted = false;
    }
}

impl Giver for Access {
    const TOKEN_PATH: &'static str = "/token";
    const CONSENT_PATH: &'static str = "/o/oauth2/v2/auth";

    fn consents(&mut self) -> &mut Consents {
        &mut self.consents
    }

    /// Gives an access token for a consent, or for the token to renew it with. Only the answer to a consent has such a token,
    /// since that stays the same.
    fn give(&mut self, form: &Form, now: Timestamp) -> Response<Bytes> {
        let refused = |status, error: &str, description: &str| {
            json::answer(status, &json!({ "error": error, "error_description": description }))
        };
        if !["client_id", "client_secret"].iter().all(|name| form.value(name) == sample(name)) {
            return refused(401, "invalid_client", "The OAuth client was not found.");
        }
        let consented = match form.value("grant_type") {
            "authorization_code" => {
                self.consents.exchange(form.value("code"), form.value("code_verifier"), form.value("redirect_uri"), now)
            }
            "refresh_token" => false,
            _ => return refused(400, "unsupported_grant_type", "Invalid grant_type."),
        };
        self.is_granted |= consented;
        if !consented && (!self.is_granted || form.value("refresh_token") != sample("refresh_token")) {
            return refused(400, "invalid_grant", "Token has been expired or revoked.");
        }
        self.renewed += 1;
        let token = format!("ya29.{}", drawn::id(self.seed, &format!("token {}", self.renewed), 64));
        self.tokens.add(&token, now.checked_add(LIFE).unwrap_or(now));
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
