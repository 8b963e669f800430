//! A world with the simulator of a provider: both listen, so that calls and notifications go over HTTP.

use std::sync::Arc;
use std::time::Duration;

use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_local::clock::ManualClock;
use hooktide_local::simulators;
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::settings::connection::ConnectionSettings;
use hooktide_providers::{Ask, Base, Provider, SubscriptionStep, SubscriptionTask};
use hooktide_store::ports::Clock;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::bent::{self, Bends};
use crate::world::World;

/// How long a notification may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A world, the simulator of a provider, and a connection to it.
pub struct Simulated {
    /// The world.
    pub world: Arc<World>,
    /// The connection.
    pub connection: String,
    /// What becomes of the provider's answers.
    pub bends: Bends,
    client: reqwest::Client,
    provider: &'static dyn Provider,
    simulator: String,
}

impl Simulated {
    /// A world that is connected to the simulator of this provider.
    pub async fn new(provider: &str) -> Self {
        Self::apart(provider, SignedDuration::ZERO).await
    }

    /// A world that is connected to Google's simulator, once the channels of the list and of two calendars have said that they are
    /// open. About the third calendar, of holidays, nothing is sent.
    pub async fn google_calendar() -> Self {
        let simulated = Self::new("google-calendar").await;
        simulated.after(Duration::from_secs(1)).await;
        simulated.include_all().await;
        simulated.heard(3).await;
        simulated
    }

    /// Lets all calendars that are listed be read, as somebody does who chooses each of them.
    pub async fn include_all(&self) {
        self.world.include_all(&self.connection).await;
        self.after(Duration::from_secs(1)).await;
    }

    /// A world that is connected to the simulator of this provider, whose clock is ahead of ours by this much.
    pub async fn apart(provider: &str, ahead: SignedDuration) -> Self {
        Self::of(&[provider], ahead).await.remove(0)
    }

    /// One world that is connected to the simulators of several providers, each once.
    pub async fn several(providers: &[&str]) -> Vec<Self> {
        Self::of(providers, SignedDuration::ZERO).await
    }

    async fn of(providers: &[&str], ahead: SignedDuration) -> Vec<Self> {
        let own = listen().await;
        let mut settings = Settings { public_url: address(&own), ..Settings::default() };
        let mut served = Vec::with_capacity(providers.len());
        for id in providers {
            let provider = hooktide_providers::by_id(id).expect("a provider");
            let [simulated, between] = [listen().await, listen().await];
            let [simulator, api] = [&simulated, &between].map(address);
            if field_of_address(provider).is_some() {
                settings.private_hosts.extend(api.trim_start_matches("http://").parse());
            } else {
                settings.apis.insert(provider.id(), api.clone());
                settings.oauths.insert(provider.id(), simulator.clone());
            }
            served.push((provider, (simulated, simulator), (between, api)));
        }
        let world = World::with(settings, Options { stream_life: Duration::ZERO, ..Options::default() }).await;
        let world = Arc::new(world);
        tokio::spawn(axum::serve(own, world.app.clone()).into_future());
        let mut all = Vec::with_capacity(served.len());
        for (provider, (simulated, simulator), (between, api)) in served {
            let clock: Arc<dyn Clock> = Arc::new(Ahead { of: world.clock.clone(), by: ahead });
            tokio::spawn(simulators::serve(provider, 1, clock, simulated, std::future::pending()));
            let bends = Bends::default();
            tokio::spawn(axum::serve(between, bent::between(simulator.clone(), bends.clone())).into_future());
            let settings = field_of_address(provider).map_or(json!({}), |address| json!({ address: api }));
            let made = world.post("/v1/connections", connection(provider, &settings)).await.expect(201);
            let (connection, client) = (made["id"].as_str().expect("an id").to_owned(), reqwest::Client::new());
            all.push(Self { world: Arc::clone(&world), connection, bends, client, provider, simulator });
        }
        all
    }

    /// Subscribes to a topic at this address behind our back, as somebody with the same credentials can.
    pub async fn subscribe(&self, topic: &str, url: &str) {
        let profile = self.provider.profile();
        let live = |(name, text): &(&str, &str)| LiveSecret {
            name: (*name).to_owned(),
            id: KeyId("own".to_owned()),
            secret: Secret::new(*text),
            retires_at: None,
        };
        let secrets = Secrets::new(profile.sample_secrets.iter().chain(profile.sample_credentials).map(live).collect());
        let settings = ConnectionSettings { site: Some(self.simulator.clone()), ..ConnectionSettings::default() };
        let api = self.provider.api().expect("an API");
        let base = match api.base() {
            Base::Fixed(base) => base.to_owned(),
            Base::OfConnection(of) | Base::OfSite(of) => {
                of(Some(profile.sample_account), &settings).expect("an address")
            }
        };
        let path = base.parse::<Uri>().expect("an address").path().trim_end_matches('/').to_owned();
        let task = SubscriptionTask {
            account: Some(profile.sample_account),
            settings: &settings,
            topic,
            part: None,
            url,
            secrets: &secrets,
            reference: "somebody-else",
            token: None,
            api: &format!("{}{path}", self.simulator),
            now: self.world.now(),
        };
        let facet = self.provider.subscriptions().expect("subscriptions");
        let Ask::Http(request) = facet.ask(&task, &SubscriptionStep::Register);
        let request = api.authorise(request, &secrets, self.world.now()).expect("credentials");
        let request = reqwest::Request::try_from(request).expect("a request");
        let answer = self.client.execute(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Posts to a control of the simulator.
    pub async fn control(&self, control: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}/_control/{control}", self.simulator)).json(&body);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status).expect("the control answers");
        answer.json().await.expect("JSON")
    }

    /// What the simulator has, with counts of what it sent.
    pub async fn state(&self) -> Value {
        let answer = self.client.get(format!("{}/_control/state", self.simulator)).send().await.expect("a state");
        answer.json().await.expect("JSON")
    }

    /// Lets time go by, and everything that is due be done.
    pub async fn after(&self, by: Duration) {
        self.world.clock.advance(by);
        for _ in 0..4 {
            self.world.host.sweep_subscriptions().await.expect("subscriptions are looked at");
            self.world.host.sweep_jobs().await.expect("jobs are sent");
            self.world.tick().await;
            self.world.clock.advance(Duration::from_secs(3));
        }
    }

    /// Waits until no notification is under way.
    pub async fn silent(&self) {
        let silent = async {
            while self.state().await["notifications"]["under_way"].as_u64() != Some(0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, silent).await.expect("the notifications are sent");
    }

    /// Waits until the simulator has sent so many notifications in all that were accepted.
    pub async fn heard(&self, count: u64) {
        let heard = async {
            while self.state().await["notifications"]["accepted"].as_u64() < Some(count) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("the notifications are sent");
    }
}

/// A clock that is ahead of another one.
#[derive(Debug)]
struct Ahead {
    of: ManualClock,
    by: SignedDuration,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.of.now() + self.by
    }
}

/// The setting that says where a provider is, if each connection has one of its own.
fn field_of_address(provider: &dyn Provider) -> Option<&'static str> {
    ["site", "url"].into_iter().find(|name| provider.profile().settings.contains(name))
}

fn address(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("an address"))
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

/// The body that makes a connection with everything that the simulator wants.
pub fn connection(provider: &dyn Provider, settings: &Value) -> Value {
    let profile = provider.profile();
    let secrets = profile.sample_secrets.iter().chain(profile.sample_credentials);
    let secrets: Map<String, Value> = secrets.map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({ "provider": profile.id, "account": profile.sample_account, "secrets": secrets, "settings": settings })
}
