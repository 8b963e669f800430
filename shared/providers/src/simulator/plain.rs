//! Answers of a simulated server that are texts.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

/// An answer with that status and text.
pub(crate) fn answer(status: u16, text: &str) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(text.to_owned()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}

/// An answer with that status alone.
pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// The answer with another header.
pub(crate) fn with(mut answer: Response<Bytes>, name: HeaderName, value: &str) -> Response<Bytes> {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}
