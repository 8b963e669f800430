//! The simulated world: tenants with their shops, the ports, and the deliveries that were sent and accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hooktide_flows::connect::Context;
use hooktide_flows::feed::Item;
use hooktide_flows::{Ports, Settings};
use hooktide_local::clock::ManualClock;
use hooktide_local::keys::LocalKeys;
use hooktide_local::table::DynoxideTable;
use hooktide_model::entropy::Entropy;
use hooktide_model::names::Outcome;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Sample, Unsigned};
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Clock, Meter, Table};
use http::Request;
use jiff::Timestamp;
use object_store::memory::InMemory;

use super::mutations::{Forgetful, Mutation};
use super::ports::{GatedBus, GatedTable, Observed};
use super::queue::ModelQueue;
use super::scheduler::Scheduler;
use super::ties;
use crate::{bodies, world};

/// How many tenants there are; the first is noisy.
pub const TENANTS: usize = 10;
/// How many entities a shop has.
pub const THINGS: u64 = 12;
/// The secret that every shop signs with.
const SECRET: &str = "shpss_simulated";

/// A shop of a tenant.
#[derive(Debug, Clone)]
pub struct Shop {
    /// The owner.
    pub tenant: Tenant,
    /// The id of its connection.
    pub connection: String,
    /// The URL that its provider calls.
    pub url: String,
    /// Its account.
    pub account: String,
}

/// Something that a provider sends, until it is accepted.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The shop that sent it.
    pub shop: usize,
    /// The request.
    pub request: Request<Bytes>,
    /// What it reports.
    pub tells: Tells,
    /// The provider's id for it.
    pub id: String,
}

/// The content of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tells {
    /// An entity has this version (Unix time in milliseconds) and this quantity in stock.
    Update(u64, i64, u64),
    /// An entity was deleted.
    Delete(u64),
    /// Something changed.
    Hint,
    /// Somebody asks for their data.
    Privacy,
    /// The delivery is signed but unreadable.
    Unreadable,
    /// The delivery was changed on its way.
    Tampered,
}

/// A delivery that was answered 2xx.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// The shop that sent it.
    pub shop: usize,
    /// What it reports.
    pub tells: Tells,
    /// The time, by the true clock.
    pub at: Timestamp,
}

/// The knowledge of the providers.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The deliveries that were sent, by the provider's id for them.
    pub sent: BTreeMap<String, (usize, Tells)>,
    /// The newest version that was sent of each entity of a shop.
    pub newest: BTreeMap<(usize, u64), i64>,
    /// The deliveries that were accepted, by trace.
    pub accepted: BTreeMap<String, Accepted>,
    /// The ids of deliveries that must leave no trace.
    pub refused: BTreeSet<String>,
    /// The deliveries to send again, and when.
    pub again: Vec<(Timestamp, u32, Delivery)>,
    /// The shop whose feed each reader follows, and the changes that it has seen.
    pub seen: BTreeMap<usize, (usize, Seen)>,
}

/// The changes that a reader of a feed has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The changes.
    pub changes: BTreeSet<String>,
    /// The place of the last new change of each entity, among all commits.
    last: BTreeMap<String, u64>,
    /// Changes that came after a later one of the same entity.
    pub disordered: Vec<String>,
    /// Whether its cursor expired, although it never paused.
    pub is_expired: bool,
}

impl Ledger {
    /// The changes that a reader of a shop's feed has seen.
    pub fn reader(&mut self, number: usize, shop: usize) -> &mut Seen {
        &mut self.seen.entry(number).or_insert_with(|| (shop, Seen::default())).1
    }
}

impl Seen {
    /// A change that the reader receives; a repeat may come at any time.
    pub fn see(&mut self, item: &Item, tenant: &Tenant, observed: &Observed) {
        let Some(entity) = item.entry.entity() else { return };
        if !self.changes.insert(item.entry.id.clone()) {
            return;
        }
        let (lane, position) = item.place();
        let partition = Partition::of(tenant, Area::Journal(lane));
        let place = observed.committed(partition.as_str(), position).expect("a position that was committed");
        if let Some(later) = self.last.insert(entity.to_string(), place).filter(|last| place < *last) {
            self.disordered.push(format!("{entity}: {} at commit {place} after that of {later}", item.entry.id));
        }
    }
}

/// The state that actors share.
pub struct World {
    /// The scheduler, which makes every decision.
    pub scheduler: Arc<Scheduler>,
    /// The ports that actors get.
    pub ports: Ports,
    /// The table without a gate, for setup and inspection.
    pub table: Arc<dyn Table>,
    /// The history of the table.
    pub observed: Arc<Observed>,
    /// The queues.
    pub queue: ModelQueue,
    /// The bus.
    pub bus: Arc<GatedBus>,
    /// The settings.
    pub settings: Settings,
    /// The shops; the first belongs to the noisy tenant.
    pub shops: Vec<Shop>,
    /// The knowledge of the providers.
    pub ledger: Mutex<Ledger>,
    /// A flaw for tests.
    pub mutation: Option<Mutation>,
    /// The clock that the store deletes by.
    clock: ManualClock,
}

