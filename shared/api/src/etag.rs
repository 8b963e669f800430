//! Strong entity tags over the exact bytes of an answer.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hooktide_model::fault::Fault;
use hooktide_model::signing;
use serde::Serialize;

/// The answer with its tag, or 304 if the reader has it.
pub(crate) fn tagged<T: Serialize>(request: &HeaderMap, value: &T) -> Result<Response, Fault> {
    let body = serde_json::to_vec(value).map_err(|error| Fault::failed(format!("an answer: {error}")))?;
    let tag = format!("\"{}\"", &signing::sha256_hex(&body)[..32]);
    let known = request.get_all(header::IF_NONE_MATCH).iter().any(|value| matches(value, &tag));
    let mut response = if known { Response::new(Body::empty()) } else { Response::new(Body::from(body)) };
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn matches(value: &HeaderValue, tag: &str) -> bool {
    let Ok(text) = value.to_str() else { return false };
    text.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
