//! The way out, for both hosts: to the origins that the operator fixed, and to public addresses. The clients are made when
//! they are first needed, so that a start does not wait for them.

mod guard;

use std::sync::OnceLock;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use hooktide_model::fault::Fault;
use hooktide_model::network::PrivateHost;
use hooktide_store::ports::{Call, Http};
use http::Response;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};

use self::guard::{NotPublic, PublicAddresses, Way};

/// Requests to whom they may go.
#[derive(Debug)]
pub struct Outbound {
    /// Scheme, host and port of what the operator fixed, such as `https://api.example.com`.
    origins: Vec<String>,
    /// Hosts that may have other addresses than public ones.
    private_hosts: Vec<PrivateHost>,
    /// Connects to whatever address a name leads to.
    trusted: OnceLock<Client>,
    /// Connects to public addresses only. Its connections are never those of the other.
    guarded: OnceLock<Client>,
}

impl Outbound {
    /// A way out to these origins, to these private hosts, and to public addresses.
    pub fn new(origins: Vec<String>, private_hosts: Vec<PrivateHost>) -> Self {
        Self { origins, private_hosts, trusted: OnceLock::new(), guarded: OnceLock::new() }
    }

    fn client(&self, way: Way) -> Result<&Client, Fault> {
        // A proxy would look the name up itself, and connect to whatever address it finds.
        match way {
            Way::Trusted => made_once(&self.trusted, |builder| builder),
            Way::Guarded => made_once(&self.guarded, |builder| builder.no_proxy().dns_resolver(PublicAddresses)),
        }
    }
}

fn made_once(cell: &OnceLock<Client>, with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<&Client, Fault> {
    if let Some(client) = cell.get() {
        return Ok(client);
    }
    // A redirect could lead to anybody, and take what proves us along.
    let builder = with(Client::builder()).redirect(Policy::none()).user_agent("hooktide");
    let client = builder.build().map_err(|error| Fault::failed(format!("the HTTP client: {error}")))?;
    Ok(cell.get_or_init(|| client))
}

#[async_trait]
impl Http for Outbound {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault> {
        let Call { request, limits, to } = call;
        let mut request = reqwest::Request::try_from(request)
            .map_err(|_| Fault::failed("a request was not sent: its address cannot be read"))?;
        let way = guard::way(request.url(), &to, &self.origins, &self.private_hosts)?;
        *request.timeout_mut() = Some(limits.time);
        let url = request.url().clone();
        let mut answer =
            self.client(way)?.execute(request).await.map_err(|error| failed("request to", &url, &error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed("answer of", &url, &error))? {
            if body.len() + chunk.len() > limits.size {
                let host = url.host_str().unwrap_or_default();
                return Err(Fault::failed(format!("the answer of {host} is larger than {} bytes", limits.size)));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// The fault of a request that got no answer. The error's own text is left out: it repeats the address, and with it perhaps
/// what only we and the provider know.
fn failed(what: &str, url: &Url, error: &reqwest::Error) -> Fault {
    if let Some(refused) = NotPublic::within(error) {
        return refused.as_fault(url.port_or_known_default().unwrap_or_default());
    }
    let why = if error.is_timeout() { "took too long" } else { "failed" };
    Fault::retryable(format!("the {what} {} {why}", url.host_str().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::response::Redirect;
    use axum::routing::get;
    use hooktide_store::ports::{Destination, Limits};
    use http::{Request, StatusCode};

    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_millis(300), size: 64 * 1024 };

    async fn server() -> String {
        let slow = || async {
            tokio::time::sleep(LIMITS.time * 20).await;
        };
        let routes = Router::new()
            .route("/", get(|| async { (StatusCode::IM_A_TEAPOT, "hello") }))
            .route("/away", get(|| async { Redirect::temporary("/") }))
            .route("/large", get(|| async { vec![b'x'; LIMITS.size + 1] }))
            .route("/slow", get(slow));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        format!("http://{address}")
    }

    fn call(address: &str, to: Destination) -> Call {
        Call { request: Request::get(address).body(Bytes::new()).unwrap(), limits: LIMITS, to }
    }

    async fn get_from(origin: &str, path: &str) -> Result<Response<Bytes>, Fault> {
        let outbound = Outbound::new(vec![origin.to_owned()], Vec::new());
        outbound.send(call(&format!("{origin}{path}"), Destination::Operator)).await
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
    async fn an_address_that_a_user_gave_leads_to_no_private_server_unless_it_is_listed() {
        let origin = server().await;
        let port = origin.rsplit(':').next().unwrap();
        for to in [Destination::Public, Destination::Connection("localhost".to_owned())] {
            for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"] {
                let outbound = Outbound::new(vec![origin.clone()], Vec::new());
                let fault = outbound.send(call(&format!("http://{host}:{port}/"), to.clone())).await.unwrap_err();
                assert!(matches!(fault, Fault::Failed { .. }), "{host}: {fault}");
            }
            let listed = Outbound::new(Vec::new(), vec![format!("localhost:{port}").parse().unwrap()]);
            let answer = listed.send(call(&format!("http://localhost:{port}/"), to)).await.unwrap();
            assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
        }
    }

    #[tokio::test]
    async fn a_refusal_says_what_the_operator_can_do() {
        let outbound = Outbound::new(Vec::new(), Vec::new());
        let fault = outbound.send(call("http://localhost:9/x?secret=1", Destination::Public)).await.unwrap_err();
        let expected = "localhost has no public address; if it is yours, add localhost:9 to HOOKTIDE_PRIVATE_HOSTS";
        assert!(fault.to_string().contains(expected) && !fault.to_string().contains("secret"), "{fault}");
    }
}
