//! A provider's account in memory, which is asked without a socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hooktide_flows::Settings;
use hooktide_local::clock::ManualClock;
use hooktide_model::envelope::{Envelope, EnvelopeKind, Job};
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_providers::Provider;
use hooktide_providers::simulator::{Edit, Simulator};
use hooktide_store::ports::{Call, Clock, Http, Outgoing, QueueName, send_one};
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_store::records::resource::{Resource, ResourceId};
use http::{Method, Response};
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
    /// The end of an address whose answers are all of this status.
    broken: Mutex<Option<(String, u16)>>,
    /// How long each answer takes.
    takes: Mutex<Duration>,
}

impl Account {
    /// An account of a provider that has a simulator.
    pub fn new(provider: &dyn Provider, clock: ManualClock) -> Self {
        let simulator = Mutex::new(provider.simulator(1).expect("a simulator"));
        let (lost, broken) = (Mutex::default(), Mutex::default());
        Self { simulator, clock, lost, broken, takes: Mutex::default(), busy: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut dyn Simulator) -> T) -> T {
        act(&mut **self.simulator.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Loses all answers to requests for addresses with this part from now on.
    pub fn lose(&self, part: Option<&'static str>) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = part;
    }

    /// Answers all requests for addresses with this end with that status from now on.
    pub fn break_at(&self, end: Option<(String, u16)>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// Takes so long for each answer from now on.
    pub fn slow(&self, takes: Duration) {
        *self.takes.lock().unwrap_or_else(PoisonError::into_inner) = takes;
    }

    /// Ends the access token.
    pub fn expire(&self) {
        self.with(|simulator| simulator.expire_credentials());
    }

    /// Edits something; it is deleted without fields.
    pub fn edit(&self, what: &str, fields: Option<Value>) {
        self.edit_one(what, None, fields);
    }

    /// Edits what has this id, or makes something; returns its id.
    pub fn edit_one(&self, what: &str, id: Option<&str>, fields: Option<Value>) -> String {
        let fields = fields.map(|fields| fields.as_object().cloned().expect("fields"));
        let edit = Edit { what: what.to_owned(), id: id.map(str::to_owned), fields };
        self.with(|simulator| simulator.edit(&edit, self.clock.now())).expect("an edit")
    }

    /// What it has.
    pub fn state(&self) -> Value {
        self.with(|simulator| simulator.state())
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

    /// Bounds the calls of each minute; `None` lifts the bound.
    pub fn limit(&self, calls_per_minute: Option<u32>) {
        self.with(|simulator| simulator.limit(calls_per_minute));
    }

    /// How many calls of such a kind there were.
    pub fn calls(&self, kind: &str) -> u64 {
        let state = self.state();
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
        self.clock.advance(*self.takes.lock().unwrap_or_else(PoisonError::into_inner));
        let answer = self.with(|simulator| simulator.answer(&call.request, self.clock.now()));
        tokio::task::yield_now().await;
        self.end(path);
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, status)) = broken.filter(|(end, _)| path.ends_with(end.as_str())) {
            return Ok(Response::builder().status(status).body(Bytes::new()).expect("an answer"));
        }
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
        Self::under(Settings::default(), provider, settings).await
    }

    /// The same, where the operator has other settings.
    pub async fn under(operator: Settings, provider: &str, settings: Value) -> Self {
        let provider = hooktide_providers::by_id(provider).expect("a provider");
        let clock = clock();
        let account = Arc::new(Account::new(provider, clock.clone()));
        let faulty = FaultyWorld::asking(operator, clock, Some(Arc::clone(&account) as Arc<_>)).await;
        let made = faulty.world.post("/v1/connections", connection(provider, &settings)).await.expect(201);
        let provided = Self { faulty, account, connection: made["id"].as_str().expect("an id").to_owned() };
        provided.after(Duration::from_secs(1)).await;
        provided
    }

    /// Asks for a sync of everything, as a change of the settings does.
    pub async fn ask(&self, user: &str) {
        let path = format!("/v1/connections/{}", self.connection);
        let body = json!({ "settings": { "user": user } });
        let world = &self.faulty.world;
        world.call(&world.operator, Method::PATCH, &path, Some(body)).await.expect(200);
    }

    /// Lets time go by, and what is due be done.
    pub async fn after(&self, by: Duration) {
        let world = &self.faulty.world;
        world.clock.advance(by);
        for _ in 0..4 {
            world.host.sweep_jobs().await.expect("jobs are sent");
            world.tick().await;
            world.clock.advance(Duration::from_secs(3));
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

    /// Asks for a sync, as a person does.
    pub async fn run(&self, order: Value) {
        let path = format!("/v1/connections/{}/sync/run", self.connection);
        self.faulty.world.post(&path, order).await.expect(202);
    }

    /// Switches the syncs of the connection on or off.
    pub async fn switch(&self, is_on: bool) {
        let path = format!("/v1/connections/{}/sync", self.connection);
        let body = json!({ "rules": { "realtimeSyncEnabled": is_on } });
        let world = &self.faulty.world;
        world.call(&world.operator, Method::PUT, &path, Some(body)).await.expect(200);
    }

    /// Raises the mark of a resource, as a webhook about these entities does, and sends its job.
    pub async fn hint(&self, name: &str, entities: &[&str]) {
        let host = &self.faulty.world.host;
        let (now, tenant, resource) = (host.clock.now(), Tenant::default_local(), self.id(name).to_string());
        let key = job::key(&tenant, &JobKind::SYNC, &resource);
        let stored = records::get::<Mark>(&*host.ports.table, &key).await.expect("a mark");
        let reasons = BTreeMap::from([(MarkReason::Hint, 1)]);
        let entities = entities.iter().map(|entity| (*entity).to_owned()).collect();
        let (job, raised) = (JobKind::SYNC, &resource);
        let raise = Raise { tenant: &tenant, job, resource: raised, reasons: &reasons, entities: &entities };
        let mark = job::raised(stored.as_ref(), &raise, Duration::ZERO, now);
        let write = job::store(stored.map(|stored| stored.rev), &mark).expect("a write");
        host.ports.table.write(write).await.expect("a raised mark");
        let kind = EnvelopeKind::Job(Job { tenant, job: JobKind::SYNC, resource });
        let envelope = Envelope::new(format!("hint-{}", now.as_millisecond()), kind, now);
        let (body, group) = (envelope.encode().expect("a message"), envelope.group().to_owned());
        let message = Outgoing { queue: QueueName::Jobs, body, delay: Duration::ZERO, group };
        send_one(&*host.ports.queue, message).await.expect("a message that is sent");
    }

    fn id(&self, name: &str) -> ResourceId {
        ResourceId::new(&self.connection, name)
    }

    /// How far a resource is read.
    pub async fn resource(&self, name: &str) -> Resource {
        let (table, key) = (&*self.faulty.world.host.ports.table, self.id(name).key(&Tenant::default_local()));
        records::get::<Resource>(table, &key).await.expect("a read").expect("a resource").record
    }

    /// What the activity says, in order.
    pub async fn told(&self) -> Vec<String> {
        let activity = self.faulty.world.activity().await;
        activity.iter().filter_map(|entry| entry["reason"].as_str()).map(str::to_owned).collect()
    }

    /// How many entries of the activity say this.
    pub async fn tells(&self, text: &str) -> usize {
        self.told().await.iter().filter(|told| told.contains(text)).count()
    }
}
