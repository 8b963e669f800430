//! Failed verifications are limited, genuine deliveries never; and what endpoints are known is remembered for a while.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hooktide_core::address;
use hooktide_core::flows::receive::Receiver;
use hooktide_core::metering::Metered;
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::{Shop, World};
use http::Response;
use http::header::RETRY_AFTER;

const ATTACKER: &str = "192.0.2.66";
const NEIGHBOUR: &str = "192.0.2.67";

/// A receiver whose reads are counted.
struct Guarded {
    world: World,
    shop: Shop,
    receiver: Receiver,
    table: Arc<Metered<FaultyTable>>,
}

impl Guarded {
    async fn new() -> Self {
        let world = World::new().await;
        let shop = world.shop().await;
        let inner = FaultyTable::new(Arc::clone(&world.host.ports.table), Arc::default());
        let table = Arc::new(Metered::new(inner));
        let mut ports = world.host.ports.clone();
        ports.table = Arc::clone(&table) as Arc<_>;
        let receiver = Receiver::new(ports, world.host.settings.clone());
        Self { world, shop, receiver, table }
    }

    async fn deliver(&self, shop: &Shop, source: &str) -> Response<Bytes> {
        let request = self.world.sample(shop, "products/update", 1, self.world.now());
        self.receiver.receive(request, source, self.world.now()).await
    }

    async fn genuine(&self, source: &str) -> u16 {
        self.deliver(&self.shop, source).await.status().as_u16()
    }

    async fn forged(&self, source: &str) -> Response<Bytes> {
        self.deliver(&Shop { secret: "guessed".into(), ..self.shop.clone() }, source).await
    }

    /// How many reads there were since the last time.
    fn reads(&self) -> u64 {
        let calls = self.table.counts().total().calls;
        self.table.reset();
        calls
    }
}

#[tokio::test]
async fn failures_beyond_a_hundred_a_minute_from_one_address_are_told_to_wait() {
    let guarded = Guarded::new().await;
    guarded.world.clock.advance(Duration::from_secs(10));
    for _ in 0..100 {
        assert_eq!(guarded.forged(ATTACKER).await.status(), 401);
    }
    guarded.reads();
    for _ in 0..50 {
        let answer = guarded.forged(ATTACKER).await;
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()[RETRY_AFTER], "50", "the rest of the minute");
    }
    assert_eq!(guarded.reads(), 0, "what is over the limit causes no read");
    assert_eq!(guarded.genuine(ATTACKER).await, 200, "a valid signature counts from any address");
    assert_eq!(guarded.forged(NEIGHBOUR).await.status(), 401, "another address is not affected");
    let other = guarded.world.shop_with(serde_json::json!({
        "provider": "shopify", "account": "other.myshopify.com", "secrets": { "client_secret": "other" },
    }));
    let other = Shop { secret: "guessed".into(), ..other.await };
    assert_eq!(guarded.deliver(&other, ATTACKER).await.status(), 401, "another connection is not affected");
    guarded.world.clock.advance(Duration::from_secs(50));
    assert_eq!(guarded.forged(ATTACKER).await.status(), 401, "a new minute");
}

#[tokio::test]
async fn genuine_deliveries_are_never_refused_for_being_many() {
    let guarded = Guarded::new().await;
    for _ in 0..1_000 {
        assert_eq!(guarded.genuine(NEIGHBOUR).await, 200);
    }
    assert_eq!(guarded.reads(), 1, "the endpoint, once");
}

#[tokio::test]
async fn a_known_endpoint_is_read_every_five_minutes() {
    let guarded = Guarded::new().await;
    for (advance, reads) in [(0, 1), (0, 0), (299, 0), (1, 1), (299, 0), (1, 1)] {
        guarded.world.clock.advance(Duration::from_secs(advance));
        assert_eq!((guarded.genuine(NEIGHBOUR).await, guarded.reads()), (200, reads), "after {advance} s");
    }
    guarded.world.clock.set(guarded.world.now() - Duration::from_secs(3600));
    assert_eq!((guarded.genuine(NEIGHBOUR).await, guarded.reads()), (200, 1), "after the clock was set back");
}

#[tokio::test]
async fn a_forged_delivery_reads_a_cached_endpoint_once_more() {
    let guarded = Guarded::new().await;
    assert_eq!((guarded.forged(ATTACKER).await.status().as_u16(), guarded.reads()), (401, 1), "just read: not again");
    assert_eq!((guarded.forged(ATTACKER).await.status().as_u16(), guarded.reads()), (401, 1));
    assert_eq!((guarded.genuine(ATTACKER).await, guarded.reads()), (200, 0));
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_is_read_every_half_minute() {
    let guarded = Guarded::new().await;
    let keys = guarded.world.host.ports.keys.root().await.expect("root keys");
    let id = address::id_from("shopify", b"never made", &keys);
    let nobody = Shop {
        url: format!("http://127.0.0.1:8787{}", address::webhook_path("shopify", &id)),
        id,
        ..guarded.shop.clone()
    };
    for (advance, reads) in [(0, 1), (0, 0), (29, 0), (1, 1), (0, 0)] {
        guarded.world.clock.advance(Duration::from_secs(advance));
        let status = guarded.deliver(&nobody, NEIGHBOUR).await.status().as_u16();
        assert_eq!((status, guarded.reads()), (404, reads), "after {advance} s");
    }
}
