//! Requests as providers send them, signed by what they document.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use hooktide_model::signing::hmac_sha256;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::Value;

/// Where a request goes, and when.
pub(crate) struct To {
    pub(crate) path: String,
    pub(crate) url: String,
    pub(crate) now: Timestamp,
}

/// How a request is made.
type Build = dyn Fn(&To) -> Request<Bytes>;

/// What is sent.
pub(crate) enum Step {
    /// A request that is made here.
    Send(Box<Build>),
    /// A sample of a topic, bent: where what proves it is derived by the product.
    Bend(&'static str, fn(Request<Bytes>) -> Request<Bytes>),
}

/// A request that is made here.
pub(crate) fn send(build: impl Fn(&To) -> Request<Bytes> + 'static) -> Step {
    Step::Send(Box::new(build))
}

/// A posted body of JSON with these headers.
pub(crate) fn posted(to: &To, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Bytes> {
    let mut request = Request::post(&to.path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("a request")
}

/// An unsigned request without a body; `suffix` is its query.
pub(crate) fn asked(to: &To, method: Method, suffix: &str) -> Request<Bytes> {
    Request::builder().method(method).uri(format!("{}{suffix}", to.path)).body(Bytes::new()).expect("a request")
}

/// The MAC in base64.
pub(crate) fn mac64(key: &[u8], parts: &[&[u8]]) -> String {
    BASE64.encode(&hmac_sha256(key, parts))
}

/// The MAC in hexadecimal.
pub(crate) fn mac16(key: &[u8], parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&hmac_sha256(key, parts))
}

/// A body of JSON with fields in place of its own.
pub(crate) fn with(body: Value, fields: Value) -> Value {
    let (mut body, fields) = (body, fields.as_object().cloned().unwrap_or_default());
    for (name, value) in fields {
        body[name.as_str()] = value;
    }
    body
}

/// The request with another body of JSON.
pub(crate) fn rewritten(request: Request<Bytes>, change: impl FnOnce(&mut Value)) -> Request<Bytes> {
    request.map(|body| {
        let mut value = serde_json::from_slice(&body).expect("JSON");
        change(&mut value);
        Bytes::from(value.to_string())
    })
}
