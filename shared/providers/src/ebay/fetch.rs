//! Fetching a key: a token for the app, then the key.

use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::key::{self, Proof, PublicKey};
use super::{CLIENT_ID, CLIENT_SECRET, PUBLIC_KEY};
use crate::{ApiToken, KeyAnswer, RemoteKeys};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};

/// What asks for a token that may read public keys.
const GRANT: &str = "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope";
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The longest token, in bytes; eBay's have about 2,000.
const LONGEST_TOKEN: usize = 8 * 1024;
/// The longest time to wait that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// eBay's number for a key that it does not have.
const NO_SUCH_KEY: u64 = 195_001;

/// eBay's keys.
pub(super) struct Keys;

impl RemoteKeys for Keys {
    fn wanted(&self, request: &Request<Bytes>) -> Result<String, AuthFault> {
        Proof::read(request.headers()).map(|proof| proof.kid)
    }

    fn ask_token(&self, api: &str, secrets: &Secrets, now: Timestamp) -> Result<Request<Bytes>, Fault> {
        let newest = |name| secrets.live(name, now).find(|live| !live.secret.expose().is_empty());
        let (Some(client), Some(secret)) = (newest(CLIENT_ID), newest(CLIENT_SECRET)) else {
            return Err(AuthFault::NoSecret.into());
        };
        let credentials = Zeroizing::new([client.secret.expose(), b":", secret.secret.expose()].concat());
        let credentials = Zeroizing::new(BASE64.encode(&credentials));
        let request = Request::post(format!("{api}/identity/v1/oauth2/token"))
            .header(AUTHORIZATION, authorization("Basic", &credentials)?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        ask(request, Bytes::from_static(GRANT.as_bytes()))
    }

    fn token(&self, answer: &Response<Bytes>) -> Result<ApiToken, Fault> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
            #[serde(default)]
            expires_in: Option<serde_json::Value>,
        }
        if answer.status() != StatusCode::OK {
            return Err(refused("a token", answer));
        }
        let token = read::<Token>(answer).map(|token| (Zeroizing::new(token.access_token), token.expires_in));
        let fits = |token: &str| {
            (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let token = token.filter(|(token, _)| fits(token));
        let (token, seconds) = token.ok_or_else(|| Fault::retryable("eBay's answer has no token"))?;
        let seconds = seconds.and_then(|seconds| seconds.as_u64()).unwrap_or_default();
        Ok(ApiToken { secret: Secret::new(token.as_bytes()), lifetime: Duration::from_secs(seconds) })
    }

    fn ask_key(&self, id: &str, api: &str, token: &Secret) -> Result<Option<Request<Bytes>>, Fault> {
        if !key::is_kid(id) {
            return Ok(None);
        }
        let request = Request::get(format!("{api}/commerce/notification/v1/public_key/{id}"))
            .header(AUTHORIZATION, authorization("Bearer", token.expose_text().unwrap_or_default())?)
            .header(ACCEPT, "application/json");
        ask(request, Bytes::new()).map(Some)
    }

    fn key(&self, id: &str, answer: &Response<Bytes>) -> Result<KeyAnswer, Fault> {
        match answer.status() {
            StatusCode::OK => {
                let body = answer.body();
                // A key of another sort is no reason to tell eBay that its signature is wrong.
                let read = |body: &[u8]| PublicKey::read(body, Some(id)).is_some_and(|key| key.matches(id));
                let readable = body.len() <= LONGEST_ANSWER && read(body);
                if !readable {
                    return Err(Fault::retryable("eBay's answer has no key that can be used"));
                }
                let (name, id) = (PUBLIC_KEY.to_owned(), KeyId(id.to_owned()));
                let secret = Secret::new(body.to_vec());
                Ok(KeyAnswer::Found(LiveSecret { name, id, secret, retires_at: None }))
            }
            StatusCode::NOT_FOUND => Ok(KeyAnswer::Unknown),
            StatusCode::BAD_REQUEST if says_no_such_key(answer) => Ok(KeyAnswer::Unknown),
            StatusCode::UNAUTHORIZED => Ok(KeyAnswer::TokenRefused),
            _ => Err(refused("a key", answer)),
        }
    }
}

/// The value of a header that is not shown, wherever the request is.
fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, Fault> {
    let text = Zeroizing::new([scheme, " ", credentials].concat());
    let mut value = HeaderValue::from_str(&text).map_err(|_| Fault::failed("credentials that no header can have"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn ask(request: http::request::Builder, body: Bytes) -> Result<Request<Bytes>, Fault> {
    request.body(body).map_err(|_| Fault::failed("a request for a key cannot be made"))
}

fn says_no_such_key(answer: &Response<Bytes>) -> bool {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Error>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Error {
        error_id: u64,
    }
    read::<Errors>(answer).is_some_and(|answer| answer.errors.iter().any(|error| error.error_id == NO_SUCH_KEY))
}

fn read<T: for<'a> Deserialize<'a>>(answer: &Response<Bytes>) -> Option<T> {
    let body = answer.body();
    if body.len() > LONGEST_ANSWER { None } else { serde_json::from_slice(body).ok() }
}

/// Whatever the reason is, also our own credentials: eBay must not learn of it as a refusal.
fn refused(what: &str, answer: &Response<Bytes>) -> Fault {
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let after = wait.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
    Fault::Retryable { detail: format!("eBay answers {} when asked for {what}", answer.status().as_u16()), after }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";
    const KEY: &str = r#"{"key":"-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----","algorithm":"ECDSA","digest":"SHA1"}"#;
    const TOKEN: &str = r#"{"access_token":"v^1.1#i^1","expires_in":7200,"token_type":"Application Access Token"}"#;

    fn secrets(texts: &[(&str, &str)]) -> Secrets {
        let live = |(name, text): &(&str, &str)| LiveSecret {
            name: (*name).into(),
            id: KeyId("stored".into()),
            secret: Secret::new(*text),
            retires_at: None,
        };
        Secrets::new(texts.iter().map(live).collect())
    }

    fn answer(status: u16, body: &str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    fn shown(request: &Request<Bytes>) -> String {
        let authorization = request.headers()[AUTHORIZATION].to_str().unwrap();
        let body = std::str::from_utf8(request.body()).unwrap();
        format!("{} {} {authorization} {body}", request.method(), request.uri())
    }

    fn request(id: &str, secrets: &Secrets, answers: &[Response<Bytes>]) -> Result<Option<Request<Bytes>>, Fault> {
        match answers {
            [] => Keys.ask_token("https://api.example.com", secrets, Timestamp::UNIX_EPOCH).map(Some),
            [token, ..] => Keys.ask_key(id, "https://api.example.com", &Keys.token(token)?.secret),
        }
    }

    /// What comes of it, as a text.
    fn step(id: &str, secrets: &Secrets, answers: &[Response<Bytes>]) -> String {
        let told = match answers {
            [_, answer] => Keys.key(id, answer).map(|answer| match answer {
                KeyAnswer::Found(key) => {
                    assert_eq!((key.name.as_str(), key.retires_at), ("public_key", None));
                    assert!(PublicKey::of(&key).is_some_and(|read| read.matches(&key.id.0)));
                    format!("found {}", key.id)
                }
                KeyAnswer::Unknown => "unknown".into(),
                KeyAnswer::TokenRefused => "another token".into(),
            }),
            _ => request(id, secrets, answers).map(|request| request.map_or("unknown".into(), |asked| shown(&asked))),
        };
        match told {
            Ok(told) => told,
            Err(Fault::Retryable { after, .. }) => format!("later {}", after.map_or(0, |after| after.as_secs())),
            Err(fault) => format!("{fault}"),
        }
    }

    #[test]
    fn a_key_is_asked_for_with_a_token_of_the_app() {
        let credentials = secrets(&[("client_id", "app"), ("client_secret", "new"), ("client_secret", "old")]);
        let asked = format!("POST https://api.example.com/identity/v1/oauth2/token Basic YXBwOm5ldw== {GRANT}");
        assert_eq!(step(KID, &credentials, &[]), asked);
        let asked = format!("GET https://api.example.com/commerce/notification/v1/public_key/{KID} Bearer v^1.1#i^1 ");
        assert_eq!(step(KID, &credentials, &[answer(200, TOKEN)]), asked);
        assert_eq!(step(KID, &credentials, &[answer(200, TOKEN), answer(200, KEY)]), format!("found {KID}"));
    }

    #[test]
    fn what_is_asked_shows_no_credentials() {
        let credentials = secrets(&[("client_id", "app"), ("client_secret", "new")]);
        for (answers, shown) in [(&[][..], "YXBwOm5ldw"), (&[answer(200, TOKEN)], "v^1.1")] {
            let debug = format!("{:?}", request(KID, &credentials, answers).unwrap().unwrap());
            assert!(debug.contains("api.example.com") && !debug.contains(shown), "{debug}");
        }
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let credentials = secrets(&[("client_id", "app"), ("client_secret", "secret")]);
        let no_such_key = r#"{"errors":[{"errorId":195001,"domain":"API_NOTIFICATION","category":"REQUEST"}]}"#;
        let internal = r#"{"errors":[{"errorId":195000}]}"#;
        let long = "x".repeat(LONGEST_ANSWER + 1);
        let ed25519 = KEY.replace("ECDSA", "ED25519");
        let other = KEY.replacen('{', r#"{"kid":"other","#, 1);
        for (status, token) in [
            (401, r#"{"error":"invalid_client"}"#),
            (400, r#"{"error":"invalid_scope"}"#),
            (403, ""),
            (404, ""),
            (429, ""),
            (500, ""),
            (503, ""),
            (302, ""),
            (200, ""),
            (200, "{}"),
            (200, r#"{"access_token":""}"#),
            (200, r#"{"access_token":"a b"}"#),
            (200, r#"{"access_token":"a\nb"}"#),
            (200, r#"{"access_token":7}"#),
            (200, long.as_str()),
        ] {
            assert_eq!(step(KID, &credentials, &[answer(status, token)]), "later 0", "{status} {token:.80}");
        }
        for (status, key, expected) in [
            (404, "", "unknown"),
            (404, no_such_key, "unknown"),
            (400, no_such_key, "unknown"),
            (400, internal, "later 0"),
            (400, "", "later 0"),
            (401, "", "another token"),
            (403, no_such_key, "later 0"),
            (429, "", "later 0"),
            (500, internal, "later 0"),
            (503, "", "later 0"),
            (301, "", "later 0"),
            (204, "", "later 0"),
            (200, "", "later 0"),
            (200, "{}", "later 0"),
            (200, ed25519.as_str(), "later 0"),
            (200, other.as_str(), "later 0"),
            (200, long.as_str(), "later 0"),
        ] {
            let answers = [answer(200, TOKEN), answer(status, key)];
            assert_eq!(step(KID, &credentials, &answers), expected, "{status} {key:.80}");
        }
    }

    #[test]
    fn nothing_is_asked_without_credentials_or_for_what_is_no_id() {
        for texts in [&[][..], &[("client_id", "app")], &[("client_id", ""), ("client_secret", "secret")]] {
            assert_eq!(step(KID, &secrets(texts), &[]), AuthFault::NoSecret.to_string());
        }
        let credentials = secrets(&[("client_id", "app"), ("client_secret", "secret")]);
        for id in ["", "..", "a/b", "a b", "a%2f", "ä", &"a".repeat(65)] {
            assert_eq!(step(id, &credentials, &[answer(200, TOKEN)]), "unknown", "{id:.80}");
        }
    }

    #[test]
    fn a_token_says_how_long_it_can_be_used() {
        for (body, seconds) in [
            (TOKEN, 7200),
            (r#"{"access_token":"t"}"#, 0),
            (r#"{"access_token":"t","expires_in":null}"#, 0),
            (r#"{"access_token":"t","expires_in":"7200"}"#, 0),
            (r#"{"access_token":"t","expires_in":-1}"#, 0),
        ] {
            assert_eq!(Keys.token(&answer(200, body)).unwrap().lifetime, Duration::from_secs(seconds), "{body}");
        }
    }

    #[test]
    fn a_time_to_wait_is_kept_within_bounds() {
        for (wait, expected) in [("7", "later 7"), ("999999999", "later 3600"), ("-1", "later 0"), ("soon", "later 0")]
        {
            let mut limited = answer(429, "");
            limited.headers_mut().insert(RETRY_AFTER, wait.parse().unwrap());
            assert_eq!(step(KID, &secrets(&[]), &[limited]), expected, "{wait}");
        }
    }
}
