//! Several processors at the same records at the same time: the newest state stands, and each change is journaled once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use hooktide_flows::message::Message;
use hooktide_flows::process::Processor;
use hooktide_flows::{Ports, Settings};
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::{Channel, Kind, Scope};
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, ENTITY_SHARDS, Partition};
use hooktide_store::ports::{Query, QueueName, Range};
use hooktide_store::records;
use hooktide_store::records::entity::{Entity, EntityId};
use hooktide_store::records::job::{self, Mark};
use hooktide_tests::bodies;
use hooktide_tests::faults::{FaultyTable, FaultyWorld};
use hooktide_tests::world::Shop;
use http::Method;
use serde_json::json;

const ROUNDS: u64 = 40;

struct Race {
    faulty: FaultyWorld,
    shop: Shop,
    processors: Vec<Arc<Processor>>,
}

impl Race {
    /// Three processors that meet in one lane, or at nothing but the same records.
    async fn new(round: u64) -> Self {
        let lanes = if round.is_multiple_of(2) { 1 } else { 64 };
        let faulty = FaultyWorld::with(Settings { lanes, ..Settings::default() }).await;
        let shop = faulty.world.shop().await;
        let host = &faulty.world.host;
        let processor = |_| Arc::new(Processor::new(host.ports.clone(), host.settings.clone()));
        let processors = (0..3).map(processor).collect();
        faulty.faults.interleave(round);
        Self { faulty, shop, processors }
    }

    async fn update(&self, shop: &Shop, number: u64, seconds: u64) -> Message {
        let world = &self.faulty.world;
        let updated_at = world.now() + Duration::from_secs(seconds);
        let request = world.sample(shop, "products/update", number, updated_at);
        assert_eq!(world.request(request).await.status, 200);
        let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
        Message { handle: message.body.clone(), ..message }
    }

    /// Processes a batch on each processor at the same time, on one thread, as the seed says; then what was put off.
    async fn run(&self, batches: Vec<Vec<Message>>) {
        let now = self.faulty.world.now();
        let work = self.processors.iter().zip(batches).map(|(processor, batch)| processor.process(batch, now));
        assert!(join_all(work).await.iter().all(Vec::is_empty));
        self.faulty.settle().await;
    }

    /// The state of a product that stands.
    async fn standing(&self, number: u64) -> Entity {
        let changes = self.faulty.world.changes().await;
        let change = changes.iter().find(|change| bodies::number_of(change) == Some(number)).expect("a change");
        let id = change["entity"].as_str().and_then(|entity| entity.rsplit('/').next()).expect("an id").to_owned();
        let entity = EntityId { kind: Kind::Product, connection: self.shop.id.clone(), id };
        let key = entity.key(&Tenant::default_local());
        let stored = records::get(&*self.faulty.world.host.ports.table, &key).await.expect("a read");
        stored.expect("an entity").record
    }

    /// The versions of each product's changes, in order; each is journaled once, and the bus heard of it.
    async fn told(&self) -> BTreeMap<u64, Vec<i64>> {
        let changes = self.faulty.world.changes().await;
        let ids: BTreeSet<String> =
            changes.iter().filter_map(|change| change["id"].as_str().map(str::to_owned)).collect();
        assert_eq!(ids.len(), changes.len(), "each change is journaled once");
        let heard: BTreeSet<String> =
            self.faulty.published.ids("default", Channel::ProductUpdates).into_iter().collect();
        assert_eq!(heard, ids);
        let mut told: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
        for change in &changes {
            let version = change["version"].as_str().and_then(|text| text.parse().ok()).expect("a version");
            told.entry(bodies::number_of(change).expect("a product")).or_default().push(version);
        }
        told
    }
}

#[tokio::test]
async fn the_same_batch_on_three_processors_is_journaled_once() {
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let mut batch = Vec::new();
        for number in 0..5 {
            batch.push(race.update(&race.shop, number, 0).await);
        }
        race.run(vec![batch; 3]).await;
        let told = race.told().await;
        assert!(told.len() == 5 && told.values().all(|versions| versions.len() == 1), "round {round}: {told:?}");
    }
}

