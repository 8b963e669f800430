//! Ties: states that have one version, since the provider's clock did not move, and states that differ only in it.

use std::time::Duration;

use bytes::Bytes;
use hooktide_model::job_kind::JobKind;
use hooktide_model::secret::Secret;
use hooktide_model::tenant::Tenant;
use hooktide_providers::{Sample, Unsigned};
use hooktide_store::ports::QueueName;
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark};
use hooktide_store::records::tag;
use hooktide_tests::connected::Connected;
use hooktide_tests::world::World;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A store, and what it sends.
pub struct Store {
    pub world: World,
    pub connected: Connected,
    deliveries: std::cell::Cell<u32>,
}

impl Store {
    pub async fn new() -> Self {
        let world = World::new().await;
        let connected = world.connect(hooktide_providers::webhooks_by_id("woocommerce").unwrap()).await;
        Self { world, connected, deliveries: std::cell::Cell::new(0) }
    }

    /// A signed delivery of this body.
    pub fn signed(&self, topic: &str, body: impl Into<Bytes>) -> Request<Bytes> {
        let provider = hooktide_providers::webhooks_by_id("woocommerce").unwrap();
        self.deliveries.set(self.deliveries.get() + 1);
        let unsigned = Unsigned {
            topic,
            body: body.into(),
            account: provider.profile().sample_account,
            delivery: &format!("delivery-{}", self.deliveries.get()),
            secrets: &hooktide_providers::signing_with(
                provider.profile(),
                &Secret::new(provider.profile().sample_secrets[0].1),
            ),
            url: &format!("https://hooks.example.com{}", self.connected.path),
            now: self.world.now(),
        };
        let mut request = provider.sign(unsigned).unwrap();
        *request.uri_mut() = self.connected.path.parse().unwrap();
        request
    }

    /// The first product as it was modified then, with so many in stock.
    pub fn product(&self, modified: Timestamp, stock: i64) -> Value {
        let provider = hooktide_providers::webhooks_by_id("woocommerce").unwrap();
        let sample = Sample { number: 1, updated_at: modified, account: provider.profile().sample_account };
        let mut body: Value = serde_json::from_slice(&provider.sample("product.updated", &sample).unwrap()).unwrap();
        body["stock_quantity"] = stock.into();
        body
    }

    /// Sends a delivery and processes it, some milliseconds after the one before.
    pub async fn send(&self, request: Request<Bytes>) {
        self.world.clock.advance(Duration::from_millis(7));
        assert_eq!(self.world.request(request).await.status, 200);
        self.world.tick().await;
    }

    /// How many hints the mark of its products stands for.
    pub async fn asked(&self) -> u64 {
        let key = job::key(&Tenant::default_local(), &JobKind::SYNC, &format!("products/{}", self.connected.id));
        let mark = records::get::<Mark>(&*self.world.host.ports.table, &key).await.unwrap();
        mark.map_or(0, |mark| mark.record.hints)
    }

    /// How often the tag of all products was raised.
    async fn raised(&self) -> u64 {
        let (table, lanes) = (&*self.world.host.ports.table, self.world.host.settings.lanes);
        let versions = tag::versions(table, &Tenant::default_local(), &["products".to_owned()], lanes).await.unwrap();
        versions[0]
    }

    /// The last change, as (operation, stock).
    pub async fn last(&self) -> (Value, Value) {
        let change = self.world.changes().await.pop().expect("a change");
        (change["op"].clone(), change["document"]["variants"][0]["stock"].clone())
    }

    async fn reasons(&self) -> Vec<String> {
        let reason = |entry: &Value| entry["reason"].as_str().unwrap_or_default().to_owned();
        self.world.activity().await.iter().map(reason).collect()
    }
}

#[tokio::test]
async fn a_store_whose_date_does_not_move_ends_at_the_stock_that_it_told_last() {
    let store = Store::new().await;
    let modified = store.world.now();
    for stock in (0..=10).rev() {
        store.send(store.signed("product.updated", store.product(modified, stock).to_string())).await;
    }
    assert_eq!(store.world.outcomes().await, ["processed"; 11]);
    assert_eq!(store.last().await, (json!("updated"), json!(0)));
    let reasons = store.reasons().await;
    assert!(reasons[1..].iter().all(|reason| reason.starts_with("same version as another state")), "{reasons:?}");
    assert_eq!(store.asked().await, 10, "each tie asks the store");
}

