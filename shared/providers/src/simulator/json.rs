//! Requests and answers of a simulated API in JSON.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value};

/// The body of a request; `None` if it is no object.
pub(crate) fn object(request: &Request<Bytes>) -> Option<Map<String, Value>> {
    serde_json::from_slice(request.body()).ok()
}

/// An answer with that status and body.
pub(crate) fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
