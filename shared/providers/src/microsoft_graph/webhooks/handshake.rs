//! The handshake: Graph asks whether we are who we say before it makes a subscription.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::de::IgnoredAny;

use super::payload;
use crate::HandshakeReply;
use crate::protocols::query;

/// The name of the token in the query.
const TOKEN: &str = "validationToken=";
/// The longest token that is answered, as it is written; those that were seen have about 130 characters.
const LONGEST: usize = 2_048;

/// Sends the token back, decoded. A text that is no token of Graph's gets 400, and is not sent back.
pub(super) fn reply(request: &Request<Bytes>) -> Option<HandshakeReply> {
    let mut tokens = request.uri().query()?.split('&').filter_map(|parameter| parameter.strip_prefix(TOKEN));
    let token = tokens.next()?;
    // Notifications keep the query of their address, whatever it says.
    if request.method() != Method::POST || payload::items::<IgnoredAny>(request.body()).is_some() {
        return None;
    }
    let token = if tokens.next().is_some() { None } else { decode(token) };
    let mut answer = Response::new(Bytes::new());
    match token {
        Some(token) => {
            *answer.body_mut() = token.into();
            let headers = answer.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            // Whoever sends us a token sees it again: never as a page.
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        }
        None => *answer.status_mut() = StatusCode::BAD_REQUEST,
    }
    Some(HandshakeReply::Answer(answer))
}

/// Decodes the token once, as forms are: `+` is a space. Nothing if it is empty, too long, not encoded well, or not text.
fn decode(token: &str) -> Option<String> {
    if token.is_empty() || token.len() > LONGEST {
        return None;
    }
    query::decoded(token).filter(|text| !text.contains(char::is_control))
}
