//! Replays: dead letters go through processing again, at a rate, each once.

use std::sync::Arc;
use std::time::Duration;

use hooktide_flows::jobs::syncer::Syncer;
use hooktide_store::ports::QueueName;
use hooktide_tests::faults::{Faults, How, Plan, Until, Which, faulty};
use hooktide_tests::world::{Shop, World};
use http::Method;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// A world with so many dead letters that a replay can process, received a second apart.
async fn with_letters(count: u64) -> (World, Shop) {
    let world = World::new().await;
    let shop = world.shop().await;
    for number in 1..=count {
        world.clock.advance(SECOND);
        world.request(world.sample(&shop, "products/update", number, world.now())).await;
    }
    let messages = world.take_messages(QueueName::Notices).await;
    assert!(world.give_up(messages).await.is_empty());
    world.clock.advance(SECOND);
    assert_eq!(letters(&world).await, count);
    (world, shop)
}

async fn letters(world: &World) -> u64 {
    let page = world.get("/v1/dead-letters?limit=1000").await.expect(200);
    page["items"].as_array().map_or(0, Vec::len) as u64
}

async fn replay(world: &World, body: Value) -> Value {
    world.post("/v1/dead-letters/replay", body).await.expect(202)
}

async fn processed(world: &World) -> usize {
    world.changes().await.len()
}

/// How many letters there are, and how many were processed, once a replay had a second.
async fn a_second_later(world: &World) -> (u64, usize) {
    world.tick().await;
    world.after(SECOND).await;
    (letters(world).await, processed(world).await)
}

#[tokio::test]
async fn a_dry_run_counts_and_changes_nothing() {
    let (world, shop) = with_letters(5).await;
    for (filter, matched) in [
        (json!({}), 5),
        (json!({ "connection": shop.id }), 5),
        (json!({ "connection": "nobody" }), 0),
        (json!({ "topic": "products/update", "class": "queue-gave-up" }), 5),
        (json!({ "class": "unreadable" }), 0),
        (json!({ "received_from": "2026-11-02T08:00:04Z" }), 2),
        (json!({ "received_until": "2026-11-02T08:00:04Z" }), 3),
    ] {
        let answer = replay(&world, json!({ "filter": filter, "dry_run": true })).await;
        assert_eq!(answer, json!({ "replay": null, "matched": matched }), "{filter}");
    }
    world.after(SECOND).await;
    assert_eq!((letters(&world).await, processed(&world).await), (5, 0));
    for wrong in
        [json!({ "rate_per_second": 0 }), json!({ "rate_per_second": 1001 }), json!({ "filter": { "conection": "x" } })]
    {
        world.post("/v1/dead-letters/replay", wrong).await.expect(422);
    }
}

#[tokio::test]
async fn a_replay_takes_only_what_its_filter_matches() {
    let (world, _) = with_letters(5).await;
    let answer = replay(&world, json!({ "filter": { "received_from": "2026-11-02T08:00:04Z" } })).await;
    assert_eq!(answer["matched"], 2);
    assert_eq!(a_second_later(&world).await, (3, 2));
}

#[tokio::test]
async fn ten_a_second_are_ten_a_second() {
    let (world, _) = with_letters(30).await;
    replay(&world, json!({ "rate_per_second": 10 })).await;
    world.tick().await;
    let mut seen = vec![processed(&world).await];
    for _ in 0..6 {
        world.after(SECOND / 2).await;
        seen.push(processed(&world).await);
    }
    assert_eq!(seen, [1, 6, 11, 16, 21, 26, 30]);
    assert_eq!((letters(&world).await, world.idle().await), (0, Ok(())));
}

