//! How tests speak to a server that is a process of its own, and the deliveries that they send it.
#![allow(clippy::expect_used, reason = "what does not work here fails the test")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hooktide_model::secret::Secret;
use hooktide_providers::{Sample, Unsigned};
use http::request::Builder;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::server::PATIENCE;
use crate::world::{Answer, SECRET, SHOP, Shop};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(20);
/// The time of version 0 of all products.
const FIRST_VERSION: Timestamp = Timestamp::constant(1_767_600_000, 0);

/// Speaks to a server; clones share what they heard.
#[derive(Clone)]
pub struct Client {
    /// The token that it presents.
    pub token: String,
    base: String,
    http: reqwest::Client,
    heard: Arc<Mutex<Vec<u8>>>,
}

/// Shows why there is no answer, and after how long: a test that expects one fails with it.
fn unanswered() -> impl Fn(&reqwest::Error) {
    let began = tokio::time::Instant::now();
    move |error| println!("no answer after {:?}: {error:?}", began.elapsed())
}

impl Client {
    /// Knows no server yet.
    pub(crate) fn new() -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().expect("a client");
        Self { token: String::new(), base: String::new(), http, heard: Arc::default() }
    }

    /// The same, speaking to a server there.
    pub(crate) fn at(&self, address: SocketAddr, token: &str) -> Self {
        Self { token: token.to_owned(), base: format!("http://{address}"), ..self.clone() }
    }

    /// The same over a new connection for each request. One that rests may be closed by the server, which makes room, at the
    /// moment at which a request goes out over it.
    pub fn unpooled(&self) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).pool_max_idle_per_host(0);
        Self { http: http.build().expect("a client"), ..self.clone() }
    }

    /// The same with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A request that presents the token.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(self.url(path));
        request.header("authorization", format!("Bearer {}", self.token))
    }

    /// Calls the API; `None` if no answer came.
    pub async fn try_call(&self, method: Method, path: &str, body: Option<Value>) -> Option<Answer> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(self.request(method, path).body(body).expect("a request")).await
    }

    /// Calls the API.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.try_call(method, path, body).await.expect("an answer")
    }

    /// Sends any request; `None` if no answer came.
    pub async fn send(&self, request: Request<Bytes>) -> Option<Answer> {
        let request = reqwest::Request::try_from(request).expect("a request");
        let unanswered = unanswered();
        let response = self.http.execute(request).await.inspect_err(&unanswered).ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.inspect_err(&unanswered).ok()?;
        let mut heard = self.heard.lock().expect("what was heard");
        heard.extend(format!("{headers:?}\n").into_bytes());
        heard.extend(&body);
        Some(Answer { status, headers, body })
    }

    /// Begins to read a stream of events, after one of them or from now on; `None` if that was refused.
    pub async fn events(&self, after: Option<&str>) -> Option<reqwest::Response> {
        let request = self.request(Method::GET, "/v1/events");
        let request = after.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        self.stream(request.body(Bytes::new()).expect("a request")).await
    }

    /// Begins to read an answer that may not end; `None` if the request was refused.
    pub async fn stream(&self, request: Request<Bytes>) -> Option<reqwest::Response> {
        let mut request = reqwest::Request::try_from(request).expect("a request");
        *request.timeout_mut() = Some(PATIENCE * 2);
        let answer = self.http.execute(request).await.and_then(reqwest::Response::error_for_status);
        answer.inspect_err(unanswered()).ok()
    }

    /// All answers so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().expect("what was heard").clone()
    }

    /// Takes an answer out of what was heard: that in which a token is told to whom it belongs.
    pub fn forget_since(&self, length: usize) {
        self.heard.lock().expect("what was heard").truncate(length);
    }

    /// All of a feed, `/v1/changes` or `/v1/activity`.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.call(Method::GET, &format!("{path}?limit=1000{after}"), None).await.expect(200);
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            if page["more"] != json!(true) {
                return items;
            }
            after = format!("&after={}", page["next"].as_str().unwrap_or_default());
        }
    }

    /// Makes a Shopify connection with this secret.
    pub async fn shop(&self) -> Shop {
        let body = json!({ "provider": "shopify", "account": SHOP, "secrets": { "client_secret": SECRET } });
        self.shop_with(body, SECRET).await
    }

    /// Makes a connection of this description, whose deliveries are signed with `secret`.
    pub async fn shop_with(&self, body: Value, secret: &str) -> Shop {
        let made = self.call(Method::POST, "/v1/connections", Some(body)).await.expect(201);
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Shop { id: text("id"), url: text("webhook_url"), account: text("account"), secret: secret.to_owned() }
    }
}

impl Shop {
    /// A version of a product, delivered.
    pub fn product(&self, number: u64, version: u64) -> Request<Bytes> {
        self.signed("products/update", &format!("{number}-{version}"), self.body(number, version))
    }

    /// The body of a version of a product.
    pub fn body(&self, number: u64, version: u64) -> Bytes {
        let updated_at = FIRST_VERSION + Duration::from_secs(version);
        let sample = Sample { number, updated_at, account: &self.account };
        let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
        provider.sample("products/update", &sample).expect("a sample")
    }

    /// A signed delivery.
    pub fn signed(&self, topic: &str, delivery: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
        let secrets = hooktide_providers::signing_with(provider.profile(), &Secret::new(self.secret.as_bytes()));
        let (account, body) = (self.account.as_str(), body.into());
        let unsigned =
            Unsigned { topic, body, account, delivery, secrets: &secrets, url: &self.url, now: FIRST_VERSION };
        provider.sign(unsigned).expect("a signed request")
    }
}
