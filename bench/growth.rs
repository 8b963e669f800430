//! N9: frequent operations take as long with a million stored entities as with a thousand, and with ten thousand
//! connections as with one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hooktide_flows::message::Message;
use hooktide_flows::process::Processor;
use hooktide_flows::receive::Receiver;
use hooktide_model::names::Kind;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Key, Partition};
use hooktide_store::ports::{AttributeValue, Item, PARTITION, QueueName, SORT, Write};
use hooktide_store::records::entity::EntityId;
use hooktide_store::records::journal;
use hooktide_tests::world::{Shop, World};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::report::{Report, Verdict, grouped};
use crate::rounds::{Contestant, GROUP, Pairs};

/// How many entities the small store has.
const FEW: u64 = 1_000;
/// How many entities the large store should have.
const MANY: u64 = 1_000_000;
/// How many connections the larger tenant has.
const CONNECTIONS: usize = 10_000;
/// How long filling may take.
const FILLING: Duration = Duration::from_secs(120);
/// How much longer an operation may take in the larger store.
const MOST: f64 = 1.10;
/// Notices of a batch.
const BATCH: u64 = 25;

/// A world to measure in.
struct Place {
    world: World,
    shop: Shop,
    /// Products that it has.
    entities: u64,
    /// How many of them change.
    among: u64,
    /// A receiver over a queue that takes everything at once, since the time to wake a thread is not measured here.
    receiver: Receiver,
    processor: Processor,
    batches: Vec<Vec<Message>>,
    /// The number of the next batch.
    next: u64,
    request: Request<Bytes>,
    cursor: String,
}

/// Measures both stores.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let few = runtime.block_on(async { filled(World::new().await, FEW).await });
    let many = runtime.block_on(async { filled(World::new().await, MANY).await });
    let said = grouped(many.entities as f64);
    let name = if many.entities < MANY {
        format!("{said} entities (as many as 2 minutes took)")
    } else {
        format!("{said} entities")
    };
    let (mut places, growth) = ([few, many], format!("from 1,000 to {name}"));
    compare(report, &runtime, &mut places, &growth);
    compare_hot(report, &runtime, &mut places, &growth);
    drop(places);
    let one = runtime.block_on(async { filled(World::new().await, FEW).await });
    let connected = runtime.block_on(async { filled(connected(CONNECTIONS - 1).await, FEW).await });
    compare(report, &runtime, &mut [one, connected], &format!("from 1 to {} connections", grouped(CONNECTIONS as f64)));
}

/// Compares the same changes of the same thousand entities, so that no more data has to fit into the processor's caches.
fn compare_hot(report: &mut Report, runtime: &Runtime, places: &mut [Place; 2], growth: &str) {
    for place in places.iter_mut() {
        place.among = FEW;
    }
    let ratio = processing(runtime, places).ratio();
    let what = format!("processing 25 changes of the same thousand entities, {growth}");
    report.show("N9", &what, format!("{ratio:.2}"));
}

/// Compares processing; each group has changes of its own.
fn processing(runtime: &Runtime, places: &mut [Place; 2]) -> Pairs {
    let mut pairs = Pairs::default();
    while pairs.wants_more() {
        for place in places.iter_mut() {
            runtime.block_on(place.refill());
        }
        let [mut few_batches, mut many_batches] = places.each_mut().map(|place| std::mem::take(&mut place.batches));
        let [few, many] = &*places;
        let process = |place: &Place, batches: &mut Vec<Vec<Message>>| {
            runtime.block_on(place.process(batches.pop().expect("a batch for each round")));
        };
        pairs.measure(&mut [
            Contestant::new(1, || process(few, &mut few_batches)),
            Contestant::new(1, || process(many, &mut many_batches)),
        ]);
    }
    pairs
}

fn compare(report: &mut Report, runtime: &Runtime, places: &mut [Place; 2], growth: &str) {
    for place in places.iter_mut() {
        runtime.block_on(place.prepare());
    }
    let [few, many] = &*places;
    let accept = |place: &Place| runtime.block_on(place.accept());
    let read = |place: &Place| runtime.block_on(place.read());
    // Measures one kind of work after the other, since other work between two runs would affect them unequally. Reads the
    // page before processing: the fewer entities there are, the more of the page's changes processing overtakes, and the
    // feed gives those without their documents.
    let accepting = Pairs::of(&mut [Contestant::new(200, || accept(few)), Contestant::new(200, || accept(many))]);
    let reading = Pairs::of(&mut [Contestant::new(5, || read(few)), Contestant::new(5, || read(many))]);
    let pairs = [accepting, reading, processing(runtime, places)];
    for (what, pair) in ["acceptance", "a page of 100 changes", "processing 25 changes"].iter().zip(pairs) {
        let [before, after] = pair.medians().map(|time| time.as_secs_f64() * 1e6);
        let ratio = pair.ratio();
        let what = format!("{what}, {growth} ({before:.0} to {after:.0} us)");
        report.judge("N9", &what, format!("{ratio:.2}"), "at most 1.10", Verdict::Required(ratio <= MOST));
    }
}

impl Place {
    /// Makes new batches of changes: one for each round, and one for the round that warms up.
    async fn refill(&mut self) {
        self.batches.clear();
        for _ in 0..=GROUP {
            let batch = self.batch().await;
            self.batches.push(batch);
        }
        self.batches.reverse();
    }

