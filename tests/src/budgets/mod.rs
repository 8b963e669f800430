//! What a webhook uses: write and read units, calls, entries of the bus and bytes of the log, by its kind and the size of
//! its batch. Counted at the ports of a whole Hooktide in memory.
#![allow(clippy::expect_used, clippy::panic, reason = "what does not work here fails the test")]

pub mod fetched;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_flows::{Ports, Settings};
use hooktide_functions::metrics::{self, Tally};
use hooktide_local::host::Host;
use hooktide_model::names::Scope;
use hooktide_store::metering::Metered;
use hooktide_store::ports::QueueName;
use http::{Method, Request};
use serde_json::json;

use crate::connected::Connected;
use crate::faults::{Faults, FaultyBlobs, FaultyBus, FaultyQueue, FaultyTable, Published};
use crate::merchant::{self, Payment};
use crate::provided::Account;
use crate::world::{SECRET, Shop, World, clock};

/// The account of the operator's endpoint that somebody has connected.
const CONNECTED: &str = "connected.myshopify.com";
/// Products that are changed before anything is counted: a warm process knows the ends of all lanes.
const WARMING: u64 = 40;

/// The kinds of webhooks that are counted.
pub const KINDS: [&str; 15] = [
    "fresh",
    "fresh, shared",
    "again",
    "duplicate",
    "stale",
    "same thing",
    "deletion",
    "hint",
    "privacy",
    "ignored",
    "unreadable",
    "unknown account",
    "payment",
    "payment again",
    "payment twice",
];

/// A world whose calls are counted.
pub struct Metering {
    world: World,
    shop: Shop,
    app: Shop,
    /// The connection that payments are reported to.
    merchant: Connected,
    table: Arc<Metered<FaultyTable>>,
    queue: Arc<Faults>,
    bus: Arc<Faults>,
    blobs: Arc<Faults>,
    published: Arc<Published>,
    tally: Arc<Tally>,
    /// The account that hints are fetched from.
    account: Arc<Account>,
}

/// What one webhook uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// Write units of commits: transactions and single writes.
    pub commit: f64,
    /// Write units outside of them: documents, and when a secret last verified.
    pub beside: f64,
    /// Write units of the `due` index.
    pub index: f64,
    /// Read units.
    pub read: f64,
    /// Requests to the table, sends, publications, blobs.
    pub calls: [f64; 4],
    /// Entries of the bus, each of at most 64 KB.
    pub entries: f64,
    /// Bytes of the receiver's metric line.
    pub received_line: f64,
    /// Bytes of the processor's metric lines, and of the syncer's.
    pub processed_lines: f64,
    /// Runs of the syncer.
    pub syncs: f64,
    /// Questions to the provider.
    pub questions: f64,
}

