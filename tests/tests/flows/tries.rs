//! Tries: three for what fails by itself, none for what has to wait, and none of it takes others along.

use std::time::Duration;

use hooktide_local::queue::Depth;
use hooktide_model::envelope::Envelope;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::records::deferred;
use hooktide_tests::bodies;
use hooktide_tests::faults::{FaultyWorld, How, Plan, Until, Which};
use hooktide_tests::world::{Shop, World};
use jiff::Timestamp;
use serde_json::{Value, json};

const BATCH: u64 = 25;
const POISONOUS: u64 = 13;

/// A world in which 25 updates wait, of which one cannot be processed.
async fn with_poison(fault: Fault) -> (FaultyWorld, Shop) {
    let faulty = FaultyWorld::new().await;
    let shop = faulty.world.shop().await;
    for number in 1..=BATCH {
        let request = faulty.world.sample(&shop, "products/update", number, faulty.world.now());
        if number == POISONOUS {
            let body: Value = serde_json::from_slice(request.body()).expect("JSON");
            faulty.table.poison(&format!("product#{}", body["id"]), fault.clone());
        }
        assert_eq!(faulty.world.request(request).await.status, 200);
    }
    (faulty, shop)
}

async fn numbers(world: &World) -> Vec<u64> {
    let mut numbers: Vec<u64> = world.changes().await.iter().filter_map(bodies::number_of).collect();
    numbers.sort_unstable();
    numbers
}

fn all_but_the_poisonous() -> Vec<u64> {
    (1..=BATCH).filter(|number| *number != POISONOUS).collect()
}

async fn notices(world: &World) -> Depth {
    let depths = world.host.queue.depth().await.expect("depths");
    depths.into_iter().find(|depth| depth.source == Source::Queue(QueueName::Notices)).expect("a depth")
}

/// The only waiting envelope, which is left where it is.
async fn waiting(world: &World) -> Envelope {
    let source = Source::Queue(QueueName::Notices);
    let received = world.host.queue.receive(source, 10).await.expect("a batch");
    assert_eq!(received.len(), 1);
    world.host.queue.release(&[(received[0].id, received[0].receipt)], Duration::ZERO).await.expect("a release");
    Envelope::decode(&received[0].body).expect("an envelope")
}

async fn outcomes_of_the_poisonous(world: &World) -> Vec<String> {
    let others = numbers(world).await;
    assert_eq!(others, all_but_the_poisonous());
    world.outcomes().await.into_iter().filter(|outcome| outcome != "processed").collect()
}

/// A shop, and an update of its product that is not processed yet.
async fn with_update() -> (FaultyWorld, Shop) {
    let faulty = FaultyWorld::new().await;
    let shop = faulty.world.shop().await;
    let update = faulty.world.sample(&shop, "products/update", 1, faulty.world.now());
    faulty.world.request(update).await;
    (faulty, shop)
}

#[tokio::test]
async fn a_message_that_fails_by_itself_fails_alone_and_dies_after_three_tries() {
    let (faulty, shop) = with_poison(Fault::failed("poison")).await;
    let world = &faulty.world;
    for tries in 1..=2 {
        world.tick().await;
        assert_eq!(outcomes_of_the_poisonous(world).await, vec!["failed"; tries]);
        assert_eq!(notices(world).await.delayed, 1, "it waits before the next try");
        let longest = Duration::from_secs(1 << tries);
        world.clock.advance(longest);
        let envelope = waiting(world).await;
        assert_eq!((envelope.attempt as usize, envelope.deferred), (tries, 0));
        assert!(envelope.not_before.is_some_and(|not_before| not_before <= world.now()));
    }
    world.tick().await;
    assert_eq!(outcomes_of_the_poisonous(world).await, ["failed", "failed", "dead"]);
    assert_eq!(world.idle().await, Ok(()));
    let failed: Vec<Value> = world.activity().await.into_iter().filter(|entry| entry["outcome"] == "failed").collect();
    assert!(failed[0]["reason"].as_str().is_some_and(|reason| reason.starts_with("try 1 of 3 failed: what ")
        && reason.contains("could not be committed: poison; the next in ")));
    let letters = world.get("/v1/dead-letters").await.expect(200);
    let letter = &letters["items"][0];
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(1));
    assert_eq!((&letter["class"], &letter["tries"]), (&json!("tries-exhausted"), &json!(3)));
    assert_eq!(letter["connection"], json!(shop.id));
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.ends_with("tells could not be committed: poison")));
    faulty.table.heal();
    world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
    world.after(Duration::from_secs(1)).await;
    assert_eq!(numbers(world).await, (1..=BATCH).collect::<Vec<_>>(), "and lives again when replayed");
}

#[tokio::test]
async fn waiting_uses_up_no_try_however_often() {
    let (faulty, _) = with_update().await;
    let world = &faulty.world;
    faulty.table.poison("product#", Fault::retryable("throttled"));
    let mut waits = Vec::new();
    for times in 1..=14 {
        assert_eq!(world.tick().await, 1);
        let before = world.now();
        while notices(world).await.ready == 0 {
            world.clock.advance(Duration::from_secs(1));
        }
        waits.push(world.now().duration_since(before).as_secs());
        let envelope = waiting(world).await;
        assert_eq!((envelope.attempt, envelope.deferred), (0, times));
    }
    for (times, wait) in waits.iter().enumerate() {
        let longest = 900.min(2 << times);
        assert!((longest / 2..=longest).contains(wait), "doubling, with jitter: {waits:?}");
    }
    faulty.table.heal();
    world.tick().await;
    assert_eq!(world.outcomes().await, ["processed"]);
}

