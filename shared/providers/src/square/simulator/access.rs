//! Tokens: the seller's, which expires and is renewed, and the application's.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::answer::Refused;
use crate::simulator::oauth::Consents;
use crate::simulator::{drawn, outbox};
use crate::square::{ACCESS_TOKEN, APPLICATION_TOKEN, PROFILE};

/// The path under which access tokens are renewed.
pub(super) const TOKEN_PATH: &str = "/oauth2/token";
/// The path of the page on which a seller lets the app in.
pub(super) const CONSENT_PATH: &str = "/oauth2/authorize";
/// The paths whose scope the seller has to grant, each with that scope and what Square says without it.
const SCOPES: &[(&str, &str, &str)] = &[
    (
        "/v2/catalog/",
        "ITEMS_READ",
        "The merchant has not given your application sufficient permissions to do that. The merchant must authorize your \
         application for the following scopes: ITEMS_READ",
    ),
    (
        "/v2/inventory/",
        "INVENTORY_READ",
        "The merchant has not given your application sufficient permissions to do that. The merchant must authorize your \
         application for the following scopes: INVENTORY_READ",
    ),
];
/// How long an access token lives.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The tokens of an account.
pub(super) struct Access {
    seed: u64,
    /// The tokens that were renewed so far.
    renewed: u64,
    token: Option<String>,
    expired: Vec<String>,
    /// Whether the seller has removed the app.
    removed: bool,
    pub(super) consents: Consents,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        let token = Some(sample(ACCESS_TOKEN).to_owned());
        let scopes: Vec<&str> = SCOPES.iter().map(|(_, scope, _)| *scope).collect();
        let consents = Consents::new(seed, sample("client_id"), &scopes);
        Self { seed, renewed: 0, token, expired: Vec::new(), removed: false, consents }
    }

    /// Refuses a request without the token that its path needs.
    pub(super) fn check(&self, request: &Request<Bytes>) -> Result<(), Refused> {
        let refused = |code, detail| Err(Refused::new(401, "AUTHENTICATION_ERROR", code, detail));
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = header.and_then(|header| header.strip_prefix("Bearer "));
        let Some(given) = given else {
            return refused("UNAUTHORIZED", "This request could not be authorized.");
        };
        let of_application = request.uri().path().starts_with("/v2/webhooks/");
        let wanted = if of_application { Some(sample(APPLICATION_TOKEN)) } else { self.token.as_deref() };
        match wanted {
            Some(wanted) if wanted == given => self.check_scope(request.uri().path()),
            _ if self.expired.iter().any(|token| token == given) => {
                refused("ACCESS_TOKEN_EXPIRED", "The access token has expired.")
            }
            Some(_) | None => refused("UNAUTHORIZED", "This request could not be authorized."),
        }
    }

    fn check_scope(&self, path: &str) -> Result<(), Refused> {
        match SCOPES.iter().find(|(of, scope, _)| path.starts_with(of) && !self.consents.allow(scope)) {
            None => Ok(()),
            Some((_, _, detail)) => Err(Refused::new(403, "AUTHENTICATION_ERROR", "INSUFFICIENT_SCOPES", detail)),
        }
    }

    /// Ends the access token.
    pub(super) fn expire(&mut self) {
        self.expired.extend(self.token.take());
    }

    /// Removes the app: no token counts any more until the seller lets it in again.
    pub(super) fn remove(&mut self) {
        self.expire();
        self.removed = true;
    }

    /// Gives an access token for a consent, or for the token to renew it with, which stays the same.
    pub(super) fn give(&mut self, body: &Map<String, Value>, now: Timestamp) -> Result<Value, Refused> {
        let given = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let client = ["client_id", "client_secret"].iter().all(|name| given(name) == sample(name));
        if !client {
            return Err(Refused::new(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", "The client is unknown."));
        }
        match given("grant_type") {
            "authorization_code"
                if self.consents.exchange(given("code"), given("code_verifier"), given("redirect_uri"), now) =>
            {
                self.removed = false;
            }
            "refresh_token" if !self.removed && given("refresh_token") == sample("refresh_token") => {}
            _ => {
                return Err(Refused::new(401, "AUTHENTICATION_ERROR", "UNAUTHORIZED", "The grant is invalid."));
            }
        }
        self.expire();
        self.renewed += 1;
        let token = format!("EAAA{}", drawn::id(self.seed, &format!("token {}", self.renewed), 32));
        self.token = Some(token.clone());
        Ok(json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_at": now.checked_add(LIFE).unwrap_or(now).to_string(),
            "merchant_id": PROFILE.sample_account,
            "refresh_token": sample("refresh_token"),
            "short_lived": false,
        }))
    }
}

/// A credential or secret that the simulator takes.
fn sample(name: &str) -> &'static str {
    outbox::sample(&PROFILE, name)
}
