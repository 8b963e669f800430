//! Tokens: they expire after an hour, and are renewed in pairs.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::shopify::{ACCESS_TOKEN, PROFILE, SECRET, TOKEN_HEADER};
use crate::simulator::oauth::Consents;
use crate::simulator::{drawn, outbox};

/// The scope that reads products, and that of stock.
const OF_PRODUCTS: &str = "read_products";
/// See [`OF_PRODUCTS`].
const OF_STOCK: &str = "read_inventory";
/// How long an access token lives.
const LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How long a refresh token lives.
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The tokens of an app in a shop.
pub(super) struct Access {
    seed: u64,
    renewed: u64,
    token: Option<String>,
    expires_at: Option<Timestamp>,
    /// The refresh token that was given last.
    refresh: String,
    /// The one before, which can be used until the last one is.
    former: Option<String>,
    pub(super) consents: Consents,
}

impl Access {
    pub(super) fn new(seed: u64) -> Self {
        let (token, refresh) = (sample(ACCESS_TOKEN).to_owned(), sample("refresh_token").to_owned());
        let consents = Consents::new(seed, sample("client_id"), &[OF_PRODUCTS, OF_STOCK, "read_locations"]);
        let consents = consents.signed(sample(SECRET));
        Self { seed, renewed: 0, token: Some(token), expires_at: None, refresh, former: None, consents }
    }

    /// Whether the request has a token that counts.
    pub(super) fn allows(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let given = headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok());
        let lives = self.expires_at.is_none_or(|expires_at| now < expires_at);
        lives && given.is_some() && given == self.token.as_deref()
    }

    /// What an operation is answered whose scope was not granted; `None` if it was.
    pub(super) fn denied(&self, operation: &str) -> Option<Value> {
        let scope = match operation {
            "HooktideStock" | "HooktideLevels" | "HooktideLevel" => OF_STOCK,
            "HooktideChanges" | "HooktideProducts" | "HooktideProduct" | "HooktideErased" => OF_PRODUCTS,
            _ => return None,
        };
        let required = format!("`{scope}` access scope.");
        let extensions = json!({
            "code": "ACCESS_DENIED",
            "documentation": "https://shopify.dev/api/usage/access-scopes",
            "requiredAccess": required,
        });
        let message = format!("Access denied for {operation}. Required access: {required}");
        let denied = json!({ "data": null, "errors": [{ "message": message, "extensions": extensions }] });
        (!self.consents.allow(scope)).then_some(denied)
    }

    /// Ends the access token.
    pub(super) fn expire(&mut self) {
        self.token = None;
    }

    /// Ends everything: the app was removed.
    pub(super) fn remove(&mut self) {
        (self.token, self.former) = (None, None);
        self.refresh.clear();
    }

    /// A new pair of tokens for a consent or a refresh token; `None` if that does not count.
    pub(super) fn give(&mut self, body: &Value, now: Timestamp) -> Option<Value> {
        let given = |name: &str| body[name].as_str().unwrap_or_default();
        let client = given("client_id") == sample("client_id") && given("client_secret") == sample(SECRET);
        let refresh = given("refresh_token");
        let (is_last, is_former) = (refresh == self.refresh, self.former.as_deref() == Some(refresh));
        let counts = match given("grant_type") {
            "authorization_code" => {
                self.consents.exchange(given("code"), given("code_verifier"), given("redirect_uri"), now)
            }
            "refresh_token" => !refresh.is_empty() && (is_last || is_former),
            _ => false,
        };
        if !client || !counts {
            return None;
        }
        self.renewed += 1;
        let drawn = |purpose: &str| drawn::id(self.seed, &format!("{purpose} {}", self.renewed), 32).to_lowercase();
        let (token, next) = (format!("shpat_{}", drawn("access")), format!("shprt_{}", drawn("refresh")));
        if is_last {
            self.former = Some(std::mem::take(&mut self.refresh));
        }
        (self.token, self.refresh) = (Some(token.clone()), next.clone());
        self.expires_at = now.checked_add(LIFE).ok();
        Some(json!({
            "access_token": token,
            "expires_in": LIFE.as_secs(),
            "refresh_token": next,
            "refresh_token_expires_in": REFRESH_LIFE.as_secs(),
            "scope": self.consents.granted(","),
        }))
    }
}

/// A credential or secret that the simulator takes.
fn sample(name: &str) -> &'static str {
    outbox::sample(&PROFILE, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_counts_until_its_successor_is_used() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let mut access = Access::new(7);
        let mut renew = |refresh: &str| {
            let body = json!({
                "client_id": sample("client_id"),
                "client_secret": sample(SECRET),
                "grant_type": "refresh_token",
                "refresh_token": refresh,
            });
            access.give(&body, now).map(|pair| pair["refresh_token"].as_str().unwrap().to_owned())
        };
        let first = sample("refresh_token");
        let lost = renew(first).unwrap();
        let second = renew(first).expect("its answer was lost, so the first one counts once more");
        assert_ne!(lost, second);
        assert_eq!(renew(&lost), None, "another took its place");
        let third = renew(&second).unwrap();
        assert_eq!(renew(first), None, "its successor was used");
        assert!(renew(&third).is_some());
    }
}
