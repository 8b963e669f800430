//! A resource is read by one run at a time, however often its job is announced and whoever is asked to do it.

use std::time::Duration;

use futures::future::join_all;
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_model::fault::Fault;
use hooktide_store::ports::QueueName;
use hooktide_tests::provided::Provided;
use serde_json::json;

/// The call that reads the catalog.
const READS: &str = "catalog/search";

/// How many workers get each job.
const WORKERS: usize = 6;

/// How many runs read at once, at the most.
async fn at_once(seed: u64, is_guarded: bool) -> u32 {
    let provided = Provided::new("square").await;
    provided.ask("anna").await;
    provided.account.edit("product", Some(json!({ "name": "Gyokuro" })));
    let messages = provided.faulty.world.take_messages(QueueName::Jobs).await;
    assert!(!messages.is_empty());
    provided.faulty.faults.interleave(seed);
    if !is_guarded {
        provided.faulty.table.unguard("#B");
    }
    let host = &provided.faulty.world.host;
    let workers = (0..WORKERS).map(|_| messages.clone()).map(|messages| async move {
        let worker = Syncer::new(host.ports.clone(), &host.settings);
        worker.run(messages, host.clock.now()).await
    });
    join_all(workers).await;
    if is_guarded {
        assert!(provided.knows("Gyokuro").await, "seed {seed}");
    }
    provided.account.most_at_once(READS)
}

#[tokio::test]
async fn a_resource_is_read_by_one_run_at_a_time() {
    for seed in 0..10 {
        assert_eq!(at_once(seed, true).await, 1, "seed {seed}");
    }
}

#[tokio::test]
async fn two_runs_at_once_would_be_seen() {
    // Who comes when is up to the sockets as well, so no single seed has to show it.
    for seed in 0..100 {
        if at_once(seed, false).await > 1 {
            return;
        }
    }
    panic!("two runs read one resource at the same time, and nobody sees it");
}

#[tokio::test]
async fn a_run_that_came_to_nothing_holds_up_the_next_one_for_seconds_only() {
    let provided = Provided::new("square").await;
    provided.ask("anna").await;
    provided.account.edit("product", Some(json!({ "name": "Gyokuro" })));
    let (world, table) = (&provided.faulty.world, &provided.faulty.table);
    table.poison("product#", Fault::retryable("throttled"));
    world.tick().await;
    table.heal();
    assert!(!provided.knows("Gyokuro").await);
    for _ in 0..4 {
        world.after(Duration::from_secs(2)).await;
    }
    assert!(provided.knows("Gyokuro").await);
}
