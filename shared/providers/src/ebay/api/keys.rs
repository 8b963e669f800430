//! The keys of eBay's signatures: a token for the app, then the key.

use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::ebay::Ebay;
use crate::ebay::key::{self, Proof, PublicKey};
use crate::ebay::secrets::{CLIENT_ID, CLIENT_SECRET, PUBLIC_KEY};
use crate::protocols::answers;
use crate::{Answer, Api, ApiToken, Arrival, Ask, KeyStep, KeyTask, Refusal, RemoteKeys};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::secret::{KeyId, LiveSecret, Secret};

/// The form that asks for a token which may read public keys.
const GRANT: &str = "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope";
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The longest token, in bytes; eBay's have about 2,000.
const LONGEST_TOKEN: usize = 8 * 1024;
/// eBay's number for a key that it does not have.
const NO_SUCH_KEY: u64 = 195_001;

/// The look-up of eBay's keys.
pub(super) struct Keys;

impl RemoteKeys for Keys {
    fn wanted(&self, arrival: &Arrival<'_>) -> Result<String, AuthFault> {
        Proof::read(arrival.headers()).map(|proof| proof.kid)
    }

    fn first(&self, task: &KeyTask<'_>) -> Result<Option<Ask>, Fault> {
        match task.token {
            _ if !key::is_kid(task.id) => Ok(None),
            None => ask_token(task),
            Some(token) => ask_key(task, token).map(Some),
        }
    }

    fn read(&self, task: &KeyTask<'_>, answer: &Answer) -> Result<KeyStep, Refusal> {
        if task.token.is_some() { read_key(task.id, answer) } else { read_token(answer) }
    }
}

/// The request for a token; `None` without credentials.
fn ask_token(task: &KeyTask<'_>) -> Result<Option<Ask>, Fault> {
    let newest = |name| task.secrets.live(name, task.now).find(|live| !live.secret.expose().is_empty());
    let (Some(client), Some(secret)) = (newest(CLIENT_ID), newest(CLIENT_SECRET)) else { return Ok(None) };
    let credentials = Zeroizing::new([client.secret.expose(), b":", secret.secret.expose()].concat());
    let credentials = Zeroizing::new(BASE64.encode(&credentials));
    let request = Request::post(format!("{}/identity/v1/oauth2/token", task.api))
        .header(AUTHORIZATION, authorization("Basic", &credentials)?)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json");
    ask(request, Bytes::from_static(GRANT.as_bytes())).map(Some)
}

/// The request for a key.
fn ask_key(task: &KeyTask<'_>, token: &Secret) -> Result<Ask, Fault> {
    let request = Request::get(format!("{}/commerce/notification/v1/public_key/{}", task.api, task.id))
        .header(AUTHORIZATION, authorization("Bearer", token.expose_text().unwrap_or_default())?)
        .header(ACCEPT, "application/json");
    ask(request, Bytes::new())
}

fn read_token(answer: &Answer) -> Result<KeyStep, Refusal> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
        #[serde(default)]
        expires_in: Option<serde_json::Value>,
    }
    Ebay.sort(answer)?;
    let token = read::<Token>(answer).map(|token| (Zeroizing::new(token.access_token), token.expires_in));
    let fits =
        |token: &str| (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    let (token, seconds) = token.filter(|(token, _)| fits(token)).ok_or(Refusal::Unavailable { after: None })?;
    let seconds = seconds.and_then(|seconds| seconds.as_u64()).unwrap_or_default();
    Ok(KeyStep::Token(ApiToken { secret: Secret::new(token.as_bytes()), lifetime: Duration::from_secs(seconds) }))
}

fn read_key(id: &str, answer: &Answer) -> Result<KeyStep, Refusal> {
    match answer.status() {
        StatusCode::OK => {
            let body = answer.body();
            // A key of another sort is no reason to tell eBay that its signature is wrong.
            let is_key = |body: &[u8]| PublicKey::read(body, Some(id)).is_some_and(|key| key.matches(id));
            if body.len() > LONGEST_ANSWER || !is_key(body) {
                return Err(Refusal::Unavailable { after: None });
            }
            let (name, id) = (PUBLIC_KEY.to_owned(), KeyId(id.to_owned()));
            Ok(KeyStep::Found(LiveSecret { name, id, secret: Secret::new(body.to_vec()), retires_at: None }))
        }
        StatusCode::NOT_FOUND => Ok(KeyStep::Unknown),
        StatusCode::BAD_REQUEST if says_no_such_key(answer) => Ok(KeyStep::Unknown),
        // Another token would be forbidden as well.
        StatusCode::FORBIDDEN => Err(Refusal::Unavailable { after: answers::after(answer) }),
        _ => Err(Ebay.sort(answer).err().unwrap_or(Refusal::Unavailable { after: None })),
    }
}