#[tokio::test]
async fn a_wait_that_was_asked_for_is_waited() {
    let asked = Duration::from_secs(600);
    let (faulty, _) = with_poison(Fault::Retryable { detail: "later".into(), after: Some(asked) }).await;
    let world = &faulty.world;
    world.tick().await;
    faulty.table.heal();
    world.clock.advance(asked - Duration::from_secs(1));
    assert_eq!(world.tick().await, 0, "not before its time");
    assert!(world.after(Duration::from_secs(1)).await > 0);
    assert_eq!(numbers(world).await, (1..=BATCH).collect::<Vec<_>>());
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn a_wait_beyond_what_a_queue_can_hold_is_waited_in_the_store() {
    let asked = Duration::from_secs(2 * 3600);
    let (faulty, _) = with_poison(Fault::Retryable { detail: "much later".into(), after: Some(asked) }).await;
    let world = &faulty.world;
    world.tick().await;
    faulty.table.heal();
    let depth = notices(world).await;
    assert_eq!((depth.ready, depth.delayed, depth.in_flight), (0, 0, 0), "the queue has nothing any more");
    let kept = deferred::due(&*world.host.ports.table, Timestamp::MAX, 100).await.expect("deferred messages");
    assert!(!kept.is_empty());
    for stored in kept {
        let envelope = Envelope::decode(&stored.record.message).expect("an envelope");
        assert_eq!((envelope.attempt, envelope.deferred), (0, 1));
        assert_eq!(envelope.not_before, Some(world.now() + asked));
    }
    world.clock.advance(asked - Duration::from_secs(1));
    assert_eq!(world.tick().await, 0, "not before its time");
    world.after(Duration::from_secs(1)).await;
    assert_eq!(numbers(world).await, (1..=BATCH).collect::<Vec<_>>());
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn a_deferred_message_comes_back_whatever_fails_on_its_way() {
    let asked = Duration::from_secs(3600);
    for until in [Until::Before, Until::After] {
        for call in 0.. {
            let faulty = FaultyWorld::new().await;
            let world = &faulty.world;
            let shop = world.shop().await;
            world.request(world.sample(&shop, "products/update", 1, world.now())).await;
            faulty.table.poison("product#", Fault::Retryable { detail: "later".into(), after: Some(asked) });
            world.tick().await;
            faulty.table.heal();
            world.clock.advance(asked);
            faulty.faults.arm(Plan { which: Which::Nth(call), until, how: How::Crash });
            drop(faulty.faults.run(world.host.sweep_deferred()).await);
            let struck = faulty.faults.disarm();
            faulty.settle().await;
            assert_eq!(world.changes().await.len(), 1, "{until:?} call {call}");
            assert_eq!(world.outcomes().await, ["processed"], "{until:?} call {call}");
            if struck == 0 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_the_queue_gave_up_on_is_kept_and_can_be_replayed() {
    let (faulty, shop) = with_update().await;
    let world = &faulty.world;
    for _ in 0..10 {
        // A processor takes it and dies.
        let taken = world.host.queue.receive(Source::Queue(QueueName::Notices), 25).await.expect("a batch");
        assert_eq!(taken.len(), 1);
        world.clock.advance(Duration::from_secs(200));
    }
    assert_eq!(world.tick().await, 1);
    assert_eq!((world.changes().await.len(), world.outcomes().await), (0, vec!["dead".to_owned()]));
    let letters = world.get("/v1/dead-letters").await.expect(200);
    let letter = &letters["items"][0];
    assert_eq!((&letter["class"], &letter["connection"]), (&json!("queue-gave-up"), &json!(shop.id)));
    assert_eq!(world.idle().await, Ok(()));
    world.clock.advance(Duration::from_secs(1));
    world.post("/v1/dead-letters/replay", json!({})).await.expect(202);
    world.after(Duration::from_secs(1)).await;
    assert_eq!(world.outcomes().await, ["dead", "processed"]);
}

#[tokio::test]
async fn what_the_queue_gave_up_on_stays_there_until_it_can_be_kept() {
    let (faulty, _) = with_update().await;
    let world = &faulty.world;
    let messages = world.take_messages(QueueName::Notices).await;
    for until in [Until::Before, Until::After] {
        faulty.faults.arm(Plan { which: Which::From(0), until, how: How::Retryable });
        let failed = world.give_up(messages.clone()).await;
        assert!(faulty.faults.disarm() > 0);
        assert_eq!(failed, [messages[0].handle.clone()], "{until:?}");
    }
    assert!(world.give_up(messages).await.is_empty());
    let letters = world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(letters["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_outage_of_hours_kills_nothing() {
    let faulty = FaultyWorld::new().await;
    let world = &faulty.world;
    let shop = world.shop().await;
    for number in 1..=BATCH {
        world.request(world.sample(&shop, "products/update", number, world.now())).await;
    }
    faulty.table.poison("", Fault::retryable("the store is down"));
    for _ in 0..60 {
        world.tick().await;
        world.clock.advance(Duration::from_secs(201));
    }
    faulty.table.heal();
    faulty.settle().await;
    assert_eq!(numbers(world).await, (1..=BATCH).collect::<Vec<_>>());
    assert!(world.outcomes().await.iter().all(|outcome| outcome == "processed"));
}
