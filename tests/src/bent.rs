//! A server between a connection and its provider's simulator, which bends what the provider answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

/// The largest answer that is bent, in bytes.
const LARGEST: usize = 32 * 1024 * 1024;

/// What says that nothing has the id that is asked for, in the words of several providers.
const NOT_FOUND: &str = r#"{"errors":[{"category":"INVALID_REQUEST_ERROR","code":"NOT_FOUND"}],"code":"woocommerce_rest_product_invalid_id","data":{"status":404}}"#;

/// How a question is refused that would cost too much.
const TOO_DEAR: &[u8] = br#"{"errors":[{"message":"Query cost is 2003, which exceeds the single query max cost limit (1000).","extensions":{"code":"MAX_COST_EXCEEDED","cost":2003,"maxCost":1000}}]}"#;

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bend {
    /// Nothing: the answer is passed on.
    Nothing,
    /// A page that says that all is well takes its place.
    Html,
    /// Bytes that mean nothing take its place.
    Garbage,
    /// This text takes its place.
    Text(&'static str),
    /// The answer ends in the middle.
    Cut,
    /// A redirect to this address takes its place.
    Redirect(&'static str),
    /// This status, without a body, takes its place.
    Status(u16),
    /// This status, with this text, takes its place.
    Instead(u16, &'static str),
    /// A page of more than so many rows takes too long, and what stands before the provider gives up.
    SlowBeyond(u32),
    /// Numbers in the answer become texts.
    NumbersAsText,
    /// Words in capitals, and `publish`, become words that nobody knows.
    UnknownWords,
    /// A page that has a next one is given again whatever page is asked for.
    TheSameForEver,
    /// What leads to the next changes leads to a next page: nothing is ever all.
    NeverDone,
    /// The answer is longer than any that is read.
    Endless,
    /// The list of products lacks its first row.
    LacksTheFirst,
    /// Lists lack the items that have this field.
    LacksItemsWith(&'static str),
    /// Questions with this text in them are refused, since they would cost too much.
    TooDear(&'static str),
    /// Lists become this text, and nothing is there that is asked for by its id.
    Emptied(&'static str),
    /// Answers at each path become these texts, one after the other, and again.
    InTurn(&'static [&'static str]),
}

/// The server's state.
#[derive(Clone)]
struct Between {
    simulator: String,
    client: reqwest::Client,
    bend: Bends,
    first: Arc<Mutex<BTreeMap<String, Bytes>>>,
    turns: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// The bend of the moment.
#[derive(Clone)]
pub struct Bends(Arc<Mutex<Bend>>);

impl Default for Bends {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Bend::Nothing)))
    }
}

impl Bends {
    /// Bends answers so from now on.
    pub fn set(&self, bend: Bend) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bend;
    }

    fn get(&self) -> Bend {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes of the server: everything goes to the simulator, and comes back bent.
pub fn between(simulator: String, bend: Bends) -> Router {
    let client = reqwest::Client::new();
    Router::new().fallback(pass_on).with_state(Between {
        simulator,
        client,
        bend,
        first: Arc::default(),
        turns: Arc::default(),
    })
}

async fn pass_on(State(between): State<Between>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.expect("a request");
    let url = format!("{}{}", between.simulator, parts.uri);
    let path = parts.uri.path().to_owned();
    let rows = parts.uri.query().and_then(rows);
    let asked = body.clone();
    let sent = between.client.request(parts.method, url).headers(parts.headers).body(body).send().await;
    let answer = sent.expect("the simulator answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.expect("an answer");
    let bend = between.bend.get();
    let bent = match bend {
        Bend::Nothing => body,
        Bend::Html => Bytes::from_static(b"<!doctype html><title>OK</title><h1>All is well</h1>"),
        Bend::Garbage => Bytes::from_static(b"\xff\xfe\x00\x9d\x80garbage"),
        Bend::Text(text) => Bytes::from_static(text.as_bytes()),
        Bend::Cut => body.slice(..body.len() / 2),
        Bend::Redirect(to) => {
            return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, HeaderValue::from_static(to))]).into_response();
        }
        Bend::Instead(status, text) => {
            return (StatusCode::from_u16(status).expect("a status"), text).into_response();
        }
        Bend::SlowBeyond(most) if rows.is_some_and(|rows| rows > most) => {
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Bend::SlowBeyond(_) => body,
        Bend::Status(status) => return StatusCode::from_u16(status).expect("a status").into_response(),
        Bend::NumbersAsText => changed(&body, &|value| match value {
            Value::Number(number) => Value::String(number.to_string()),
            other => other,
        }),
        Bend::UnknownWords => changed(&body, &|value| match value {
            Value::String(text) if is_word(&text) => Value::String("UNHEARD_OF".to_owned()),
            other => other,
        }),
        Bend::TheSameForEver => {
            let mut first = between.first.lock().unwrap_or_else(PoisonError::into_inner);
            match first.get(&path) {
                Some(first) => first.clone(),
                None if has_more(&body) => first.entry(path).or_insert(body).clone(),
                None => body,
            }
        }
        Bend::LacksTheFirst if path.ends_with("/products") => match serde_json::from_slice(&body) {
            Ok(Value::Array(rows)) => rows.into_iter().skip(1).collect::<Value>().to_string().into(),
            Ok(_) | Err(_) => body,
        },
        Bend::LacksTheFirst => body,
        Bend::LacksItemsWith(field) => match serde_json::from_slice::<Value>(&body) {
            Ok(mut list) if list["items"].is_array() => {
                if let Some(items) = list["items"].as_array_mut() {
                    items.retain(|item| item[field].is_null());
                }
                list.to_string().into()
            }
            Ok(_) | Err(_) => body,
        },
        Bend::TooDear(text) if String::from_utf8_lossy(&asked).contains(text) => Bytes::from_static(TOO_DEAR),
        Bend::TooDear(_) => body,
        Bend::Emptied(_) if path.contains("/object/") || path.contains("/products/") => {
            return (StatusCode::NOT_FOUND, NOT_FOUND).into_response();
        }
        Bend::Emptied(text) => Bytes::from_static(text.as_bytes()),
        Bend::InTurn(texts) => {
            let mut turns = between.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = turns.entry(path).or_default();
            *turn += 1;
            Bytes::from_static(texts[*turn % texts.len()].as_bytes())
        }
        Bend::NeverDone => String::from_utf8_lossy(&body).replace("@odata.deltaLink", "@odata.nextLink").into(),
        Bend::Endless => Bytes::from(vec![b' '; 17 * 1024 * 1024]),
    };
    let mut response = Response::new(Body::from(bent));
    // The simulator does not know what these texts lead to.
    *response.status_mut() = if matches!(bend, Bend::InTurn(_)) { StatusCode::OK } else { status };
    *response.headers_mut() = headers;
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// How many rows a query asks for at once.
fn rows(query: &str) -> Option<u32> {
    query.split('&').find_map(|pair| pair.strip_prefix("per_page="))?.parse().ok()
}

/// Whether an answer is a page that has a next one, by any provider's way to say so.
fn has_more(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let says_so =
        [r#""cursor":"#, r#""hasNextPage":true"#, r#""nextPageToken":"#].iter().any(|token| text.contains(token));
    says_so
        || serde_json::from_slice::<Value>(body)
            .is_ok_and(|value| value.as_array().is_some_and(|items| items.len() >= 100))
}

/// Whether a text is a word of a list that the provider may lengthen.
fn is_word(text: &str) -> bool {
    text == "publish" || text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn changed(body: &[u8], change: &impl Fn(Value) -> Value) -> Bytes {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Bytes::copy_from_slice(body) };
    Bytes::from(each(value, change).to_string())
}

fn each(value: Value, change: &impl Fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| each(item, change)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, each(value, change))).collect(),
        plain => change(plain),
    }
}