/// The value of a header that is not shown, wherever the request is.
fn authorization(scheme: &str, credentials: &str) -> Result<HeaderValue, Fault> {
    let text = Zeroizing::new([scheme, " ", credentials].concat());
    let mut value = HeaderValue::from_str(&text).map_err(|_| Fault::failed("credentials that no header can have"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn ask(request: http::request::Builder, body: Bytes) -> Result<Ask, Fault> {
    request.body(body).map(Ask::Http).map_err(|_| Fault::failed("a request for a key cannot be made"))
}

fn says_no_such_key(answer: &Answer) -> bool {
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

fn read<T: for<'a> Deserialize<'a>>(answer: &Answer) -> Option<T> {
    let body = answer.body();
    if body.len() > LONGEST_ANSWER { None } else { serde_json::from_slice(body).ok() }
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http::header::RETRY_AFTER;
    use jiff::Timestamp;

    use super::*;
    use hooktide_model::secret::Secrets;

    const KID: &str = "9936261a-7d7b-4621-a0f1-96ccb428af49";
    const KEY: &str = r#"{"key":"-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZhhxXKtR+TOvtDbgTPCkSof02qgBB7IsYOyf76ilExJ/upAa/vKIKheOoCyOpcLmi4t0b4uepb7LLjmMr90FUg==-----END PUBLIC KEY-----","algorithm":"ECDSA","digest":"SHA1"}"#;
    const TOKEN: &str = r#"{"access_token":"v^1.1#i^1","expires_in":7200,"token_type":"Application Access Token"}"#;

    fn answer(status: u16, body: &str) -> Answer {
        Response::builder().status(status).body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    fn shown(request: &Request<Bytes>) -> String {
        let authorization = request.headers()[AUTHORIZATION].to_str().unwrap();
        let body = std::str::from_utf8(request.body()).unwrap();
        format!("{} {} {authorization} {body}", request.method(), request.uri())
    }

    fn task<'a>(id: &'a str, secrets: &'a Secrets, token: Option<&'a Secret>) -> KeyTask<'a> {
        KeyTask { id, api: "https://api.example.com", secrets, token, now: Timestamp::UNIX_EPOCH }
    }

    /// The last question, after these answers.
    fn request(id: &str, secrets: &Secrets, answers: &[Answer]) -> Result<Option<Request<Bytes>>, Refusal> {
        let token = match answers {
            [] => None,
            [token, ..] => match Keys.read(&task(id, secrets, None), token)? {
                KeyStep::Token(token) => Some(token.secret),
                step => panic!("{step:?}"),
            },
        };
        let asked = Keys.first(&task(id, secrets, token.as_ref())).unwrap();
        Ok(asked.map(|Ask::Http(request)| request))
    }

    /// The next step after these answers, as a text.
    fn step(id: &str, secrets: &Secrets, answers: &[Answer]) -> String {
        let token = Secret::new("v^1.1#i^1");
        let told = match answers {
            [_, answer] => Keys.read(&task(id, secrets, Some(&token)), answer).map(|step| match step {
                KeyStep::Found(key) => {
                    assert_eq!((key.name.as_str(), key.retires_at), ("public_key", None));
                    assert!(PublicKey::of(&key).is_some_and(|read| read.matches(&key.id.0)));
                    format!("found {}", key.id)
                }
                KeyStep::Unknown => "unknown".into(),
                KeyStep::Token(_) => "a token".into(),
            }),
            _ => request(id, secrets, answers).map(|request| request.map_or("nothing".into(), |asked| shown(&asked))),
        };
        match told {
            Ok(told) => told,
            Err(Refusal::Refused) => "refused".into(),
            Err(refusal) => format!("later {}", refusal.after().map_or(0, |after| after.as_secs())),
        }
    }

    #[test]
    fn a_key_is_asked_for_with_a_token_of_the_app() {
        let credentials = Secrets::named(&[("client_id", "app"), ("client_secret", "new"), ("client_secret", "old")]);
        let asked = format!("POST https://api.example.com/identity/v1/oauth2/token Basic YXBwOm5ldw== {GRANT}");
        assert_eq!(step(KID, &credentials, &[]), asked);
        let asked = format!("GET https://api.example.com/commerce/notification/v1/public_key/{KID} Bearer v^1.1#i^1 ");
        assert_eq!(step(KID, &credentials, &[answer(200, TOKEN)]), asked);
        assert_eq!(step(KID, &credentials, &[answer(200, TOKEN), answer(200, KEY)]), format!("found {KID}"));
    }

    #[test]
    fn what_is_asked_shows_no_credentials() {
        let credentials = Secrets::named(&[("client_id", "app"), ("client_secret", "new")]);
        for (answers, shown) in [(&[][..], "YXBwOm5ldw"), (&[answer(200, TOKEN)], "v^1.1")] {
            let debug = format!("{:?}", request(KID, &credentials, answers).unwrap().unwrap());
            assert!(debug.contains("api.example.com") && !debug.contains(shown), "{debug}");
        }
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let credentials = Secrets::named(&[("client_id", "app"), ("client_secret", "secret")]);
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
            let expected = if status == 401 { "refused" } else { "later 0" };
            assert_eq!(step(KID, &credentials, &[answer(status, token)]), expected, "{status} {token:.80}");
        }
        for (status, key, expected) in [
            (404, "", "unknown"),
            (404, no_such_key, "unknown"),
            (400, no_such_key, "unknown"),
            (400, internal, "later 0"),
            (400, "", "later 0"),
            (401, "", "refused"),
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
            assert_eq!(step(KID, &Secrets::named(texts), &[]), "nothing");
        }
        let credentials = Secrets::named(&[("client_id", "app"), ("client_secret", "secret")]);
        for id in ["", "..", "a/b", "a b", "a%2f", "ä", &"a".repeat(65)] {
            assert_eq!(step(id, &credentials, &[answer(200, TOKEN)]), "nothing", "{id:.80}");
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
            let step = Keys.read(&task(KID, &Secrets::named(&[]), None), &answer(200, body)).unwrap();
            let KeyStep::Token(token) = step else { panic!("{step:?}") };
            assert_eq!(token.lifetime, Duration::from_secs(seconds), "{body}");
        }
    }

    #[test]
    fn a_time_to_wait_is_kept_within_bounds() {
        for (wait, expected) in [("7", "later 7"), ("999999999", "later 3600"), ("-1", "later 0"), ("soon", "later 0")]
        {
            let mut limited = answer(429, "");
            limited.headers_mut().insert(RETRY_AFTER, wait.parse().unwrap());
            assert_eq!(step(KID, &Secrets::named(&[]), &[limited]), expected, "{wait}");
        }
    }
}
