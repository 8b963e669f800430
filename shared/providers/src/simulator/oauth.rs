//! Consents at a simulated provider: whoever opens the page consents, and comes back with a code that counts once. They grant
//! what is asked for, except what they withhold.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Edit, drawn, json, outbox};
use crate::protocols::oauth2::{SIGNATURE, signed_text};
use crate::protocols::percent::encoded;
use crate::protocols::query::{Parameter, parameter};
use hooktide_model::signing;

/// How long a code counts.
const LIFE: SignedDuration = SignedDuration::from_mins(5);
/// How many codes wait at the most.
const MOST: usize = 100;

/// The codes that were given, and not exchanged yet.
#[derive(Debug)]
pub(crate) struct Consents {
    seed: u64,
    client: &'static str,
    /// The secret that signs what owners bring back, where the provider does that.
    signs_with: Option<&'static str>,
    given: u64,
    waiting: BTreeMap<String, Waiting>,
    /// The scopes that were asked for with the consent that counts.
    asked: Vec<String>,
    /// Those that its owner does not grant, or took back.
    withheld: BTreeSet<String>,
}

#[derive(Debug)]
struct Waiting {
    back: String,
    challenge: String,
    scopes: Vec<String>,
    until: Timestamp,
}

impl Consents {
    /// The consents to this app, which has these scopes already.
    pub(crate) fn new(seed: u64, client: &'static str, scopes: &[&str]) -> Self {
        let asked = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        Self { seed, client, signs_with: None, given: 0, waiting: BTreeMap::new(), asked, withheld: BTreeSet::new() }
    }

    /// The same, and what owners bring back is signed with this secret of the app.
    pub(crate) fn signed(self, secret: &'static str) -> Self {
        Self { signs_with: Some(secret), ..self }
    }

    /// Whether what needs this scope is allowed.
    pub(crate) fn allow(&self, scope: &str) -> bool {
        !self.withheld.contains(scope)
    }

    /// The scopes that are granted.
    pub(crate) fn granted(&self, separator: &str) -> String {
        let granted: Vec<&str> = self.asked.iter().map(String::as_str).filter(|scope| self.allow(scope)).collect();
        granted.join(separator)
    }

    /// Withholds a scope, or grants it again, as an edit of it says.
    pub(crate) fn edit(&mut self, edit: &Edit) -> Result<String, String> {
        let scope = edit.id.clone().ok_or_else(|| "a scope is named by its id".to_owned())?;
        match edit.fields {
            None => self.withheld.insert(scope.clone()),
            Some(_) => self.withheld.remove(&scope),
        };
        Ok(scope)
    }

    /// The answer of the page: its owner consents, and is sent back.
    pub(crate) fn page(&mut self, uri: &Uri, now: Timestamp) -> Response<Bytes> {
        let text = |name: &str| match parameter(uri, name) {
            Parameter::One(text) => text,
            Parameter::None | Parameter::Odd => String::new(),
        };
        let (back, state, challenge) = (text("redirect_uri"), text("state"), text("code_challenge"));
        let fits = text("client_id") == self.client
            && text("response_type") == "code"
            && !text("scope").is_empty()
            && outbox::is_address(&back)
            && (challenge.is_empty() || text("code_challenge_method") == "S256");
        if !fits || self.waiting.len() >= MOST {
            return json::answer(400, &json!({ "error": "invalid_request" }));
        }
        self.given += 1;
        let code = drawn::id(self.seed, &format!("code {}", self.given), 32);
        let place = format!("{back}?{}", self.brought(&code, &state, now));
        let scopes = text("scope").split([' ', ',']).map(str::to_owned).collect();
        let until = now.saturating_add(LIFE).unwrap_or(now);
        self.waiting.insert(code, Waiting { back, challenge, scopes, until });
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::FOUND;
        if let Ok(place) = HeaderValue::from_str(&place) {
            answer.headers_mut().insert(LOCATION, place);
        }
        answer
    }

    /// What the owner brings back.
    fn brought(&self, code: &str, state: &str, now: Timestamp) -> String {
        let mut pairs = vec![("code", code.to_owned()), ("state", state.to_owned())];
        if let Some(secret) = self.signs_with {
            pairs.push(("timestamp", now.as_second().to_string()));
            let signed = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let signature = signing::hmac_sha256(secret.as_bytes(), &[signed_text(signed).as_bytes()]);
            pairs.push((SIGNATURE, HEXLOWER.encode(&signature)));
        }
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        pairs.join("&")
    }

    /// Whether a code counts, with the verifier of its challenge and the address that it was sent to. It counts once.
    pub(crate) fn exchange(&mut self, code: &str, verifier: &str, back: &str, now: Timestamp) -> bool {
        let Some(waiting) = self.waiting.remove(code) else { return false };
        let challenge = BASE64URL_NOPAD.encode(&signing::sha256(&[verifier.as_bytes()]));
        let is_known = waiting.challenge.is_empty() || waiting.challenge == challenge;
        let counts = now < waiting.until && waiting.back == back && is_known;
        if counts {
            self.asked = waiting.scopes;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn a_code_counts_once_for_whoever_began_and_comes_from_the_right_address() {
        let (now, back) = (Timestamp::UNIX_EPOCH, "http://127.0.0.1:1/back");
        for (verifier, to, later, expected) in [
            (VERIFIER, back, 0, true),
            ("another", back, 0, false),
            (VERIFIER, "http://127.0.0.1:1/elsewhere", 0, false),
            (VERIFIER, back, 300, false),
        ] {
            let mut consents = Consents::new(1, "app", &["few"]);
            let query = format!(
                "client_id=app&response_type=code&scope=a%20b&redirect_uri={}&state=a%2Eb&code_challenge={CHALLENGE}\
                 &code_challenge_method=S256",
                encoded(back)
            );
            let answer = consents.page(&format!("/authorize?{query}").parse().unwrap(), now);
            let place = answer.headers()[LOCATION].to_str().unwrap().to_owned();
            let code = place.strip_prefix("http://127.0.0.1:1/back?code=").unwrap().strip_suffix("&state=a.b").unwrap();
            let at = now + SignedDuration::from_secs(later);
            assert_eq!(consents.exchange(code, verifier, to, at), expected);
            assert_eq!(consents.granted(","), if expected { "a,b" } else { "few" });
            assert!(!consents.exchange(code, VERIFIER, back, now), "it was used");
            let edit = |fields| Edit { what: "scope".to_owned(), id: Some("b".to_owned()), fields };
            consents.edit(&edit(None)).unwrap();
            assert_eq!((consents.allow("b"), consents.granted(" ").contains('b')), (false, false));
            consents.edit(&edit(Some(serde_json::Map::new()))).unwrap();
            assert!(consents.allow("b"));
            let strange = query.replace("client_id=app", "client_id=other");
            assert_eq!(consents.page(&format!("/authorize?{strange}").parse().unwrap(), now).status(), 400);
        }
    }
}
