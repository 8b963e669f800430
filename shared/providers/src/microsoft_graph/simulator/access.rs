//! Tokens: an access token expires after an hour or so; each use of a token to renew it gives a new one, and the old one stays
//! good.

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::refused::Refused;
use crate::microsoft_graph::{ACCESS_TOKEN, PROFILE};
use crate::simulator::oauth::Consents;
use crate::simulator::query::Form;
use crate::simulator::tokens::{AccessTokens, Giver, MOST, Shown};
use crate::simulator::{drawn, json, outbox};

/// The scope that calendars need.
const OF_CALENDARS: &str = "Calendars.ReadWrite";
/// The scope without which nothing can be renewed. No answer names it.
const OFFLINE: &str = "offline_access";
/// The shortest life of an access token, and how much longer one may be, in seconds.
const LIFE: (i64, u64) = (3_600, 1_800);

/// The tokens of an account.
pub(super) struct Access {
    seed: u64,
    renewed: u64,
    tokens: AccessTokens,
    renewing: Vec<String>,
    pub(super) consents: Consents,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        let tokens = AccessTokens::of(sample(ACCESS_TOKEN));
        let consents = Consents::new(seed, sample("client_id"), &[OFFLINE, OF_CALENDARS]);
        Self { seed, renewed: 0, tokens, renewing: vec![sample("refresh_token").to_owned()], consents }
    }

    /// Refuses a request without an access token that lives, or without the scope that calendars need.
    pub(super) fn check(&self, request: &Request<Bytes>, now: Timestamp) -> Result<(), Refused> {
        let refused = |message| Err(Refused::new(401, "InvalidAuthenticationToken", message));
        match self.tokens.shown_by(request, now) {
            Shown::Living if self.consents.allow(OF_CALENDARS) => Ok(()),
            Shown::Living => Err(Refused::denied()),
            Shown::Nothing => refused("Access token is empty."),
            Shown::Ended => refused("Lifetime validation failed, the token is expired."),
        }
    }

    /// Ends all access tokens.
    pub(super) fn expire(&mut self) {
        self.tokens.end();
    }

    /// Takes the consent back: nothing can be renewed any more.
    pub(super) fn revoke(&mut self) {
        self.expire();
        self.renewing.clear();
    }
}

impl Giver for Access {
    const TOKEN_PATH: &'static str = "/common/oauth2/v2.0/token";
    const CONSENT_PATH: &'static str = "/common/oauth2/v2.0/authorize";

    fn consents(&mut self) -> &mut Consents {
        &mut self.consents
    }

    /// Gives an access token for a consent, or for a token to renew it with, and a new one of these.
    fn give(&mut self, form: &Form, now: Timestamp) -> Response<Bytes> {
        let refused = |status, error: &str, code: u32, description: &str| {
            let description = format!("AADSTS{code}: {description}");
            json::answer(status, &json!({ "error": error, "error_description": description, "error_codes": [code] }))
        };
        if form.value("client_id") != sample("client_id") {
            return refused(400, "unauthorized_client", 700_016, "The application was not found in the directory.");
        }
        if form.value("client_secret") != sample("client_secret") {
            return refused(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
        }
        let is_granted = match form.value("grant_type") {
            "authorization_code" => {
                self.consents.exchange(form.value("code"), form.value("code_verifier"), form.value("redirect_uri"), now)
            }
            "refresh_token" => self.renewing.iter().any(|token| token == form.value("refresh_token")),
            _ => return refused(400, "unsupported_grant_type", 70_003, "The grant type is not supported."),
        };
        if !is_granted {
            return refused(400, "invalid_grant", 50_173, "The provided grant has expired due to it being revoked.");
        }
        self.renewed += 1;
        let drawn = |purpose: &str| drawn::id(self.seed, &format!("{purpose} {}", self.renewed), 96);
        let (token, renewing) = (format!("eyJ0.{}.sig", drawn("token")), format!("1.{}", drawn("refresh")));
        let life = LIFE.0 + i64::try_from(drawn::number(self.seed, &token, LIFE.1)).unwrap_or_default();
        self.tokens.add(&token, now.saturating_add(SignedDuration::from_secs(life)).unwrap_or(now));
        let granted = self.consents.granted(" ");
        let is_offline = granted.split(' ').any(|scope| scope == OFFLINE);
        let scope: Vec<&str> = granted.split(' ').filter(|scope| *scope != OFFLINE).collect();
        let mut body = json!({
            "token_type": "Bearer",
            "scope": scope.join(" "),
            "expires_in": life,
            "ext_expires_in": life,
            "access_token": token,
        });
        if is_offline {
            body["refresh_token"] = renewing.as_str().into();
            self.renewing.push(renewing);
            self.renewing.drain(..self.renewing.len().saturating_sub(MOST));
        }
        json::answer(200, &body)
    }
}

/// A credential that the simulator takes.
fn sample(name: &str) -> &'static str {
    outbox::sample(&PROFILE, name)
}
