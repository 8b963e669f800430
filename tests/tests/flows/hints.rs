//! Hints that come at the very moment at which a run ends its job.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hooktide_flows::Ports;
use hooktide_flows::erase::SETTLES;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_model::fault::Fault;
use hooktide_model::job_kind::JobKind;
use hooktide_model::names::MarkReason;
use hooktide_model::tenant::Tenant;
use hooktide_store::key::{Area, Partition};
use hooktide_store::ports::{Item, Key, Page, Query, QueueName, Source, Table, TransactFault, Write, WriteFault};
use hooktide_store::records;
use hooktide_store::records::job::{self, Mark, Raise};
use hooktide_tests::world::World;
use http::Method;
use jiff::Timestamp;
use serde_json::json;

/// A table in which hints come for a job right before a run writes its mark.
struct Hinting {
    table: Arc<dyn Table>,
    kind: JobKind,
    /// How many hints are still to come.
    hints: AtomicUsize,
    now: Timestamp,
}

impl Hinting {
    async fn hint(&self, writes: &[Write]) {
        let prefix = format!("{}#", self.kind);
        if !writes.iter().any(|write| write.key().is_some_and(|key| key.sort().starts_with(&prefix))) {
            return;
        }
        let (tenant, reasons) = (Tenant::default_local(), BTreeMap::from([(MarkReason::Hint, 1)]));
        let marks = records::list_all::<Mark>(&*self.table, Partition::of(&tenant, Area::Jobs), &prefix, 2).await;
        for (_, stored) in marks.expect("marks").into_iter().filter(|(_, stored)| stored.record.running) {
            let is_left = |hints: usize| hints.checked_sub(1);
            if self.hints.fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_left).is_err() {
                return;
            }
            let resource = &stored.record.resource;
            let raise = Raise {
                tenant: &tenant,
                job: self.kind.clone(),
                resource,
                reasons: &reasons,
                entities: &BTreeSet::new(),
            };
            let raised = job::raised(Some(&stored), &raise, Duration::ZERO, self.now);
            self.table.write(job::store(Some(stored.rev), &raised).expect("a write")).await.expect("a raised mark");
        }
    }
}

#[async_trait]
impl Table for Hinting {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        self.table.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, Fault> {
        self.table.get_many(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Fault> {
        self.table.query(query).await
    }

    async fn due(&self, partition: &str, until: i64, limit: usize) -> Result<Vec<Item>, Fault> {
        self.table.due(partition, until, limit).await
    }

    async fn write(&self, write: Write) -> Result<Option<Item>, WriteFault> {
        self.hint(std::slice::from_ref(&write)).await;
        self.table.write(write).await
    }

    async fn write_many(&self, writes: Vec<Write>) -> Vec<Result<(), WriteFault>> {
        self.table.write_many(writes).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactFault> {
        self.hint(&writes).await;
        self.table.transact(writes).await
    }
}

/// The marks of a kind of job.
async fn marks(world: &World, kind: &JobKind) -> Vec<Mark> {
    let partition = Partition::of(&Tenant::default_local(), Area::Jobs);
    let marks = records::list_all::<Mark>(&*world.host.ports.table, partition, &format!("{kind}#"), 10).await;
    marks.expect("marks").into_iter().map(|(_, stored)| stored.record).collect()
}

/// A world with a job of this kind of which one more step is left, whose message is ready.
async fn with_last_step(kind: &JobKind) -> World {
    let world = World::new().await;
    let shop = world.shop().await;
    match kind.as_str() {
        "replay" => {
            world.request(world.sample(&shop, "products/update", 1, world.now())).await.expect(200);
            let messages = world.take_messages(QueueName::Notices).await;
            assert!(world.give_up(messages).await.is_empty());
            world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
        }
        "erase" => {
            let path = format!("/v1/connections/{}", shop.id);
            world.call(&world.operator, Method::DELETE, &path, None).await.expect(200);
            world.clock.advance(SETTLES);
        }
        "privacy" => {
            world.request(world.sample(&shop, "customers/redact", 1, world.now())).await.expect(200);
            let messages = world.take_messages(QueueName::Notices).await;
            assert!(world.host.processor.process(messages, world.now()).await.is_empty());
        }
        other => panic!("no such job: {other}"),
    }
    world
}

#[tokio::test]
async fn hints_at_the_end_of_a_run_cause_exactly_one_more_at_once() {
    for (kind, hints) in [("replay", 1), ("replay", 3), ("erase", 1), ("privacy", 1), ("privacy", 2)] {
        let (kind, case) = (JobKind::named(kind), format!("{kind} {hints}"));
        let world = with_last_step(&kind).await;
        let (table, now) = (Arc::clone(&world.host.ports.table), world.now());
        let table = Arc::new(Hinting { table, kind: kind.clone(), hints: AtomicUsize::new(hints), now });
        let syncer = Syncer::new(Ports { table, ..world.host.ports.clone() }, &world.host.settings);
        let jobs = world.take_messages(QueueName::Jobs).await;
        assert!(syncer.run(jobs, now).await.is_empty(), "{case}: its message is done");
        let debounce = world.host.settings.debounce;
        let due = world.host.queue.next_due(Source::Queue(QueueName::Jobs)).await.expect("a time");
        assert_eq!(due, Some(now + debounce), "{case}: the next run is announced, and waits for no lease");
        let [mark] = &marks(&world, &kind).await[..] else { panic!("{case}: one mark waits") };
        let waits = (mark.running, mark.begun, mark.again, &mark.reasons);
        let told = u64::try_from(hints).expect("a number");
        assert_eq!(waits, (false, false, false, &BTreeMap::from([(MarkReason::Hint, told)])), "{case}");
        assert_eq!(mark.hints, told, "{case}");
        world.after(debounce).await;
        assert_eq!(marks(&world, &kind).await, [], "{case}: one more run, and no other");
        assert_eq!(world.idle().await, Ok(()), "{case}");
    }
}
