//! The webhook addresses over axum: requests are handed to the receiver as API Gateway would.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use hooktide_model::envelope::LARGEST_VERIFIED;
use hooktide_model::network::{self, Network};

use crate::host::Host;
use crate::http::declared;

/// What proxies say of whom they forward requests for.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The routes of the webhook addresses.
pub(crate) fn router(host: Arc<Host>) -> Router {
    Router::new().route("/webhooks/{*address}", any(receive)).with_state(host)
}

async fn receive(State(host): State<Arc<Host>>, request: Request) -> Response {
    let source = source_of(&request, &host.settings.trusted_proxies);
    let (mut parts, body) = request.into_parts();
    // Whatever a body is, it is not read where nobody wants it.
    let length = declared(&parts.headers).unwrap_or_default();
    if let Some(answer) = host.receiver.refuses(parts.uri.path(), length).await {
        return answer.map(Body::from);
    }
    let body = match to_bytes(body, LARGEST_VERIFIED).await {
        Ok(body) => body,
        Err(error) if is_too_long(&error) => {
            let answer = host.receiver.refuses(parts.uri.path(), LARGEST_VERIFIED as u64 + 1).await;
            return answer
                .map_or_else(|| StatusCode::PAYLOAD_TOO_LARGE.into_response(), |answer| answer.map(Body::from));
        }
        // The sender is gone.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    parts.headers = joined(&parts.headers);
    let now = host.clock.now();
    // From here on: a body that does not come keeps nothing from being processed.
    let _under_way = host.pressure.begin(now);
    let answer = host.receiver.receive(Request::from_parts(parts, body), &source, now).await;
    answer.map(Body::from)
}

/// The address that a request came from, as the trusted proxies say.
fn source_of(request: &Request, trusted: &[Network]) -> String {
    let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return "unknown".to_owned();
    };
    // What is no text is no address either, and so says nothing of those before it.
    let forwarded = request.headers().get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
    network::client(peer.ip(), forwarded, trusted).to_string()
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Repeated headers as API Gateway's format 2.0 hands them over: one, joined by commas.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(value) = HeaderValue::from_bytes(&values.join(&b","[..])) {
            joined.insert(name.clone(), value);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_headers_are_joined_by_commas() {
        let mut headers = HeaderMap::new();
        headers.append("x-a", HeaderValue::from_static("1"));
        headers.append("x-a", HeaderValue::from_static("2"));
        headers.append("x-b", HeaderValue::from_bytes(b"\xff").unwrap());
        let joined = joined(&headers);
        assert_eq!(joined["x-a"], "1,2");
        assert_eq!(joined["x-b"].as_bytes(), b"\xff");
    }
}