#[tokio::test]
async fn of_different_versions_on_three_processors_the_newest_stands() {
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let mut batches = vec![Vec::new(); 3];
        for seconds in 0..12 {
            let place = usize::try_from((seconds * 7 + round) % 3).expect("a small number");
            batches[place].push(race.update(&race.shop, seconds % 2, seconds).await);
        }
        let start = race.faulty.world.now();
        race.run(batches).await;
        for (number, versions) in race.told().await {
            let newest = start + Duration::from_secs(10 + number);
            assert_eq!(versions.iter().max(), Some(&newest.as_millisecond()), "round {round}");
            assert_eq!(race.standing(number).await.version.0, newest.as_millisecond(), "round {round}");
        }
        let outcomes = race.faulty.world.outcomes().await;
        assert_eq!(outcomes.iter().filter(|outcome| ["processed", "stale"].contains(&outcome.as_str())).count(), 12);
    }
}

#[tokio::test]
async fn of_equal_versions_the_last_told_stands_in_every_order() {
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let world = &race.faulty.world;
        let mut batches = vec![Vec::new(); 3];
        let updated_at = world.now();
        for (place, title) in ["one", "two", "three"].into_iter().enumerate() {
            let body = bodies::product(1, updated_at, title).to_string();
            world.request(world.signed(&race.shop, "products/update", body)).await;
            let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
            batches[(place + usize::try_from(round).expect("a small number")) % 3].push(message);
            world.clock.advance(Duration::from_millis(1));
        }
        race.run(batches).await;
        race.told().await;
        let (stands, last) = (race.standing(1).await.rank(), updated_at.as_millisecond() + 2);
        assert_eq!((stands.version.0, stands.as_of), (updated_at.as_millisecond(), last), "round {round}");
        let changes = world.changes().await;
        let told = changes.iter().filter_map(|change| change["document"]["title"].as_str());
        assert_eq!(told.collect::<Vec<_>>(), ["three"], "round {round}: what was replaced has no document any more");
    }
}

#[tokio::test]
async fn hints_on_three_processors_raise_one_mark() {
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let world = &race.faulty.world;
        let mut batches = vec![Vec::new(); 3];
        for (batch, first) in batches.iter_mut().zip([0, 3, 6]) {
            for number in first..first + 3 {
                world.request(world.sample(&race.shop, "inventory_levels/update", number, world.now())).await;
            }
            batch.extend(world.take_messages(QueueName::Notices).await);
        }
        race.run(batches).await;
        let key = job::key(&Tenant::default_local(), &JobKind::SYNC, &format!("stock/{}", race.shop.id));
        let mark = records::get::<Mark>(&*world.host.ports.table, &key).await.expect("a read").expect("a mark");
        assert_eq!(mark.record.hints, 9, "round {round}: no hint is lost, none counts twice");
        assert_eq!(world.outcomes().await, ["waiting"; 9]);
    }
}

#[tokio::test]
async fn a_request_about_personal_data_is_recorded_once() {
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let world = &race.faulty.world;
        let request = world.sample(&race.shop, "customers/redact", 1, world.now());
        let mut batches = Vec::new();
        for _ in 0..3 {
            world.request(request.clone()).await;
            batches.push(world.take_messages(QueueName::Notices).await);
        }
        race.run(batches).await;
        let mut outcomes = world.outcomes().await;
        outcomes.sort();
        assert_eq!(outcomes, ["duplicate", "duplicate", "processed", "waiting"], "round {round}");
    }
}

#[tokio::test]
async fn an_account_that_is_connected_after_a_look_at_its_routes_loses_nothing() {
    let race = Race::new(0).await;
    let world = &race.faulty.world;
    let app = world.shared_endpoint("app").await;
    let later = Shop { account: "later.myshopify.com".into(), ..app.clone() };
    let mut batch = Vec::new();
    for number in 0..3 {
        batch.push(race.update(&later, number, 0).await);
    }
    let slow = Arc::new(FaultyTable::new(Arc::clone(&world.host.ports.table), Arc::default()));
    let ports = Ports { table: Arc::clone(&slow) as Arc<_>, ..world.host.ports.clone() };
    let processor = Processor::new(ports, world.host.settings.clone());
    slow.hold_transactions();
    let anna = world.token("anna", &[Scope::Operate]).await;
    let connect = async {
        let connection = json!({ "provider": "shopify", "account": "later.myshopify.com", "endpoint": app.id });
        world.call(&anna, Method::POST, "/v1/connections", Some(connection)).await.expect(201);
        // What was held is released, before this is held.
        world.tick().await;
        slow.let_through();
    };
    let (failed, ()) = futures::join!(processor.process(batch, world.now()), connect);
    assert!(failed.is_empty());
    race.faulty.settle().await;
    let page = world.call(&anna, Method::GET, "/v1/changes", None).await.expect(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(3));
    assert!(world.held(&app).await.is_empty());
}

