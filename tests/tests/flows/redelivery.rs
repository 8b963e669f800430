//! Messages that were not deleted are delivered again: nothing is journaled twice, and the bus gets the same again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::Ports;
use hooktide_flows::message::Message;
use hooktide_flows::process::Processor;
use hooktide_model::names::Channel;
use hooktide_store::metering::Metered;
use hooktide_store::ports::QueueName;
use hooktide_tests::contracts::bus::changes_of;
use hooktide_tests::faults::{FaultyTable, FaultyWorld, How, Plan, Until, Which};
use hooktide_tests::world::Shop;
use serde_json::Value;

const CHANNELS: [Channel; 2] = [Channel::ProductUpdates, Channel::ProductCacheInvalidation];

struct Redelivery {
    faulty: FaultyWorld,
    shop: Shop,
}

impl Redelivery {
    /// With a batch of updates of 25 products.
    async fn with_batch() -> (Self, Vec<Message>) {
        let redelivery = Self::new().await;
        let mut batch = Vec::new();
        for number in 0..25 {
            batch.push(redelivery.update(number, 0).await);
        }
        (redelivery, batch)
    }

    async fn new() -> Self {
        let faulty = FaultyWorld::new().await;
        let shop = faulty.world.shop().await;
        Self { faulty, shop }
    }

    /// The message of an update of a product, `seconds` newer than now.
    async fn update(&self, number: u64, seconds: u64) -> Message {
        let world = &self.faulty.world;
        let updated_at = world.now() + Duration::from_secs(seconds);
        self.message(world.sample(&self.shop, "products/update", number, updated_at)).await
    }

    async fn message(&self, request: http::Request<bytes::Bytes>) -> Message {
        let world = &self.faulty.world;
        assert_eq!(world.request(request).await.status, 200);
        let message = world.take_messages(QueueName::Notices).await.pop().expect("a message");
        Message { handle: message.body.clone(), ..message }
    }

    /// Processes messages as one batch, and returns how many stay on the queue.
    async fn process(&self, messages: &[Message]) -> usize {
        let world = &self.faulty.world;
        world.clock.advance(Duration::from_millis(1));
        world.host.processor.process(messages.to_vec(), world.now()).await.len()
    }

    async fn journaled(&self) -> Vec<String> {
        let id = |change: &Value| change["id"].as_str().map(str::to_owned);
        self.faulty.world.changes().await.iter().filter_map(id).collect()
    }

    /// How often each change was published, if both channels got the same.
    fn heard(&self) -> BTreeMap<String, usize> {
        let [updates, invalidations] = CHANNELS.map(|channel| {
            let mut heard = BTreeMap::new();
            for id in self.faulty.published.ids("default", channel) {
                *heard.entry(id).or_insert(0) += 1;
            }
            heard
        });
        assert_eq!(updates, invalidations);
        updates
    }
}

#[tokio::test]
async fn a_batch_that_was_committed_and_not_deleted_is_journaled_once_and_published_again() {
    let (redelivery, batch) = Redelivery::with_batch().await;
    for times in 1..=3 {
        assert_eq!(redelivery.process(&batch).await, 0);
        let mut journaled = redelivery.journaled().await;
        journaled.sort();
        assert_eq!(journaled.len(), 25);
        let heard = redelivery.heard();
        assert_eq!(heard.keys().cloned().collect::<Vec<_>>(), journaled);
        assert!(heard.values().all(|count| *count == times), "{heard:?}");
    }
    assert_eq!(redelivery.faulty.world.outcomes().await, ["processed"; 25]);
}

#[tokio::test]
async fn a_batch_that_comes_again_is_read_where_it_was_journaled_and_not_once_for_each_change() {
    let (redelivery, batch) = Redelivery::with_batch().await;
    assert_eq!(redelivery.process(&batch).await, 0);
    let host = &redelivery.faulty.world.host;
    let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&host.ports.table), Arc::default())));
    let ports = Ports { table: Arc::clone(&table) as Arc<_>, ..host.ports.clone() };
    let processor = Processor::new(ports, host.settings.clone());
    assert!(processor.process(batch, redelivery.faulty.world.now()).await.is_empty());
    let counts = table.counts();
    let calls = counts.get.calls + counts.query.calls;
    assert!(calls < 10, "{calls} reads");
    assert_eq!(redelivery.heard().len(), 25);
}