impl World {
    /// A world with its shops connected, in which nothing happened yet.
    pub async fn new(seed: u64, scheduler: Arc<Scheduler>, mutation: Option<Mutation>) -> Self {
        let clock = ManualClock::at(scheduler.now());
        let table: Arc<dyn Table> = Arc::new(DynoxideTable::in_memory(Arc::new(clock.clone())).expect("a table"));
        let entropy = Arc::new(Entropy::seeded(seed));
        let queue = ModelQueue::new(&scheduler, mutation == Some(Mutation::RetriesWithoutLimit));
        let bus = Arc::new(GatedBus::new(&scheduler));
        let settings = Settings { keep_journal: Duration::from_secs(365 * 24 * 3600), ..Settings::default() };
        let direct = Ports {
            table: Arc::clone(&table),
            queue: Arc::new(queue.clone()),
            bus: Arc::clone(&bus) as Arc<_>,
            blobs: Arc::new(InMemory::new()),
            keys: Arc::new(LocalKeys::generate(&entropy)),
            http: Arc::new(()),
            entropy,
            meter: Arc::new(Outcomes(Arc::clone(&scheduler))),
        };
        let shops = connect_shops(&direct, &settings, clock.now()).await;
        let observed = Arc::new(Observed::default());
        let gated: Arc<dyn Table> = Arc::new(GatedTable::new(Arc::clone(&table), &scheduler, &observed));
        let gated = match mutation {
            Some(mutation) => mutation.over(gated, &table, &scheduler),
            None => gated,
        };
        let mut ports = Ports { table: gated, ..direct };
        match mutation {
            Some(Mutation::RefusedIsQueued) => ports.queue = Arc::new(Forgetful(ports.queue)),
            Some(Mutation::FailedPublishForgotten) => ports.bus = Arc::new(Forgetful(ports.bus)),
            _ => {}
        }
        let ledger = Mutex::default();
        Self { scheduler, ports, table, observed, queue, bus, settings, shops, ledger, mutation, clock }
    }

    /// The knowledge of the providers.
    pub fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("one thread only")
    }

    /// The store's clock follows the scheduler's.
    pub fn sync_clock(&self) {
        self.clock.set(self.scheduler.now());
    }

    /// A signed delivery of a shop.
    pub fn deliver(&self, shop: usize, tells: Tells) -> Delivery {
        let of = &self.shops[shop];
        let now = self.scheduler.now();
        let (topic, number, updated_at) = match tells {
            Tells::Update(number, version, _) => {
                ("products/update", number, Timestamp::from_millisecond(version).expect("a time"))
            }
            Tells::Delete(number) => ("products/delete", number, now),
            Tells::Hint => ("inventory_levels/update", 1, now),
            // The person's id is not the id of any entity, so no entity's data names the person.
            Tells::Privacy => ("customers/redact", THINGS + 1, now),
            Tells::Unreadable | Tells::Tampered => ("products/update", 1, now),
        };
        let provider = hooktide_providers::webhooks_by_id("shopify").expect("shopify");
        let body = match tells {
            Tells::Unreadable => Bytes::from(format!("no JSON at {now}")),
            _ => {
                let sample = provider.sample(topic, &Sample { number, updated_at, account: &of.account });
                let sample = sample.expect("a sample");
                let sample =
                    if let Tells::Update(_, _, stock) = tells { ties::with_stock(&sample, stock) } else { sample };
                // Every other entity's document is too large to be stored inline.
                let large = matches!(tells, Tells::Update(..)) && number % 2 == 0;
                if large { bodies::enlarged(&sample, number) } else { sample }
            }
        };
        let id = self.ports.entropy.time_ordered_id(now);
        let secrets = hooktide_providers::signing_with(provider.profile(), &Secret::new(SECRET));
        let unsigned =
            Unsigned { topic, body, account: &of.account, delivery: &id, secrets: &secrets, url: &of.url, now };
        let mut request = provider.sign(unsigned).expect("a signed request");
        if tells == Tells::Tampered {
            let body = String::from_utf8(request.body().to_vec()).expect("text").replace("First", "Other");
            *request.body_mut() = Bytes::from(body);
        }
        Delivery { shop, request, tells, id }
    }
}

/// Counts the outcomes of deliveries.
struct Outcomes(Arc<Scheduler>);

impl Meter for Outcomes {
    fn count(&self, _provider: &str, outcome: Outcome, trace: &str) {
        let name = match outcome {
            Outcome::Processed => "outcome: processed",
            Outcome::Duplicate => "outcome: duplicate",
            Outcome::Stale => "outcome: stale",
            Outcome::Ignored => "outcome: ignored",
            Outcome::Waiting => "outcome: waiting",
            Outcome::Failed => "outcome: failed",
            Outcome::Dead => "outcome: dead",
        };
        self.0.note(name, trace);
    }
}

async fn connect_shops(ports: &Ports, settings: &Settings, now: Timestamp) -> Vec<Shop> {
    let mut shops = Vec::new();
    for n in 0..TENANTS {
        let tenant = Tenant::parse(&format!("tenant-{n}")).expect("a name");
        let context = Context { ports, settings, tenant: &tenant, now };
        let account = format!("shop-{n}.myshopify.com");
        let made = world::Shop::connect(context, &account, SECRET).await;
        shops.push(Shop { tenant, connection: made.id, url: made.url, account });
    }
    shops
}
