//! A whole Hooktide in memory, on a clock that only moves when it is told to.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use futures::TryStreamExt;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::connect::{self, Context, NewConnection, Repeat};
use hooktide_flows::message::Message;
use hooktide_local::clock::ManualClock;
use hooktide_local::host::Host;
use hooktide_local::server;
use hooktide_model::address;
use hooktide_model::names::Scope;
use hooktide_model::sealing::Place;
use hooktide_model::secret::{LiveSecret, Secret};
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Sample, Unsigned};
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records::dead_letter::DeadLetter;
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret};
use hooktide_store::records::token::{self, Principal};
use hooktide_store::records::{self, Upkeep, deferred};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The secret of [`World::shop`].
pub const SECRET: &str = "hush-shopify-client-secret";
/// The account of [`World::shop`].
pub const SHOP: &str = "demo.myshopify.com";

/// A whole Hooktide in memory.
pub struct World {
    /// Its host.
    pub host: Arc<Host>,
    /// Its clock.
    pub clock: ManualClock,
    /// All its routes.
    pub app: Router,
    /// The operator's key.
    pub operator: String,
}

/// An answer that was read completely.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Its body as JSON; null if it has none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Its body as JSON, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// A connection that was made.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Its id.
    pub id: String,
    /// The path that its provider calls.
    pub url: String,
    /// Its account.
    pub account: String,
    /// A live secret.
    pub secret: String,
}

impl Shop {
    /// Makes a Shopify connection with its own endpoint.
    pub async fn connect(context: Context<'_>, account: &str, secret: &str) -> Self {
        let new = NewConnection {
            provider: "shopify".to_owned(),
            account: Some(account.to_owned()),
            secrets: [("client_secret".to_owned(), vec![Secret::new(secret)])].into(),
            ..NewConnection::default()
        };
        let made = connect::create(context, new, &Repeat::default()).await.expect("a connection");
        let url = connect::webhook_url(context.settings, &made.provider, &made.endpoint);
        Self { id: made.id, url, account: account.to_owned(), secret: secret.to_owned() }
    }
}

impl World {
    /// A new world.
    pub async fn new() -> Self {
        Self::with(Settings::default(), Options { stream_life: Duration::ZERO, ..Options::default() }).await
    }

    /// A new world with other settings.
    pub async fn with(settings: Settings, options: Options) -> Self {
        let clock = clock();
        let host = Host::in_memory(7, settings, Arc::new(clock.clone())).expect("a host in memory opens");
        Self::over(Arc::new(host), clock, options).await
    }

    /// A world over an open host.
    pub async fn over(host: Arc<Host>, clock: ManualClock, options: Options) -> Self {
        let app = server::app(&host, host.api(options));
        let operator = make_token(&host, "default", &[Scope::Admin], true).await;
        Self { host, clock, app, operator }
    }

    /// A token of a tenant with these scopes.
    pub async fn token(&self, tenant: &str, scopes: &[Scope]) -> String {
        make_token(&self.host, tenant, scopes, false).await
    }

    /// Sends any request.
    pub async fn request(&self, request: Request<Bytes>) -> Answer {
        let response: Response<Body> = match self.app.clone().oneshot(request.map(Body::from)).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("the body of an answer");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Calls the API with a token.
    pub async fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let builder = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.request(builder.body(body).expect("a request")).await
    }

