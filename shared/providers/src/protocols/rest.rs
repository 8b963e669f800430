//! Requests to APIs whose bodies are JSON.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::Value;

use super::percent::encoded;
use crate::json::nests_little;
use crate::lenient::Object;
use crate::{Answer, Refusal};

/// The path, or the address, with parameters.
pub(crate) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{path}{separator}{}", query.join("&"))
}

/// An answer as an object of that type; `odd` says what it is where it is none.
pub(crate) fn object<T: for<'de> Deserialize<'de>>(answer: &Answer, odd: &'static str) -> Result<T, Refusal> {
    nests_little(answer.body()).map_err(|_| Refusal::Unreadable("the answer nests too deep"))?;
    let Object(body) = serde_json::from_slice(answer.body()).map_err(|_| Refusal::Unreadable(odd))?;
    Ok(body)
}

/// A request, with a body where there is one.
pub(crate) fn request(method: Method, url: &str, body: Option<&Value>) -> Request<Bytes> {
    let mut request = Request::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
    *request.method_mut() = method;
    // What is not an address is refused by whoever sends it.
    *request.uri_mut() = url.parse().unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(ACCEPT, json.clone());
    if body.is_some() {
        request.headers_mut().insert(CONTENT_TYPE, json);
    }
    request
}