#[tokio::test]
async fn a_message_that_comes_twice_in_one_batch_has_one_fate() {
    let redelivery = Redelivery::new().await;
    let message = redelivery.update(1, 0).await;
    let twice = [message.clone(), Message { handle: "again".into(), ..message }];
    assert_eq!(redelivery.process(&twice).await, 0);
    assert_eq!((redelivery.journaled().await.len(), redelivery.faulty.world.outcomes().await.len()), (1, 1));
}

#[tokio::test]
async fn what_is_redelivered_together_with_something_newer_is_told_again_as_it_was() {
    let redelivery = Redelivery::new().await;
    let first = redelivery.update(1, 0).await;
    redelivery.process(std::slice::from_ref(&first)).await;
    let newer = redelivery.update(1, 10).await;
    let other = redelivery.update(2, 0).await;
    redelivery.process(&[first.clone(), newer, other]).await;
    redelivery.process(&[first]).await;
    let journaled = redelivery.journaled().await;
    assert_eq!(journaled.len(), 3);
    let mut counts: Vec<usize> = redelivery.heard().into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 3], "the first was told three times, always by its own id");
    let versions: Vec<Value> = redelivery
        .faulty
        .published
        .entries()
        .iter()
        .filter(|entry| entry.channel == CHANNELS[0])
        .flat_map(changes_of)
        .filter(|change| change["id"] == journaled[0].as_str())
        .map(|change| change["version"].clone())
        .collect();
    assert!(versions.len() == 3 && versions.iter().all(|version| *version == versions[0]), "{versions:?}");
}

#[tokio::test]
async fn a_repeat_by_the_provider_publishes_nothing() {
    let redelivery = Redelivery::new().await;
    let world = &redelivery.faulty.world;
    let request = world.sample(&redelivery.shop, "products/update", 1, world.now());
    for _ in 0..3 {
        let message = redelivery.message(request.clone()).await;
        redelivery.process(&[message]).await;
    }
    assert_eq!(redelivery.heard().into_values().collect::<Vec<_>>(), [1]);
    assert_eq!(world.outcomes().await, ["processed", "duplicate", "duplicate"]);
}

#[tokio::test]
async fn the_bus_hears_of_the_newest_of_many_changes_of_one_thing_though_it_failed() {
    for newest in [0, 5, 12, 24] {
        let redelivery = Redelivery::new().await;
        let mut batch = Vec::new();
        for place in 0..25 {
            let seconds = if place == newest { 1_000 } else { 100 - place };
            batch.push(redelivery.update(1, seconds).await);
        }
        let faults = &redelivery.faulty.faults;
        // Up to the first call of the bus, nothing fails.
        for call in 0.. {
            faults.arm(Plan { which: Which::Nth(call), until: Until::After, how: How::Crash });
            let crashed = faults.run(redelivery.process(&batch)).await.is_none();
            faults.disarm();
            assert!(crashed, "the commit is among the calls that change something");
            if !redelivery.journaled().await.is_empty() {
                break;
            }
        }
        assert!(redelivery.heard().is_empty());
        assert_eq!(redelivery.process(&batch).await, 0);
        assert_eq!(redelivery.journaled().await.len(), 1, "newest at {newest}");
        assert_eq!(
            redelivery.heard().into_keys().collect::<Vec<_>>(),
            redelivery.journaled().await,
            "newest at {newest}"
        );
    }
}