#[tokio::test]
async fn more_letters_than_a_step_takes_go_step_by_step() {
    let (world, _) = with_letters(250).await;
    replay(&world, json!({ "rate_per_second": 100 })).await;
    world.tick().await;
    for second in 1..=3 {
        assert!(processed(&world).await <= second * 100, "no faster than the rate");
        world.after(SECOND).await;
    }
    assert_eq!((processed(&world).await, letters(&world).await), (250, 0));
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn a_slow_replay_keeps_its_rate_while_the_host_sweeps() {
    let (world, _) = with_letters(350).await;
    replay(&world, json!({ "rate_per_second": 1 })).await;
    world.tick().await;
    for second in 1..=350 {
        world.after(SECOND).await;
        if second % 30 == 0 {
            world.host.sweep().await.expect("a sweep");
            let done = processed(&world).await;
            assert!((second - 5..=second + 1).contains(&done), "{done} after {second} s");
        }
    }
    world.after(5 * SECOND).await;
    assert_eq!((processed(&world).await, letters(&world).await), (350, 0));
    world.after(Duration::from_secs(900)).await;
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn what_fails_again_is_one_dead_letter_again() {
    let world = World::new().await;
    let shop = world.shop().await;
    world.request(world.signed(&shop, "products/update", "no JSON")).await;
    world.tick().await;
    let before = world.get("/v1/dead-letters").await.expect(200)["items"].clone();
    for _ in 0..3 {
        world.clock.advance(SECOND);
        assert_eq!(replay(&world, json!({})).await["matched"], 1);
        world.tick().await;
    }
    let after = world.get("/v1/dead-letters").await.expect(200)["items"].clone();
    assert_eq!(after.as_array().map(Vec::len), Some(1));
    assert_eq!((&after[0]["id"], &after[0]["received_at"]), (&before[0]["id"], &before[0]["received_at"]));
    assert_ne!(after[0]["dead_at"], before[0]["dead_at"]);
    let entries = world.activity().await;
    assert!(entries.len() == 4 && entries.iter().all(|entry| entry["id"] == entries[0]["id"]), "{entries:?}");
    assert_eq!(world.idle().await, Ok(()));
}

#[tokio::test]
async fn what_was_discarded_is_not_replayed() {
    let (world, _) = with_letters(3).await;
    let page = world.get("/v1/dead-letters").await.expect(200);
    let path = format!("/v1/dead-letters/{}", page["items"][1]["id"].as_str().expect("an id"));
    world.call(&world.operator, Method::DELETE, &path, None).await.expect(204);
    assert_eq!(replay(&world, json!({})).await["matched"], 2);
    assert_eq!(a_second_later(&world).await, (0, 2));
}

#[tokio::test]
async fn two_replays_of_the_same_letters_process_each_once() {
    let (world, _) = with_letters(120).await;
    for _ in 0..2 {
        replay(&world, json!({ "rate_per_second": 1000 })).await;
    }
    world.tick().await;
    for _ in 0..5 {
        world.after(SECOND).await;
    }
    assert_eq!((processed(&world).await, letters(&world).await), (120, 0));
    assert_eq!(world.activity().await.iter().filter(|entry| entry["outcome"] == "processed").count(), 120);
    assert_eq!(world.idle().await, Ok(()));
}

/// Runs a replay of 120 letters whose first step is cut off at a call, and returns whether it got that far.
async fn cut_off(calls: usize, until: Until) -> bool {
    let (world, _) = with_letters(120).await;
    replay(&world, json!({ "rate_per_second": 1000 })).await;
    let job = world.take_messages(QueueName::Jobs).await;
    let faults = Arc::new(Faults::default());
    let (ports, _) = faulty(&world.host.ports, &faults);
    let syncer = Syncer::new(ports, &world.host.settings);
    faults.arm(Plan { which: Which::Nth(calls), until, how: How::Crash });
    if faults.run(syncer.run(job, world.now())).await.is_some() {
        return false;
    }
    // The job's message is lost with the process.
    for _ in 0..4 {
        world.after(Duration::from_secs(101)).await;
        world.host.sweep().await.expect("a sweep");
        world.tick().await;
    }
    assert_eq!((processed(&world).await, letters(&world).await), (120, 0), "{until:?} call {calls}");
    let processed = world.outcomes().await.into_iter().filter(|outcome| outcome == "processed").count();
    assert_eq!(processed, 120, "{until:?} call {calls}: each once");
    assert_eq!(world.idle().await, Ok(()));
    true
}

#[tokio::test]
async fn a_step_that_was_cut_off_is_taken_up_by_a_sweep() {
    // The step reads records, claims its mark, sends, removes letters, records its progress and sends its successor.
    for (until, least) in [(Until::Before, 7), (Until::Halfway, 2), (Until::After, 5)] {
        let mut calls = 0;
        while cut_off(calls, until).await {
            calls += 1;
        }
        assert!(calls >= least, "{until:?}: the step makes more calls than {calls}");
    }
}
