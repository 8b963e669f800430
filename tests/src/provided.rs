//! A provider's account in memory, which is asked without a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_flows::Settings;
use hooktide_local::clock::ManualClock;
use hooktide_model::fault::Fault;
use hooktide_providers::Provider;
use hooktide_providers::simulator::{Edit, Simulator};
use hooktide_store::ports::{Call, Clock, Http};
use http::Response;
use serde_json::{Value, json};

use crate::faults::FaultyWorld;
use crate::simulated::connection;
use crate::world::clock;

/// A provider's account in memory.
pub struct Account {
    simulator: Mutex<Box<dyn Simulator>>,
    clock: ManualClock,
    /// The part of an address whose answers are lost.
    lost: Mutex<Option<&'static str>>,
    /// How many calls of a path are under way, and how many were at the most.
    busy: Mutex<BTreeMap<String, [u32; 2]>>,
}

impl Account {
    /// An account of a provider that has a simulator.
    pub fn new(provider: &dyn Provider, clock: ManualClock) -> Self {
        let simulator = Mutex::new(provider.simulator(1).expect("a simulator"));
        Self { simulator, clock, lost: Mutex::default(), busy: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut dyn Simulator) -> T) -> T {
        act(&mut **self.simulator.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loses all answers to requests for addresses with this part from now on.
    pub fn lose(&self, part: Option<&'static str>) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// Ends the access token.
    pub fn expire(&self) {
        self.with(|simulator| simulator.expire_credentials());
    }

    /// Edits something; it is deleted without fields.
    pub fn edit(&self, what: &str, fields: Option<Value>) {
        let fields = fields.map(|fields| fields.as_object().cloned().expect("fields"));
        let edit = Edit { what: what.to_owned(), id: None, fields };
        self.with(|simulator| simulator.edit(&edit, self.clock.now())).expect("an edit");
    }

    /// How many calls of such a path were under way at once, at the most.
    pub fn most_at_once(&self, part: &str) -> u32 {
        let busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.iter().filter(|(path, _)| path.contains(part)).map(|(_, [_, most])| *most).max().unwrap_or(0)
    }

    fn begin(&self, path: &str) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let [now, most] = busy.entry(path.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
    }

    fn end(&self, path: &str) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.entry(path.to_owned()).or_default()[0] -= 1;
    }

    /// How many calls of such a kind there were.
    pub fn calls(&self, kind: &str) -> u64 {
        let state = self.with(|simulator| simulator.state());
        let calls = state["calls"].as_object().expect("calls").iter().filter(|(name, _)| name.contains(kind));
        calls.filter_map(|(_, count)| count.as_u64()).sum()
    }
}

#[async_trait]
impl Http for Account {
    async fn send(&self, call: Call) -> Result<Response<Bytes>, Fault> {
        let path = call.request.uri().path();
        self.begin(path);
        // Others get their turn, as they would while a request is on its way.
        tokio::task::yield_now().await;
        let answer = self.with(|simulator| simulator.answer(&call.request, self.clock.now()));
        tokio::task::yield_now().await;
        self.end(path);
        let lost = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match lost.is_some_and(|part| path.contains(part)) {
            true => Err(Fault::retryable("the answer was lost")),
            false => Ok(answer),
        }
    }
}

/// A world whose ports fail on demand, connected to a provider's account in memory.
pub struct Provided {
    /// The world.
    pub faulty: FaultyWorld,
    /// The account.
    pub account: Arc<Account>,
    /// The id of the connection.
    pub connection: String,
}

impl Provided {
    /// A connection to a provider that has read everything once. It polls, since nothing is subscribed to.
    pub async fn new(provider: &str) -> Self {
        Self::with(provider, json!({})).await
    }

    /// The same, with settings of the connection.
    pub async fn with(provider: &str, settings: Value) -> Self {
        let provider = hooktide_providers::by_id(provider).expect("a provider");
        let clock = clock();
        let account = Arc::new(Account::new(provider, clock.clone()));
        let faulty = FaultyWorld::asking(Settings::default(), clock, Some(Arc::clone(&account) as Arc<_>)).await;
        let made = faulty.world.post("/v1/connections", connection(provider, &settings)).await.expect(201);
        let provided = Self { faulty, account, connection: made["id"].as_str().expect("an id").to_owned() };
        provided.after(std::time::Duration::from_secs(1)).await;
        provided
    }

    /// Asks for a sync of everything, as a change of the settings does.
    pub async fn ask(&self, user: &str) {
        let path = format!("/v1/connections/{}", self.connection);
        let body = json!({ "settings": { "user": user } });
        let world = &self.faulty.world;
        world.call(&world.operator, http::Method::PATCH, &path, Some(body)).await.expect(200);
    }

    /// Lets time go by, and what is due be done.
    pub async fn after(&self, by: std::time::Duration) {
        let world = &self.faulty.world;
        world.clock.advance(by);
        for _ in 0..4 {
            world.host.sweep_jobs().await.expect("jobs are sent");
            world.tick().await;
            world.clock.advance(std::time::Duration::from_secs(3));
        }
    }

    /// The connection, as the API shows it.
    pub async fn shown(&self) -> Value {
        self.faulty.world.get(&format!("/v1/connections/{}", self.connection)).await.expect(200)
    }

    /// Whether a change of a product with this title is known.
    pub async fn knows(&self, title: &str) -> bool {
        self.faulty.world.changes().await.iter().any(|change| change["document"]["title"] == title)
    }
}
