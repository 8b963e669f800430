//! Clocks that are ten years off: nothing panics, nothing is lost, and the feed stays readable.

use std::time::Duration;

use bytes::Bytes;
use hooktide_api::Options;
use hooktide_flows::Settings;
use hooktide_model::job_kind::JobKind;
use hooktide_model::tenant::Tenant;
use hooktide_store::ports::QueueName;
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark};
use hooktide_tests::bodies;
use hooktide_tests::world::{Shop, World};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3600);
const TEN_YEARS: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);
const RIGHT: SignedDuration = SignedDuration::ZERO;

/// A world in which a receiver's and a processor's clock are off for a while.
struct Skewed {
    world: World,
    shop: Shop,
    app: Shop,
    receiver: SignedDuration,
    processor: SignedDuration,
}

impl Skewed {
    async fn new(receiver: SignedDuration, processor: SignedDuration) -> Self {
        // One lane, so that the clocks' traces are in the way of every reader.
        let world = World::with(Settings { lanes: 1, ..Settings::default() }, Options::default()).await;
        let (shop, app) = (world.shop().await, world.shared_endpoint("app").await);
        Self { world, shop, app, receiver, processor }
    }

    /// Accepts a request by the receiver's clock.
    async fn receive(&self, request: Request<Bytes>) {
        let now = self.world.now() + self.receiver;
        let answer = self.world.host.receiver.receive(request, "192.0.2.1", now).await;
        assert_eq!(answer.status(), 200);
    }

    /// Processes what is queued by the processor's clock.
    async fn process(&self) {
        let now = self.world.now() + self.processor;
        let messages = self.world.take_messages(QueueName::Notices).await;
        let failed = self.world.host.processor.process(messages, now).await;
        assert!(failed.is_empty(), "{failed:?}");
    }

    /// Sends changes while the clocks are off, and right before and after.
    async fn run(&self) {
        let Self { world, shop, app, .. } = self;
        world.update(shop, 1).await;
        world.clock.advance(Duration::from_secs(60));
        for number in [1, 2] {
            self.receive(world.sample(shop, "products/update", number, world.now())).await;
        }
        self.receive(world.signed(shop, "products/update", "not json")).await;
        self.receive(world.sample(shop, "inventory_levels/update", 1, world.now())).await;
        let unknown = Shop { account: "later.myshopify.com".into(), ..app.clone() };
        self.receive(world.sample(&unknown, "products/update", 4, world.now())).await;
        self.process().await;
        world.clock.advance(Duration::from_secs(60));
        world.request(world.sample(shop, "inventory_levels/update", 1, world.now())).await;
        world.update(shop, 1).await;
        world.update(shop, 3).await;
        world.host.sweep().await.expect("a sweep");
    }

    /// The numbers of the products with published changes, in order.
    async fn told(&self) -> Vec<u64> {
        let mut told: Vec<u64> = self.world.changes().await.iter().filter_map(bodies::number_of).collect();
        told.sort_unstable();
        told
    }
}

#[tokio::test]
async fn nothing_is_lost_while_one_clock_is_ten_years_off() {
    for (receiver, processor) in [
        (TEN_YEARS, RIGHT),
        (-TEN_YEARS, RIGHT),
        (RIGHT, TEN_YEARS),
        (RIGHT, -TEN_YEARS),
        (TEN_YEARS, TEN_YEARS),
        (TEN_YEARS, -TEN_YEARS),
        (-TEN_YEARS, TEN_YEARS),
    ] {
        let skewed = Skewed::new(receiver, processor).await;
        let case = format!("receiver {receiver:#}, processor {processor:#}");
        skewed.run().await;
        assert_eq!(skewed.told().await, [1, 1, 1, 2, 3], "{case}");
        let world = &skewed.world;
        let letters = world.get("/v1/dead-letters").await.expect(200);
        assert_eq!(letters["items"].as_array().map(Vec::len), Some(1), "{case}: {letters}");
        world
            .shop_with(json!({ "provider": "shopify", "account": "later.myshopify.com", "endpoint": skewed.app.id }))
            .await;
        world.after(Duration::from_secs(5)).await;
        assert_eq!(skewed.told().await.last(), Some(&4), "{case}: held, then released");
    }
}

#[tokio::test]
async fn the_feed_is_readable_after_a_clock_was_ten_years_off() {
    for (receiver, processor) in [(RIGHT, TEN_YEARS), (RIGHT, -TEN_YEARS), (-TEN_YEARS, -TEN_YEARS), (TEN_YEARS, RIGHT)]
    {
        let skewed = Skewed::new(receiver, processor).await;
        let case = format!("receiver {receiver:#}, processor {processor:#}");
        skewed.run().await;
        let world = &skewed.world;
        let young =
            world.get("/v1/changes?limit=1000").await.expect(200)["next"].as_str().expect("a cursor").to_owned();
        world.update(&skewed.shop, 5).await;
        let news = world.get(&format!("/v1/changes?after={young}")).await.expect(200);
        assert_eq!(news["items"].as_array().map(Vec::len), Some(1), "{case}: {news}");
        for _ in 0..3 {
            world.clock.advance(20 * DAY);
            world.host.sweep().await.expect("a sweep");
            world.update(&skewed.shop, 6).await;
            assert_eq!(skewed.told().await.last(), Some(&6), "{case}");
        }
    }
}

#[tokio::test]
async fn a_hint_of_a_clock_that_was_ahead_delays_no_sync() {
    let skewed = Skewed::new(RIGHT, TEN_YEARS).await;
    skewed.run().await;
    let key = job::key(&Tenant::default_local(), &JobKind::SYNC, &format!("stock/{}", skewed.shop.id));
    let mark = records::get::<Mark>(&*skewed.world.host.ports.table, &key).await.expect("a read").expect("a mark");
    let due = Timestamp::from_millisecond(mark.record.due_at).expect("a time");
    assert!(due <= skewed.world.now() + job::LATEST, "due at {due}");
    assert_eq!(mark.record.hints, 2);
}