#[tokio::test]
async fn ties_that_are_processed_in_any_order_end_at_what_was_told_last() {
    for (seed, batch) in [(1, 1), (3, 2), (5, 3), (7, 11)] {
        let store = Store::new().await;
        let modified = store.world.now();
        let mut messages = Vec::new();
        for stock in (0..=10).rev() {
            store.world.clock.advance(Duration::from_millis(7));
            let request = store.signed("product.updated", store.product(modified, stock).to_string());
            assert_eq!(store.world.request(request).await.status, 200);
            messages.extend(store.world.take_messages(QueueName::Notices).await);
        }
        for index in 0..messages.len() {
            messages.swap(index, (index * 7 + seed) % 11);
        }
        for messages in messages.chunks(batch) {
            assert!(store.world.host.processor.process(messages.to_vec(), store.world.now()).await.is_empty());
        }
        let documents: Vec<Value> =
            store.world.changes().await.iter().map(|change| change["document"].clone()).collect();
        let stocks: Vec<&Value> =
            documents.iter().filter_map(|document| document.pointer("/variants/0/stock")).collect();
        assert_eq!(stocks, [&json!(0)], "seed {seed}: only what stands has its document");
        let reasons = store.reasons().await;
        assert!(!reasons.iter().any(|reason| reason.contains("newer")), "seed {seed}: {reasons:?}");
    }
}

#[tokio::test]
async fn a_resend_lifts_no_older_state() {
    let store = Store::new().await;
    let modified = store.world.now();
    let first = store.signed("product.updated", store.product(modified, 5).to_string());
    store.send(first.clone()).await;
    store.send(store.signed("product.updated", store.product(modified, 4).to_string())).await;
    store.send(first).await;
    assert_eq!(store.world.outcomes().await, ["processed", "processed", "duplicate"]);
    assert_eq!(store.last().await, (json!("updated"), json!(4)));
}

#[tokio::test]
async fn two_prices_within_one_second_end_at_the_second() {
    let world = World::new().await;
    let shop = world.shop().await;
    let updated_at = world.now();
    for (number, prices) in (0..20).zip([["12.00", "9.00"], ["9.00", "12.00"]].iter().cycle()) {
        for price in prices {
            let variant = json!({ "id": 1, "price": price });
            let body = json!({
                "id": 7_000 + number, "title": "Tea", "updated_at": updated_at.to_string(), "variants": [variant],
            });
            world.request(world.signed(&shop, "products/update", body.to_string())).await;
            world.clock.advance(Duration::from_millis(20));
        }
        world.tick().await;
        let change = world.changes().await.pop().expect("a change");
        assert_eq!(change["document"]["variants"][0]["price"], prices[1], "product {number}");
    }
}

#[tokio::test]
async fn what_differs_only_in_its_time_is_no_change() {
    let store = Store::new().await;
    let modified = store.world.now();
    let at = |seconds: u64| modified + Duration::from_secs(seconds);
    store.send(store.signed("product.updated", store.product(modified, 5).to_string())).await;
    let raised = store.raised().await;
    store.send(store.signed("product.updated", store.product(at(9), 5).to_string())).await;
    assert_eq!(store.raised().await, raised, "caches keep what they have");
    store.send(store.signed("product.updated", store.product(at(5), 6).to_string())).await;
    assert_eq!(store.world.outcomes().await, ["processed", "duplicate", "stale"], "the guard moved");
    assert_eq!(store.reasons().await[1], "the same state, told again");
    let changes = store.world.changes().await;
    assert_eq!((changes.len(), &changes[0]["document"]["variants"][0]["stock"]), (1, &json!(5)));
    store.send(store.signed("product.updated", store.product(at(10), 6).to_string())).await;
    assert_eq!(store.last().await, (json!("updated"), json!(6)));
}

#[tokio::test]
async fn a_date_years_ahead_is_not_believed_and_freezes_nothing() {
    let store = Store::new().await;
    let ahead = store.world.now() + Duration::from_secs(10 * 365 * 24 * 3600);
    store.send(store.signed("product.updated", store.product(ahead, 5).to_string())).await;
    store.world.clock.advance(Duration::from_secs(2));
    store.send(store.signed("product.updated", store.product(store.world.now(), 4).to_string())).await;
    assert_eq!(store.world.outcomes().await, ["processed", "processed"]);
    assert_eq!(store.last().await, (json!("updated"), json!(4)));
    let reasons = store.reasons().await;
    assert!(reasons[0].contains("more than a day ahead") && reasons[0].contains("a sync of products/"), "{reasons:?}");
}

#[tokio::test]
async fn a_deletion_of_what_was_never_known_is_no_change() {
    let store = Store::new().await;
    store.send(store.signed("product.deleted", json!({ "id": 4711 }).to_string())).await;
    assert!(store.world.changes().await.is_empty());
    let activity = store.world.activity().await;
    let told =
        activity.iter().find(|entry| entry["reason"].as_str().is_some_and(|reason| reason.contains("never known")));
    assert_eq!(told.map(|entry| &entry["outcome"]), Some(&json!("ignored")), "{activity:?}");
}