impl Metering {
    /// A world with one tenant, warmed up.
    pub async fn new() -> Self {
        let clock = clock();
        let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).expect("a host");
        let [queue, bus, blobs] = [(); 3].map(|()| Arc::new(Faults::default()));
        let (published, tally) = (Arc::new(Published::default()), Arc::new(Tally::default()));
        let ports = host.ports.clone();
        let account = Arc::new(Account::new(fetched::provider(), clock.clone()));
        let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&ports.table), Arc::default())));
        host.ports = Ports {
            table: Arc::clone(&table) as Arc<_>,
            queue: Arc::new(FaultyQueue::new(Arc::clone(&ports.queue), Arc::clone(&queue))),
            bus: Arc::new(FaultyBus::new(Arc::clone(&ports.bus), Arc::clone(&published), Arc::clone(&bus))),
            blobs: Arc::new(FaultyBlobs::new(Arc::clone(&ports.blobs), Arc::clone(&blobs))),
            meter: Arc::clone(&tally) as Arc<_>,
            http: Arc::clone(&account) as Arc<_>,
            ..ports
        };
        host.receiver = Arc::new(Receiver::new(host.ports.clone(), host.settings.clone()));
        host.processor = Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
        host.syncer = Arc::new(Syncer::new(host.ports.clone(), &host.settings));
        let world = World::over(Arc::new(host), clock, Options { test_tools: true, ..Options::default() }).await;
        let (shop, app) = (world.shop().await, world.shared_endpoint("app").await);
        let merchant = merchant::connect(&world, "Merchant", json!({})).await;
        let metering = Self { world, shop, app, merchant, table, queue, bus, blobs, published, tally, account };
        metering.warm_up(&metering.shop).await;
        for webhook in metering.webhooks("payment", 0, WARMING).await {
            metering.world.request(webhook).await;
        }
        metering.world.tick().await;
        let connected = json!({ "provider": "shopify", "account": CONNECTED, "endpoint": metering.app.id });
        metering.world.post("/v1/connections", connected).await.expect(201);
        for webhook in metering.webhooks("unknown account", 0, 1).await {
            metering.world.request(webhook).await;
        }
        metering.world.tick().await;
        metering
    }

    async fn warm_up(&self, shop: &Shop) {
        for number in 0..WARMING {
            self.world.update(shop, 1_000_000 + number).await;
        }
    }

    /// A shop each of so many further tenants, warmed up.
    pub async fn tenants(&self, count: usize) -> Vec<Shop> {
        let mut shops = Vec::new();
        for number in 0..count {
            let token = self.world.token(&format!("tenant-{number}"), &[Scope::Admin]).await;
            let account = format!("shop-{number}.myshopify.com");
            let body = json!({ "provider": "shopify", "account": account, "secrets": { "client_secret": SECRET } });
            let made = self.world.call(&token, Method::POST, "/v1/connections", Some(body)).await.expect(201);
            let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
            let shop = Shop { id: text("id"), url: text("webhook_url"), account, secret: SECRET.into() };
            self.warm_up(&shop).await;
            shops.push(shop);
        }
        shops
    }

    /// What receiving and processing these webhooks uses, each on its own or all as one batch; the average of them.
    pub async fn used(&self, webhooks: &[Request<Bytes>]) -> Used {
        self.measure(webhooks, false).await
    }

    async fn measure(&self, webhooks: &[Request<Bytes>], runs_jobs: bool) -> Used {
        let asked = self.account.calls("");
        let calls = |metering: &Self| [&metering.queue, &metering.bus, &metering.blobs].map(|port| port.all_calls());
        self.tally.take(self.world.now());
        let (before, told) = (calls(self), self.published.entries().len());
        self.table.reset();
        for request in webhooks {
            assert_eq!(self.world.request(request.clone()).await.status, 200);
        }
        assert_eq!(self.table.counts().total().calls, 0, "a warm receiver reads nothing");
        let mut messages = self.world.take_messages(QueueName::Priority).await;
        messages.extend(self.world.take_messages(QueueName::Notices).await);
        let failed = self.world.host.processor.process(messages, self.world.now()).await;
        assert!(failed.is_empty());
        let syncs = if runs_jobs { self.run_jobs().await } else { 0 };
        let (counts, after) = (self.table.counts(), calls(self));
        let lines = self.tally.take(self.world.now());
        let per = |total: f64| total / webhooks.len() as f64;
        let total = counts.total();
        Used {
            commit: per((counts.transact.write_units + counts.write.write_units) as f64),
            beside: per(counts.write_many.write_units as f64),
            index: per(total.index_write_units as f64),
            read: per(total.read_units),
            calls: [
                per(total.requests as f64),
                per((after[0] - before[0]) as f64),
                per((after[1] - before[1]) as f64),
                per((after[2] - before[2]) as f64),
            ],
            entries: per((self.published.entries().len() - told) as f64),
            received_line: self.received_line(),
            processed_lines: per(lines.iter().map(|line| line.len() + 1).sum::<usize>() as f64),
            syncs: per(syncs as f64),
            questions: per((self.account.calls("") - asked) as f64),
        }
    }

    /// The length of what a receiver logs of a delivery: times and traces are all as long as these.
    fn received_line(&self) -> f64 {
        let (took, trace) = (Duration::from_micros(4_321), "0123456789abcdef0123456789abcdef");
        (metrics::delivery(self.world.now(), "shopify", "accepted", took, Some(trace)).len() + 1) as f64
    }

    /// Webhooks of this kind for one tenant, new ones for each call with another `base`.
    pub async fn webhooks(&self, kind: &str, base: u64, count: u64) -> Vec<Request<Bytes>> {
        self.webhooks_of(std::slice::from_ref(&self.shop), kind, base, count).await
    }

    /// Webhooks of this kind for shops in turn, new ones for each call with another `base`.
    pub async fn webhooks_of(&self, shops: &[Shop], kind: &str, base: u64, count: u64) -> Vec<Request<Bytes>> {
        let Self { world, app, .. } = self;
        let mut webhooks = Vec::new();
        for (shop, number) in shops.iter().cycle().zip(base..base + count) {
            let sample = |shop: &Shop, topic: &str, number: u64| world.sample(shop, topic, number, world.now());
            let of = |account: &str| Shop { account: account.into(), ..app.clone() };
            let hour_ago = world.now() - Duration::from_secs(3600);
            webhooks.push(match kind {
                "fresh" => sample(shop, "products/update", number),
                "again" | "duplicate" => {
                    let first = sample(shop, "products/update", number);
                    world.request(first.clone()).await;
                    world.after(Duration::from_secs(1)).await;
                    if kind == "duplicate" { first } else { sample(shop, "products/update", number) }
                }
                "stale" => {
                    world.update(shop, number).await;
                    world.sample(shop, "products/update", number, hour_ago)
                }
                "same thing" => {
                    world.sample(shop, "products/update", base, hour_ago + Duration::from_secs(number - base))
                }
                "deletion" => {
                    world.update(shop, number).await;
                    sample(shop, "products/delete", number)
                }
                "hint" => sample(shop, "inventory_levels/update", number),
                "privacy" => sample(shop, "customers/redact", number),
                "ignored" => world.signed(shop, "carts/create", format!("{{\"n\":{number}}}")),
                "unreadable" => world.signed(shop, "products/update", format!("no JSON, number {number}")),
                "fresh, shared" => sample(&of(CONNECTED), "products/update", number),
                "unknown account" => sample(&of("nobody.myshopify.com"), "products/update", number),
                "payment" => self.payment(number, "COMPLETED"),
                "payment again" | "payment twice" => {
                    let first = self.payment(number, "PROCESSING");
                    world.request(first.clone()).await;
                    world.after(Duration::from_secs(1)).await;
                    if kind == "payment twice" { first } else { self.payment(number, "COMPLETED") }
                }
                other => panic!("{other} is no kind"),
            });
        }
        world.clock.advance(Duration::from_secs(1));
        webhooks
    }

    /// A payment of now, in this status.
    fn payment(&self, number: u64, status: &'static str) -> Request<Bytes> {
        let now = self.world.now();
        let payment = Payment { status, ..Payment::new(&format!("p-{number}"), &now.to_string()) };
        merchant::signed(&self.merchant, payment.body().to_string(), now)
    }
}