#[tokio::test]
async fn deliveries_without_a_thing_are_told_of_once() {
    let redelivery = Redelivery::new().await;
    let world = &redelivery.faulty.world;
    let mut batch = Vec::new();
    for topic in ["inventory_levels/update", "customers/redact"] {
        batch.push(redelivery.message(world.sample(&redelivery.shop, topic, 1, world.now())).await);
    }
    for _ in 0..3 {
        assert_eq!(redelivery.process(&batch).await, 0);
    }
    assert_eq!(world.outcomes().await, ["waiting", "waiting"]);
    let again = redelivery.message(world.sample(&redelivery.shop, "inventory_levels/update", 1, world.now())).await;
    redelivery.process(&[again]).await;
    assert_eq!(world.outcomes().await, ["waiting", "waiting", "waiting"], "another delivery is another hint");
    assert_eq!(world.take_messages(QueueName::Jobs).await.len(), 1, "the request's job is announced once");
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn only_what_changed_waits_for_the_bus() {
    let redelivery = Redelivery::new().await;
    let world = &redelivery.faulty.world;
    let fresh = redelivery.update(1, 0).await;
    let hint = redelivery.message(world.sample(&redelivery.shop, "inventory_levels/update", 1, world.now())).await;
    redelivery.faulty.published.refuse(true);
    assert_eq!(redelivery.process(&[fresh, hint]).await, 0);
    assert!(world.idle().await.is_err(), "the change waits");
    redelivery.faulty.published.refuse(false);
    world.clock.advance(Duration::from_secs(2));
    let waiting = world.take_messages(QueueName::Notices).await;
    assert_eq!(waiting.len(), 1, "the hint does not");
    assert_eq!(redelivery.process(&waiting).await, 0);
    assert_eq!(redelivery.heard().into_values().collect::<Vec<_>>(), [1]);
    let mut outcomes = world.outcomes().await;
    outcomes.sort();
    assert_eq!(outcomes, ["processed", "waiting"]);
}

/// Commits so many newer states of the first entity, each separately.
async fn newer(redelivery: &Redelivery, count: u64) {
    for n in 1..=count {
        let message = redelivery.update(1, 10 * n).await;
        assert_eq!(redelivery.process(&[message]).await, 0);
    }
}

#[tokio::test]
async fn a_change_that_waited_for_the_bus_is_told_though_many_newer_ones_overtook_it() {
    let redelivery = Redelivery::new().await;
    let world = &redelivery.faulty.world;
    let first = redelivery.update(1, 0).await;
    redelivery.faulty.published.refuse(true);
    assert_eq!(redelivery.process(&[first]).await, 0);
    redelivery.faulty.published.refuse(false);
    let waiting: Vec<Message> = {
        world.clock.advance(Duration::from_secs(2));
        world.take_messages(QueueName::Notices).await
    };
    // More changes than an entity remembers.
    newer(&redelivery, 200).await;
    assert_eq!(redelivery.process(&waiting).await, 0);
    assert_eq!(redelivery.journaled().await.len(), 201);
    assert_eq!(redelivery.heard().len(), 201, "the first among them");
    let outcomes = world.outcomes().await;
    assert!(outcomes.iter().all(|outcome| outcome == "processed"), "and it is not told of as stale besides");
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_taken_up_where_it_was_journaled() {
    let redelivery = Redelivery::new().await;
    let world = &redelivery.faulty.world;
    let faults = &redelivery.faulty.faults;
    let first = redelivery.update(1, 0).await;
    for call in 0.. {
        faults.arm(Plan { which: Which::Nth(call), until: Until::After, how: How::Retryable });
        assert_eq!(redelivery.process(std::slice::from_ref(&first)).await, 0);
        faults.disarm();
        if !redelivery.journaled().await.is_empty() {
            break;
        }
        world.clock.advance(Duration::from_secs(900));
        drop(world.take_messages(QueueName::Notices).await);
    }
    assert!(redelivery.heard().is_empty(), "nobody knew that it was committed");
    world.clock.advance(Duration::from_secs(900));
    let waiting = world.take_messages(QueueName::Notices).await;
    newer(&redelivery, 200).await;
    assert_eq!(redelivery.process(&waiting).await, 0);
    assert_eq!((redelivery.journaled().await.len(), redelivery.heard().len()), (201, 201));
}

#[tokio::test]
async fn a_processor_that_ended_before_the_bus_heard_is_made_good_after_a_storm_of_changes() {
    let redelivery = Redelivery::new().await;
    let faults = &redelivery.faulty.faults;
    let first = redelivery.update(1, 0).await;
    for call in 0.. {
        faults.arm(Plan { which: Which::Nth(call), until: Until::After, how: How::Crash });
        let crashed = faults.run(redelivery.process(std::slice::from_ref(&first))).await.is_none();
        faults.disarm();
        assert!(crashed, "the commit is among the calls that change something");
        if !redelivery.journaled().await.is_empty() {
            break;
        }
    }
    assert!(redelivery.heard().is_empty());
    newer(&redelivery, 100).await;
    assert_eq!(redelivery.process(&[first]).await, 0);
    assert_eq!((redelivery.journaled().await.len(), redelivery.heard().len()), (101, 101));
}