    /// Reads from the API with the operator's key.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(&self.operator, Method::GET, path, None).await
    }

    /// Posts to the API with the operator's key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(&self.operator, Method::POST, path, Some(body)).await
    }

    /// Puts to the API with the operator's key.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(&self.operator, Method::PUT, path, Some(body)).await
    }

    /// Lets all calendars of a connection that are listed be read.
    pub async fn include_all(&self, connection: &str) {
        let path = format!("/v1/connections/{connection}/calendars");
        for calendar in self.get(&path).await.expect(200)["items"].as_array().expect("a list") {
            self.put(&path, json!({ "calendar": calendar["id"], "included": true })).await.expect(200);
        }
    }

    /// Makes a Shopify connection with its own endpoint.
    pub async fn shop(&self) -> Shop {
        let (tenant, host) = (Tenant::default_local(), &self.host);
        let context = Context { ports: &host.ports, settings: &host.settings, tenant: &tenant, now: self.now() };
        Shop::connect(context, SHOP, SECRET).await
    }

    /// Makes a connection of this description.
    pub async fn shop_with(&self, body: Value) -> Shop {
        let made = self.post("/v1/connections", body).await.expect(201);
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Shop { id: text("id"), url: text("webhook_url"), account: text("account"), secret: SECRET.into() }
    }

    /// Makes an endpoint for an app with many accounts, open to every tenant; the account of the returned shop belongs to
    /// no connection.
    pub async fn shared_endpoint(&self, name: &str) -> Shop {
        self.endpoint_for(name, json!(["*"])).await
    }

    /// Makes an endpoint for an app with many accounts, open to these tenants.
    pub async fn endpoint_for(&self, name: &str, tenants: Value) -> Shop {
        let secrets = json!({ "client_secret": SECRET });
        let body = json!({ "provider": "shopify", "name": name, "secrets": secrets, "tenants": tenants });
        self.endpoint_with(body, SECRET).await
    }

    /// Makes an endpoint of this description for an app with many accounts, whose deliveries this secret proves.
    pub async fn endpoint_with(&self, body: Value, secret: &str) -> Shop {
        let made = self.post("/v1/endpoints", body).await.expect(201);
        let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        Shop { id: text("id"), url: text("webhook_url"), account: String::new(), secret: secret.into() }
    }

    /// The consent of an endpoint's owner, the operator, that a tenant connects an account to it.
    pub async fn claim(&self, app: &Shop, account: &str, tenant: &str) -> String {
        let body = json!({ "account": account, "tenant": tenant });
        let made = self.post(&format!("/v1/endpoints/{}/claims", app.id), body).await.expect(201);
        made["claim"].as_str().expect("a claim").to_owned()
    }

    /// Makes an endpoint with a provider's secrets, under their own ids, and returns its path.
    pub async fn endpoint(&self, provider: &str, secrets: &[LiveSecret]) -> String {
        let (ports, tenant) = (&self.host.ports, Tenant::default_local());
        let root = ports.keys.root().await.expect("root keys");
        let id = address::new_id(provider, &root, &ports.entropy);
        let record = endpoint::sealed_for(&endpoint::key(provider, &id));
        let seal = |live: &LiveSecret| {
            let place = Place { tenant: &tenant, record: &record, field: &format!("{}/{}", live.name, live.id) };
            let sealed = root.seal(&live.secret, place, &ports.entropy).expect("a sealed secret");
            let (name, key_id) = (live.name.clone(), live.id.clone());
            SealedSecret { name, key_id, sealed, created_at: self.now(), retires_at: live.retires_at }
        };
        let made = Endpoint {
            provider: provider.to_owned(),
            name: id.clone(),
            connection: None,
            account: None,
            tenants: Vec::new(),
            secrets: secrets.iter().map(seal).collect(),
            settings: Default::default(),
            created_at: self.now(),
            request: None,
            deleted_at: None,
            id,
            tenant: tenant.clone(),
        };
        let write = records::insert(&made.key(), &made, Upkeep::default()).expect("an endpoint");
        ports.table.write(write).await.expect("a write");
        format!("{}{}", self.host.settings.public_url, address::webhook_path(provider, &made.id))
    }

    /// A signed sample of a topic; `number` chooses the entity, `updated_at` its version.
    pub fn sample(&self, shop: &Shop, topic: &str, number: u64, updated_at: Timestamp) -> Request<Bytes> {
        let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
        let sample = Sample { number, updated_at, account: &shop.account };
        let body = provider.sample(topic, &sample).expect("a sample of the topic");
        self.signed(shop, topic, body)
    }

    /// A signed request with this body.
    pub fn signed(&self, shop: &Shop, topic: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
        let delivery = self.host.ports.entropy.time_ordered_id(self.now());
        let unsigned = Unsigned {
            topic,
            body: body.into(),
            account: &shop.account,
            delivery: &delivery,
            secrets: &hooktide_providers::signing_with(provider.profile(), &Secret::new(shop.secret.as_bytes())),
            url: &shop.url,
            now: self.now(),
        };
        provider.sign(unsigned).expect("a signed request")
    }

    /// The tag of the entity that samples of `number` are about.
    pub fn entity(&self, shop: &Shop, number: u64) -> String {
        let sample = self.sample(shop, "products/delete", number, self.now());
        let body: Value = serde_json::from_slice(sample.body()).expect("a sample");
        format!("product/{}/{}", shop.id, body["id"])
    }

    /// A millisecond later, sends a sample of `products/update` of the version `now`, and processes it.
    pub async fn update(&self, shop: &Shop, number: u64) -> Answer {
        self.clock.advance(Duration::from_millis(1));
        let answer = self.request(self.sample(shop, "products/update", number, self.now())).await;
        self.tick().await;
        answer
    }

    /// Does so for each of these products.
    pub async fn update_each(&self, shop: &Shop, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.update(shop, number).await;
        }
    }

    /// Processes everything that is due.
    pub async fn tick(&self) -> usize {
        self.host.tick().await.expect("a tick")
    }

    /// Takes all messages that are due off a queue, as a processor gets them.
    pub async fn take_messages(&self, queue: QueueName) -> Vec<Message> {
        let source = Source::Queue(queue);
        let received = self.host.queue.receive(source, 1_000).await.expect("messages");
        let receipts: Vec<(i64, u64)> = received.iter().map(|message| (message.id, message.receipt)).collect();
        self.host.queue.delete(&receipts).await.expect("messages that are deleted");
        let message = |(handle, body)| Message { handle: format!("{handle}"), source, body };
        received.into_iter().map(|message| message.body).enumerate().map(message).collect()
    }

    /// Hands messages to the processor as if the queue gave up on them, and returns the handles of those that stay.
    pub async fn give_up(&self, messages: Vec<Message>) -> Vec<String> {
        let given_up = messages.into_iter().map(|message| Message { source: Source::Dead, ..message }).collect();
        self.host.processor.process(given_up, self.now()).await
    }

    /// Removes all secrets from a shop's own endpoint, which no request can do.
    pub async fn without_secrets(&self, shop: &Shop) {
        let (table, key) = (&*self.host.ports.table, endpoint::key("shopify", &shop.id));
        let stored = records::get::<Endpoint>(table, &key).await.expect("a read").expect("an endpoint");
        let bare = Endpoint { secrets: Vec::new(), ..stored.record };
        let write = records::replace(&key, Some(stored.rev), &bare, Upkeep::default()).expect("an endpoint");
        table.write(write).await.expect("a write");
    }

    /// The deliveries that are held for unconnected accounts of an operator's endpoint.
    pub async fn held(&self, app: &Shop) -> Vec<DeadLetter> {
        let partition = Partition::of(&Tenant::default_local(), Area::Held(&app.id));
        let held = records::list_all::<DeadLetter>(&*self.host.ports.table, partition, "", 100_000).await;
        held.expect("held deliveries").into_iter().map(|(_, stored)| stored.record).collect()
    }

    /// Checks that nothing waits anywhere, but for jobs that are not due; otherwise, says what does.
    pub async fn idle(&self) -> Result<(), String> {
        for depth in self.host.queue.depth().await.expect("depths") {
            let delayed = if depth.source == Source::Queue(QueueName::Jobs) { 0 } else { depth.delayed };
            if depth.ready + delayed + depth.in_flight > 0 {
                return Err(format!("{depth:?}"));
            }
        }
        let deferred = deferred::due(&*self.host.ports.table, Timestamp::MAX, 1).await.expect("deferred messages");
        if deferred.is_empty() { Ok(()) } else { Err(format!("{deferred:?}")) }
    }

    /// Moves the clock and processes everything that became due.
    pub async fn after(&self, by: Duration) -> usize {
        self.clock.advance(by);
        self.tick().await
    }

    /// The time on the clock.
    pub fn now(&self) -> Timestamp {
        self.host.clock.now()
    }

    /// All changes that the operator's tenant has.
    pub async fn changes(&self) -> Vec<Value> {
        self.all("/v1/changes").await
    }

    /// All activity that the operator's tenant has.
    pub async fn activity(&self) -> Vec<Value> {
        self.all("/v1/activity").await
    }

    /// The outcomes of all activity, in order.
    pub async fn outcomes(&self) -> Vec<String> {
        let text = |entry: &Value| entry["outcome"].as_str().unwrap_or_default().to_owned();
        self.activity().await.iter().map(text).collect()
    }

    /// The paths of the blobs under `prefix`, sorted.
    pub async fn blobs(&self, prefix: &str) -> Vec<String> {
        let found = self.host.ports.blobs.list(Some(&prefix.into()));
        let found: Vec<_> = found.try_collect().await.expect("a list of blobs");
        let mut paths: Vec<String> = found.into_iter().map(|found| found.location.to_string()).collect();
        paths.sort();
        paths
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{path}?limit=1000{after}")).await.expect(200);
            items.extend(page["items"].as_array().cloned().unwrap_or_default());
            if page["more"] != json!(true) {
                return items;
            }
            after = format!("&after={}", page["next"].as_str().unwrap_or_default());
        }
    }
}

/// The clock of a new world.
pub fn clock() -> ManualClock {
    ManualClock::at("2026-11-02T08:00:00Z".parse().expect("a time"))
}

async fn make_token(host: &Host, tenant: &str, scopes: &[Scope], operator: bool) -> String {
    let principal = Principal {
        scopes: scopes.to_vec(),
        operator,
        ..Principal::operator(Tenant::parse(tenant).expect("a tenant's name"))
    };
    let issued = token::issue(&*host.ports.table, &host.ports.entropy, principal, None, host.clock.now()).await;
    issued.expect("a token is stored").text.expose_text().expect("text").to_owned()
}
