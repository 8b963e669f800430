//! Who asks: Basic, or the key in the query, where the way is encrypted; a signature else. What does not count there is passed
//! over in silence, and the call is a stranger's.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::Problem;
use crate::protocols::percent::encoded;
use crate::simulator::query;
use crate::woocommerce::{CONSUMER_KEY, CONSUMER_SECRET, PROFILE};
use hooktide_model::signing;

/// How far the time of a signature may be from now, in seconds.
const WINDOW: i64 = 15 * 60;
/// The parameters of a signature.
const OAUTH: [&str; 5] =
    ["oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"];

/// The keys of a store's API.
pub(super) struct Keys {
    seed: u64,
    /// How often all keys were replaced.
    replaced: u32,
    /// The nonces that were used, with their times.
    nonces: BTreeMap<String, i64>,
}

/// A key.
struct Key {
    key: String,
    secret: String,
    writes: bool,
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Everything.
    Owner,
    /// The caller gave no credentials.
    Stranger,
}

fn refused(message: &str) -> Problem {
    Problem::new(401, "woocommerce_rest_authentication_error", message)
}

impl Keys {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, replaced: 0, nonces: BTreeMap::new() }
    }

    /// Replaces all keys by new ones.
    pub(super) fn replace(&mut self) {
        self.replaced += 1;
    }

    /// The keys that count, for whoever looks.
    pub(super) fn shown(&self) -> Value {
        let shown = |key: Key| json!({ CONSUMER_KEY: key.key, CONSUMER_SECRET: key.secret, "writes": key.writes });
        self.all().into_iter().map(shown).collect()
    }

    /// The key of the samples, and one that may only read. Those that took their place have other texts.
    fn all(&self) -> [Key; 2] {
        let sample =
            |name| PROFILE.sample_credentials.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| *text);
        let (key, secret) = (sample(CONSUMER_KEY), sample(CONSUMER_SECRET));
        let other = |text: &str, purpose: &str| {
            let parts = [text, purpose, &self.seed.to_string(), &self.replaced.to_string()].join("/");
            format!("{}{}", &text[..3], &HEXLOWER.encode(&signing::sha256(&[parts.as_bytes()]))[..40])
        };
        let owner = match self.replaced {
            0 => Key { key: key.to_owned(), secret: secret.to_owned(), writes: true },
            _ => Key { key: other(key, "owner"), secret: other(secret, "owner"), writes: true },
        };
        [owner, Key { key: other(key, "reader"), secret: other(secret, "reader"), writes: false }]
    }

    /// Who asks. An error where somebody tries to be who they are not.
    pub(super) fn identify(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Access, Problem> {
        let given = query::parameters(request);
        let key = match self.by_secret(request, &given)? {
            Some(key) => Some(key),
            None => self.by_signature(request, given, now)?,
        };
        let Some(key) = key else { return Ok(Access::Stranger) };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match key.writes || reads {
            true => Ok(Access::Owner),
            false => Err(refused("The API key provided does not have write permissions.")),
        }
    }

    fn known(&self, key: &str) -> Option<Key> {
        self.all().into_iter().find(|known| known.key == key)
    }

    /// The key by its secret, which counts only where the way is encrypted.
    fn by_secret(&self, request: &Request<Bytes>, given: &[(String, String)]) -> Result<Option<Key>, Problem> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let encrypted = request.uri().scheme_str() == Some("https") || header("x-forwarded-proto") == Some("https");
        let of = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let pair = of(CONSUMER_KEY).zip(of(CONSUMER_SECRET)).or_else(|| {
            let text = BASE64.decode(header("authorization")?.strip_prefix("Basic ")?.as_bytes()).ok()?;
            let text = String::from_utf8(text).ok()?;
            text.split_once(':').map(|(key, secret)| (key.to_owned(), secret.to_owned()))
        });
        let Some((key, secret)) = pair.filter(|_| encrypted) else { return Ok(None) };
        match self.known(&key) {
            Some(known) if known.secret == secret => Ok(Some(known)),
            Some(_) => Err(refused("Consumer secret is invalid.")),
            None => Ok(None),
        }
    }

    /// The key by a signature of OAuth 1.0a, in the query or in a header.
    fn by_signature(
        &mut self,
        request: &Request<Bytes>,
        mut given: Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<Option<Key>, Problem> {
        given.extend(in_header(request));
        let of = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let missing: Vec<&str> = OAUTH.into_iter().filter(|name| of(name).is_none()).collect();
        if missing.len() == OAUTH.len() {
            return Ok(None);
        }
        let [Some(key), Some(time), Some(nonce), Some(signature), Some(method)] = OAUTH.map(of) else {
            let message = format!("Missing OAuth parameters {}", missing.join(", "));
            return Err(Problem::new(401, "woocommerce_rest_authentication_missing_parameter", message));
        };
        let key = self.known(&key).ok_or_else(|| refused("Consumer key is invalid."))?;
        if method != "HMAC-SHA256" {
            return Err(refused("Invalid signature - signature method is invalid."));
        }
        // PHP keeps the last value of a name: the store's own client repeats the parameters behind its signature.
        let given: BTreeMap<String, String> = given.into_iter().filter(|(name, _)| name != "oauth_signature").collect();
        let mac = signing::hmac_sha256(format!("{}&", key.secret).as_bytes(), &[signed(request, &given).as_bytes()]);
        if BASE64.encode(&mac) != signature {
            return Err(refused("Invalid signature - provided signature does not match."));
        }
        let (time, now) = (time.parse::<i64>().unwrap_or_default(), now.as_second());
        if (time - now).abs() > WINDOW {
            return Err(refused("Invalid timestamp."));
        }
        self.nonces.retain(|_, used| *used >= now - WINDOW);
        match self.nonces.insert(nonce, time) {
            Some(_) => Err(refused("Invalid nonce - nonce has already been used.")),
            None => Ok(Some(key)),
        }
    }
}

/// The parameters of an `OAuth` header.
fn in_header(request: &Request<Bytes>) -> Vec<(String, String)> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let Some(text) = header.and_then(|header| header.strip_prefix("OAuth ")) else { return Vec::new() };
    let pair = |pair: &str| {
        let (name, value) = pair.trim().split_once('=')?;
        Some((name.to_owned(), crate::protocols::query::decoded(value.trim_matches('"'))?))
    };
    text.split(',').filter_map(pair).collect()
}

/// The text that was to be signed: the method, the address as the store knows it, and all parameters by their names.
fn signed(request: &Request<Bytes>, given: &BTreeMap<String, String>) -> String {
    let uri = request.uri();
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or(host).unwrap_or_default();
    let pairs: Vec<String> =
        given.iter().map(|(name, value)| encoded(&format!("{}={}", encoded(name), encoded(value)))).collect();
    format!("{}&{}&{}", request.method(), encoded(&format!("http://{host}{}", uri.path())), pairs.join("%26"))
}
