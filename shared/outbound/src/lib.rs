//! The way out, for both hosts: to the origins that the operator allowed, over one client that is made when it is first
//! needed, so that a start does not wait for it.

use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{HTTP_SIZE, HTTP_TIME, Http};
use http::{Request, Response};
use reqwest::Client;
use reqwest::redirect::Policy;

/// Requests to allowed origins.
#[derive(Debug)]
pub struct Outbound {
    /// Scheme, host and port, such as `https://api.example.com`.
    origins: Vec<String>,
    client: OnceLock<Client>,
}

impl Outbound {
    /// To these origins.
    pub fn to(origins: Vec<String>) -> Self {
        Self { origins, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, Fault> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // A redirect could lead to anybody, and take what proves us along.
        let client = Client::builder().timeout(HTTP_TIME).redirect(Policy::none()).user_agent("hooktide").build();
        let client = client.map_err(|error| Fault::failed(format!("the HTTP client: {error}")))?;
        Ok(self.client.get_or_init(|| client))
    }

    fn allows(&self, request: &Request<Bytes>) -> bool {
        let (Some(scheme), Some(authority)) = (request.uri().scheme_str(), request.uri().authority()) else {
            return false;
        };
        let origin = format!("{scheme}://{authority}");
        self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(&origin))
    }
}

#[async_trait]
impl Http for Outbound {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        if !self.allows(&request) {
            return Err(Fault::failed("a request to an address that is not allowed was not sent"));
        }
        // Not the error's own text, which repeats the address, and with it perhaps what only we and the provider know.
        let failed = |what: &str, error: &reqwest::Error| {
            let why = if error.is_timeout() { "took too long" } else { "failed" };
            Fault::retryable(format!("{what} {why}"))
        };
        let host = request.uri().host().unwrap_or_default().to_owned();
        let request = reqwest::Request::try_from(request)
            .map_err(|_| Fault::failed(format!("a request to {host} is none that can be sent")))?;
        let mut answer =
            self.client()?.execute(request).await.map_err(|error| failed(&format!("a request to {host}"), &error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) =
            answer.chunk().await.map_err(|error| failed(&format!("the answer of {host}"), &error))?
        {
            if body.len() + chunk.len() > HTTP_SIZE {
                return Err(Fault::failed(format!("the answer of {host} is larger than {HTTP_SIZE} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;
    use http::StatusCode;

    use super::*;

    async fn server() -> String {
        let slow = || async {
            tokio::time::sleep(HTTP_TIME + Duration::from_secs(5)).await;
        };
        let routes = Router::new()
            .route("/", get(|| async { (StatusCode::IM_A_TEAPOT, "hello") }))
            .route("/away", get(|| async { Redirect::temporary("/") }))
            .route("/large", get(|| async { vec![b'x'; HTTP_SIZE + 1] }))
            .route("/slow", get(slow));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        format!("http://{address}")
    }

    async fn get_from(origin: &str, path: &str) -> Result<Response<Bytes>, Fault> {
        let request = Request::get(format!("{origin}{path}")).body(Bytes::new()).unwrap();
        Outbound::to(vec![origin.to_owned()]).send(request).await
    }

    #[tokio::test]
    async fn any_status_is_an_answer_and_a_redirect_is_not_followed() {
        let origin = server().await;
        let answer = get_from(&origin, "/").await.unwrap();
        assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::IM_A_TEAPOT, &b"hello"[..]));
        assert_eq!(get_from(&origin, "/away").await.unwrap().status(), StatusCode::TEMPORARY_REDIRECT);
    }

    #[tokio::test]
    async fn time_and_size_are_bounded() {
        let origin = server().await;
        assert!(matches!(get_from(&origin, "/large").await, Err(Fault::Failed { .. })));
        assert!(matches!(get_from(&origin, "/slow").await, Err(Fault::Retryable { .. })));
        assert!(matches!(get_from("http://127.0.0.1:9", "/").await, Err(Fault::Retryable { .. })));
    }

    #[tokio::test]
    async fn nobody_but_the_allowed_origins_is_called() {
        let origin = server().await;
        let outbound = Outbound::to(vec!["https://api.example.com".to_owned()]);
        for address in [format!("{origin}/"), "/".to_owned(), "https://api.example.com.evil.example/".to_owned()] {
            let request = Request::get(&address).body(Bytes::new()).unwrap();
            assert!(matches!(outbound.send(request).await, Err(Fault::Failed { .. })), "{address}");
        }
    }
}