    /// Finds the place to read the feed from.
    async fn prepare(&mut self) {
        // The first batches find the ends of the journal's lanes.
        for _ in 0..8 {
            let batch = self.batch().await;
            self.process(batch).await;
        }
        let page = self.world.get("/v1/changes?limit=1&after=now").await.expect(200);
        self.cursor = page["next"].as_str().expect("a cursor").to_owned();
        for _ in 0..8 {
            let batch = self.batch().await;
            self.process(batch).await;
        }
        let page = self.world.get(&self.page()).await.expect(200);
        let whole = page["items"].as_array().expect("items").iter().filter(|item| item["document"].is_object());
        assert_eq!(whole.count(), 100, "changes with their documents");
    }

    /// The next batch: changes that are spread over the stored entities, none of which changes again until all have had
    /// their turn.
    async fn batch(&mut self) -> Vec<Message> {
        let number = self.next;
        self.next += 1;
        self.world.clock.advance(Duration::from_secs(1));
        for index in 0..BATCH {
            let entity = (number * BATCH + index) * 7_919 % self.among;
            let sample = self.world.sample(&self.shop, "products/update", entity, self.world.now());
            assert_eq!(self.world.request(sample).await.status, 200);
        }
        self.world.take_messages(QueueName::Notices).await
    }

    async fn accept(&self) {
        let answer = self.receiver.receive(self.request.clone(), "192.0.2.10", self.world.now()).await;
        assert!(answer.status().is_success(), "the delivery is accepted");
    }

    async fn process(&self, batch: Vec<Message>) {
        assert!(self.processor.process(batch, self.world.now()).await.is_empty(), "the batch is processed");
    }

    async fn read(&self) {
        assert_eq!(self.world.get(&self.page()).await.status, 200);
    }

    fn page(&self) -> String {
        format!("/v1/changes?limit=100&after={}", self.cursor)
    }
}

/// A tenant with so many connections.
async fn connected(count: usize) -> World {
    let world = World::new().await;
    for number in 0..count {
        let secrets = json!({ "client_secret": format!("secret of shop {number}") });
        let body = json!({ "provider": "shopify", "account": format!("{number}.myshopify.com"), "secrets": secrets });
        let made = world.call(&world.operator, Method::POST, "/v1/connections", Some(body)).await;
        assert_eq!(made.status, 201);
    }
    world
}

/// A shop in this world with so many stored products, with their documents and their part of the journal; fewer, if
/// filling takes too long. The products are copies, under their own keys, of one that was processed.
async fn filled(world: World, count: u64) -> Place {
    let shop = world.shop().await;
    let tenant = Tenant::default_local();
    for number in 0..BATCH {
        let sample = world.sample(&shop, "products/update", number, world.now());
        assert_eq!(world.request(sample).await.status, 200);
    }
    world.tick().await;
    let table = &*world.host.ports.table;
    let first = id_of(&world, &shop, 0).await;
    let entity = table.get(&first.key(&tenant)).await.expect("a read").expect("an entity");
    assert!(entity.inner().contains_key("document"), "the document of a sample is in its entity");
    let base: u64 = first.id.parse().expect("a number");
    let began = Instant::now();
    let mut entities = BATCH;
    while entities < count && began.elapsed() < FILLING {
        let until = count.min(entities + 2_000);
        let writes = (entities..until).map(|number| {
            let id = EntityId { id: (base + number).to_string(), ..first.clone() };
            put(&entity, &id.key(&tenant))
        });
        for result in table.write_many(writes.collect()).await {
            result.expect("a write");
        }
        entities = until;
    }
    lengthen(&world, &tenant, entities / BATCH).await;
    let processor = Processor::new(world.host.ports.clone(), world.host.settings.clone());
    let receiver = world.receiver();
    let request = world.sample(&shop, "products/update", 1, world.now());
    Place {
        world,
        shop,
        entities,
        among: entities,
        receiver,
        processor,
        batches: Vec::new(),
        next: 0,
        request,
        cursor: String::new(),
    }
}

/// The id of the entity that samples of that number are about.
async fn id_of(world: &World, shop: &Shop, number: u64) -> EntityId {
    let sample = world.sample(shop, "products/delete", number, world.now());
    let body: Value = serde_json::from_slice(sample.body()).expect("a sample");
    EntityId { kind: Kind::Product, connection: shop.id.clone(), id: body["id"].to_string() }
}

/// Copies a position of the journal until its lanes have so many more together.
async fn lengthen(world: &World, tenant: &Tenant, positions: u64) {
    let (table, lanes) = (&*world.host.ports.table, world.host.settings.lanes);
    let key = |lane: u8, position: u64| Partition::of(tenant, Area::Journal(lane)).key(format!("{position:016}"));
    let mut model = None;
    for lane in 0..lanes {
        if let journal::Head::At(position) = journal::head(table, tenant, lane, world.now()).await.expect("a head") {
            let item = table.get(&key(lane, position)).await.expect("a read").expect("a position");
            model = Some((lane, position, item));
        }
    }
    let (lane, last, item) = model.expect("something was journaled");
    for from in (0..positions).step_by(2_000) {
        let writes = (from..positions.min(from + 2_000)).map(|more| put(&item, &key(lane, last + 1 + more)));
        for result in table.write_many(writes.collect()).await {
            result.expect("a write");
        }
    }
}

/// The write that puts a copy there.
pub(crate) fn put(item: &Item, key: &Key) -> Write {
    let mut item = item.clone();
    item.insert(PARTITION.to_owned(), AttributeValue::S(key.partition().to_owned()));
    item.insert(SORT.to_owned(), AttributeValue::S(key.sort().to_owned()));
    Write::Put { item, condition: None }
}
