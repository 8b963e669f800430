//! Budgets: what a webhook costs in write units, read units and calls, by its kind and the size of its batch.

use std::sync::Arc;
use std::time::Duration;

use hooktide_api::Options;
use hooktide_core::flows::process::Processor;
use hooktide_core::flows::receive::Receiver;
use hooktide_core::flows::{Ports, Settings};
use hooktide_core::metering::Metered;
use hooktide_core::ports::QueueName;
use hooktide_local::host::Host;
use hooktide_tests::faults::{Faults, FaultyBlobs, FaultyBus, FaultyQueue, FaultyTable, Published};
use hooktide_tests::world::{Shop, World, clock};
use serde_json::json;

/// A world whose calls are counted.
struct Metering {
    world: World,
    shop: Shop,
    app: Shop,
    table: Arc<Metered<FaultyTable>>,
    queue: Arc<Faults>,
    bus: Arc<Faults>,
    blobs: Arc<Faults>,
}

/// What one webhook cost.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    /// Write units of commits: transactions and single writes.
    commit: f64,
    /// Write units outside of them: documents, and when a secret last verified.
    beside: f64,
    /// Write units of the `due` index.
    index: f64,
    /// Read units.
    read: f64,
    /// Requests to the table, sends, publications, blobs.
    calls: [f64; 4],
}

impl Metering {
    async fn new() -> Self {
        let clock = clock();
        let mut host = Host::in_memory(7, Settings::default(), Arc::new(clock.clone())).expect("a host");
        let [queue, bus, blobs] = [(); 3].map(|()| Arc::new(Faults::default()));
        let ports = host.ports.clone();
        let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&ports.table), Arc::default())));
        host.ports = Ports {
            table: Arc::clone(&table) as Arc<_>,
            queue: Arc::new(FaultyQueue::new(Arc::clone(&ports.queue), Arc::clone(&queue))),
            bus: Arc::new(FaultyBus::new(Arc::clone(&ports.bus), Arc::new(Published::default()), Arc::clone(&bus))),
            blobs: Arc::new(FaultyBlobs::new(Arc::clone(&ports.blobs), Arc::clone(&blobs))),
            ..ports
        };
        host.receiver = Arc::new(Receiver::new(host.ports.clone(), host.settings.clone()));
        host.processor = Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
        let world = World::over(Arc::new(host), clock, Options::default()).await;
        let (shop, app) = (world.shop().await, world.shared_endpoint("app").await);
        let metering = Self { world, shop, app, table, queue, bus, blobs };
        // A warm process knows the ends of all lanes.
        for number in 0..40 {
            metering.world.update(&metering.shop, 1_000_000 + number).await;
        }
        let connected = json!({ "provider": "shopify", "account": CONNECTED, "endpoint": metering.app.id });
        metering.world.post("/v1/connections", connected).await.expect(201);
        for webhook in metering.webhooks("unknown account", 0, 1).await {
            metering.world.request(webhook).await;
        }
        metering.world.tick().await;
        metering
    }

    /// What receiving and processing these webhooks costs, each on its own or all as one batch.
    async fn cost(&self, webhooks: &[http::Request<bytes::Bytes>]) -> Cost {
        let calls = |metering: &Self| [&metering.queue, &metering.bus, &metering.blobs].map(|port| port.all_calls());
        let before = calls(self);
        self.table.reset();
        for request in webhooks {
            assert_eq!(self.world.request(request.clone()).await.status, 200);
        }
        assert_eq!(self.table.counts().total().calls, 0, "a warm receiver reads nothing");
        let messages = self.world.take_messages(QueueName::Notices).await;
        let failed = self.world.host.processor.process(messages, self.world.now()).await;
        assert!(failed.is_empty());
        let (counts, after) = (self.table.counts(), calls(self));
        let per = |total: f64| total / webhooks.len() as f64;
        let total = counts.total();
        Cost {
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
        }
    }

    /// Webhooks of this kind, new ones for each call with another `base`.
    async fn webhooks(&self, kind: &str, base: u64, count: u64) -> Vec<http::Request<bytes::Bytes>> {
        let Self { world, shop, app, .. } = self;
        let mut webhooks = Vec::new();
        for number in base..base + count {
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
                other => panic!("{other} is no kind"),
            });
        }
        world.clock.advance(Duration::from_secs(1));
        webhooks
    }
}

const CONNECTED: &str = "connected.myshopify.com";
const KINDS: [&str; 12] = [
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
];

#[tokio::test]
async fn webhooks_keep_to_their_budgets() {
    let metering = Metering::new().await;
    println!(
        "{:<16} {:>5} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7}",
        "per webhook", "batch", "commit", "beside", "index", "read", "table", "sends", "bus", "blobs"
    );
    for (row, kind) in (0..).zip(KINDS) {
        for (column, count) in (0..).zip([1, 25]) {
            let webhooks = metering.webhooks(kind, 10_000 + row * 1_000 + column * 100, count).await;
            let cost = metering.cost(&webhooks).await;
            let [table, sends, bus, blobs] = cost.calls;
            println!(
                "{kind:<16} {count:>5} {:>7.2} {:>7.2} {:>7.2} {:>7.2} {table:>7.2} {sends:>7.2} {bus:>7.2} {blobs:>7.2}",
                cost.commit, cost.beside, cost.index, cost.read
            );
            assert!(cost.calls[1] <= 1.0, "{kind}: one send for each webhook, and no more");
            if count == 25 {
                let most = match kind {
                    "fresh" | "again" | "deletion" => 3.0,
                    "duplicate" | "stale" | "same thing" | "ignored" => 0.5,
                    // Which account a thing belongs to is written down.
                    "fresh, shared" => 4.5,
                    // Each delivery has a record of its own.
                    "hint" => 2.5,
                    // Kept whole.
                    "privacy" => 7.5,
                    // Each is kept whole.
                    _ => 6.5,
                };
                assert!(cost.commit <= most, "{kind}: {} write units, at most {most}", cost.commit);
            }
        }
    }
}