#[tokio::test]
async fn a_deletion_with_a_date_of_what_was_never_known_is_no_change_either() {
    let store = Store::new().await;
    let mut product = store.product(store.world.now(), 5);
    product["status"] = "trash".into();
    store.send(store.signed("product.updated", product.to_string())).await;
    assert!(store.world.changes().await.is_empty());
    assert_eq!(store.world.outcomes().await, ["ignored"]);
    assert_eq!(store.reasons().await, ["deleted, and was never known"]);
    let shop = store.world.shop().await;
    store.world.request(store.world.sample(&shop, "products/delete", 1, store.world.now())).await.expect(200);
    store.world.tick().await;
    assert_eq!((store.world.changes().await.len(), store.world.outcomes().await), (0, vec!["ignored".to_owned(); 2]));
    store.world.update(&shop, 1).await.expect(200);
    assert!(store.world.changes().await.is_empty(), "it guards all the same");
}

#[tokio::test]
async fn what_loses_to_a_date_after_its_own_receipt_is_asked_for() {
    let store = Store::new().await;
    let ahead = store.world.now() + Duration::from_secs(22 * 3600);
    store.send(store.signed("product.updated", store.product(ahead, 5).to_string())).await;
    assert_eq!(store.asked().await, 0);
    store.world.clock.advance(Duration::from_secs(60));
    store.send(store.signed("product.updated", store.product(store.world.now(), 4).to_string())).await;
    assert_eq!((store.world.outcomes().await[1].as_str(), store.asked().await), ("stale", 1), "a clock is ahead");
    store.world.clock.advance(Duration::from_secs(24 * 3600));
    store.send(store.signed("product.updated", store.product(ahead - Duration::from_secs(9), 3).to_string())).await;
    assert_eq!((store.world.outcomes().await[2].as_str(), store.asked().await), ("stale", 1), "it is older");
}

#[tokio::test]
async fn a_delivery_that_came_twice_at_once_asks_nobody() {
    let store = Store::new().await;
    let request = store.signed("product.updated", store.product(store.world.now(), 5).to_string());
    let mut messages = Vec::new();
    for _ in 0..2 {
        store.world.clock.advance(Duration::from_millis(7));
        store.world.request(request.clone()).await.expect(200);
        messages.extend(store.world.take_messages(QueueName::Notices).await);
    }
    messages.reverse();
    for message in messages {
        assert!(store.world.host.processor.process(vec![message], store.world.now()).await.is_empty());
    }
    assert_eq!((store.world.outcomes().await, store.asked().await), (vec!["processed".into(), "duplicate".into()], 0));
}

#[tokio::test]
async fn a_restore_in_the_second_of_a_deletion_or_before_a_late_one_ends_present() {
    for late in [false, true] {
        let store = Store::new().await;
        let modified = store.world.now();
        store.send(store.signed("product.updated", store.product(modified, 5).to_string())).await;
        let id = store.product(modified, 5)["id"].clone();
        store.world.clock.advance(Duration::from_secs(30));
        let second = store.world.now();
        let deleted = store.signed("product.deleted", json!({ "id": id }).to_string());
        let restored = store.signed("product.restored", store.product(second, 5).to_string());
        store.send(deleted).await;
        if late {
            store.world.clock.advance(Duration::from_secs(20));
        }
        store.send(restored).await;
        let (op, stock) = store.last().await;
        assert_eq!((op, stock), (json!("created"), json!(5)), "late: {late}");
        assert!(store.asked().await > 0, "late: {late}");
    }
}

#[tokio::test]
async fn what_could_not_be_read_is_named_to_readers_and_asked_for() {
    let store = Store::new().await;
    let mut product = store.product(store.world.now(), 5);
    product["price"] = json!({ "amount": 19 });
    store.send(store.signed("product.updated", product.to_string())).await;
    let change = store.world.changes().await.pop().expect("a change");
    assert_eq!(change["unread"], json!(["price"]));
    assert_eq!(change["document"]["variants"][0]["price"], Value::Null);
    let reason = format!("not read: price; a sync of products/{} is due", store.connected.id);
    assert_eq!((store.reasons().await, store.asked().await), (vec![reason], 1));
    // The same once more, at another time.
    product["date_modified_gmt"] =
        (store.world.now() + Duration::from_secs(1)).strftime("%Y-%m-%dT%H:%M:%S").to_string().into();
    store.send(store.signed("product.updated", product.to_string())).await;
    let reason =
        format!("the same state, told again; not read: price; a sync of products/{} is due", store.connected.id);
    assert_eq!((store.reasons().await.pop(), store.asked().await), (Some(reason), 2));
    product["price"] = "".into();
    store.send(store.signed("product.updated", product.to_string())).await;
    let change = store.world.changes().await.pop().expect("a change");
    assert_eq!((&change["op"], change.get("unread")), (&json!("updated"), None), "absent is not unknown");
}
