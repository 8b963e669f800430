//! Requests to APIs whose bodies are JSON.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::Value;

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