#[tokio::test]
async fn what_is_to_be_held_while_the_connections_account_changes_to_its_own_does_not_wait() {
    let race = Race::new(0).await;
    let world = &race.faulty.world;
    let renamed = Shop { account: "renamed.myshopify.com".into(), ..race.shop.clone() };
    let batch = vec![race.update(&renamed, 1, 0).await];
    let slow = Arc::new(FaultyTable::new(Arc::clone(&world.host.ports.table), Arc::default()));
    let ports = Ports { table: Arc::clone(&slow) as Arc<_>, ..world.host.ports.clone() };
    let processor = Processor::new(ports, world.host.settings.clone());
    slow.hold_transactions();
    let rename = async {
        let (path, patch) = (format!("/v1/connections/{}", race.shop.id), json!({ "account": renamed.account }));
        world.call(&world.operator, Method::PATCH, &path, Some(patch)).await.expect(200);
        // What was held is released, before this is held.
        world.tick().await;
        slow.let_through();
    };
    let (failed, ()) = futures::join!(processor.process(batch, world.now()), rename);
    assert!(failed.is_empty());
    race.faulty.settle().await;
    assert_eq!((world.changes().await.len(), world.held(&race.shop).await.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_race_to_the_same_end() {
    for round in 0..10 {
        let race = Race::new(round).await;
        let mut batches = vec![Vec::new(); 3];
        for number in 0..25 {
            let message = race.update(&race.shop, number % 5, number).await;
            batches.iter_mut().for_each(|batch: &mut Vec<Message>| batch.push(message.clone()));
        }
        batches[1].reverse();
        let now = race.faulty.world.now();
        let threads = race
            .processors
            .iter()
            .cloned()
            .zip(batches)
            .map(|(processor, batch)| tokio::spawn(async move { processor.process(batch, now).await }));
        for failed in join_all(threads).await {
            assert_eq!(failed.expect("a thread"), Vec::<String>::new());
        }
        race.faulty.settle().await;
        let told = race.told().await;
        assert!(told.len() == 5 && told.values().all(|versions| versions.len() == 1), "round {round}: {told:?}");
    }
}

/// A document that has no room in its entity is put before the commit. Where that loses its race, nothing refers to it.
#[tokio::test]
async fn documents_of_commits_that_lost_a_race_expire() {
    let mut lost = 0;
    for round in 0..ROUNDS {
        let race = Race::new(round).await;
        let world = &race.faulty.world;
        let (mut batches, begun) = (Vec::new(), world.now());
        for seconds in 1..=3_u64 {
            // Every third round they are states of one version, of which the last told stands.
            let version = if round % 3 == 0 { 1 } else { seconds };
            world.clock.advance(Duration::from_millis(7));
            let sample = world.sample(&race.shop, "products/update", 2, begun + Duration::from_secs(version));
            let body = bodies::enlarged(sample.body(), seconds);
            world.request(world.signed(&race.shop, "products/update", body)).await.expect(200);
            batches.push(world.take_messages(QueueName::Notices).await);
        }
        race.run(batches).await;
        let table = &*world.host.ports.table;
        let mut kept = 0;
        for shard in 0..ENTITY_SHARDS {
            let partition = Partition::of(&Tenant::default_local(), Area::Entities(&race.shop.id, shard));
            let range = Range::Prefix("document#".into());
            let page = table.query(&Query { partition, range, descending: false, limit: 100 }).await.expect("a page");
            let expire = page.items.iter().filter(|item| item.contains_key("expires_at")).count();
            (lost, kept) = (lost + expire, kept + page.items.len() - expire);
        }
        assert_eq!(kept, 1, "round {round}: only that of the state that stands");
    }
    assert!(lost > 0, "no round had a race");
}
