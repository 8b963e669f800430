//! Failed verifications are limited, genuine deliveries never; and what endpoints are known is remembered for a while.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use bytes::Bytes;
use futures::future::join_all;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_flows::receive::Receiver;
use hooktide_model::address;
use hooktide_store::metering::Metered;
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::{Shop, World};
use http::header::RETRY_AFTER;
use http::{Method, Response};

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
        let (receiver, table) = world.metered_receiver();
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
async fn forged_deliveries_read_a_cached_endpoint_once_a_second_however_many_come() {
    let guarded = Guarded::new().await;
    for (advance, reads) in [(0, 1), (0, 0), (1_000, 1), (999, 0), (1, 1), (0, 0)] {
        guarded.world.clock.advance(Duration::from_millis(advance));
        let forged = join_all((0..300).map(|_| guarded.forged(ATTACKER))).await;
        assert!(forged.iter().all(|answer| [401, 429].contains(&answer.status().as_u16())));
        assert_eq!(guarded.reads(), reads, "after {advance} ms");
    }
    assert_eq!((guarded.genuine(ATTACKER).await, guarded.reads()), (200, 0));
}

#[tokio::test]
async fn a_new_secret_counts_at_once_amid_a_flood_of_forged_deliveries_from_the_same_address() {
    let guarded = Guarded::new().await;
    assert_eq!(guarded.genuine(ATTACKER).await, 200);
    let mut forged = 0;
    for second in 0..3 {
        guarded.world.clock.advance(Duration::from_secs(1));
        let secret = format!("added in second {second}");
        let path = format!("/v1/connections/{}/secrets/client_secret", guarded.shop.id);
        guarded.world.post(&path, serde_json::json!({ "value": secret })).await.expect(201);
        let by_new = Shop { secret, ..guarded.shop.clone() };
        for _ in 0..20 {
            for _ in 0..10 {
                forged += u32::from(guarded.forged(ATTACKER).await.status() == 429);
            }
            assert_eq!(guarded.deliver(&by_new, ATTACKER).await.status(), 200, "second {second}");
        }
    }
    assert!(forged >= 400, "the address is limited all along: {forged}");
}

#[tokio::test]
async fn what_the_api_changes_counts_at_once_in_the_same_process() {
    let world = World::new().await;
    let shop = world.shop().await;
    let with = |secret: &str| Shop { secret: secret.into(), ..shop.clone() };
    let send = async |shop: &Shop| world.request(world.sample(shop, "products/update", 1, world.now())).await;
    for _ in 0..2 * world.host.settings.failures_per_minute {
        send(&with("guessed")).await;
    }
    assert_eq!(send(&with("guessed")).await.status, 429);
    let path = format!("/v1/connections/{}/secrets/client_secret", shop.id);
    let added = world.post(&path, serde_json::json!({ "value": "new" })).await.expect(201);
    send(&with("new")).await.expect(200);
    let path = format!("{path}/{}", added["key_id"].as_str().unwrap());
    assert_eq!(world.call(&world.operator, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(send(&with("new")).await.status, 429, "a secret that is removed counts no more");
    send(&shop).await.expect(200);
    world.call(&world.operator, Method::DELETE, &format!("/v1/connections/{}", shop.id), None).await.expect(200);
    assert_eq!(send(&shop).await.status, 404);
}

#[tokio::test]
async fn a_network_of_ipv6_is_limited_as_one_sender() {
    let guarded = Guarded::new().await;
    for host in 0..100 {
        assert_eq!(guarded.forged(&format!("2001:db8:1:2::{host:x}")).await.status(), 401);
    }
    assert_eq!(guarded.forged("2001:db8:1:2:ffff::1").await.status(), 429);
    assert_eq!(guarded.forged("2001:db8:1:3::1").await.status(), 401, "another network is not affected");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_limited_by_itself() {
    let trusting = Settings { trusted_proxies: vec!["127.0.0.1".parse().unwrap()], ..Settings::default() };
    for (settings, neighbours) in [(trusting, 401), (Settings::default(), 429)] {
        let world = World::with(settings, Options { stream_life: Duration::ZERO, ..Options::default() }).await;
        let shop = Shop { secret: "guessed".into(), ..world.shop().await };
        let forged = async |client: &str| {
            let mut request = world.sample(&shop, "products/update", 1, world.now());
            // What the client itself says of others does not count.
            request.headers_mut().insert("x-forwarded-for", format!("203.0.113.9, {client}").parse().unwrap());
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
            world.request(request).await.status.as_u16()
        };
        for _ in 0..world.host.settings.failures_per_minute {
            assert_eq!(forged(ATTACKER).await, 401);
        }
        assert_eq!((forged(ATTACKER).await, forged(NEIGHBOUR).await), (429, neighbours));
    }
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
