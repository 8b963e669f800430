//! The renewer's runs: bounded, one at a time for a connection, and apart from all jobs.

use hooktide_store::ports::QueueName;
use hooktide_tests::simulated::Simulated;

/// How many subscriptions the simulator has.
async fn subscriptions(simulated: &Simulated) -> usize {
    simulated.state().await["account"]["subscriptions"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn jobs_that_wait_delay_no_renewal_and_the_poller_sends_none_of_its_work() {
    let simulated = Simulated::new("square").await;
    let (host, now) = (&simulated.world.host, simulated.world.now());
    host.sweep_jobs().await.expect("jobs are sent");
    let waiting = simulated.world.take_messages(QueueName::Jobs).await;
    assert!(!waiting.is_empty(), "syncs of the new connection");
    let kinds = waiting.iter().filter(|message| message.body.contains("\"watch\""));
    assert_eq!(kinds.count(), 0, "what the renewer does is no message");
    assert_eq!(subscriptions(&simulated).await, 0);
    assert_eq!(host.renewer.tick(now, &|| false).await, Ok(1));
    assert_ne!(subscriptions(&simulated).await, 0, "although none of the jobs was done");
}

#[tokio::test]
async fn a_run_without_time_leaves_what_is_due_to_the_next_one() {
    let simulated = Simulated::new("square").await;
    let (host, now) = (&simulated.world.host, simulated.world.now());
    assert_eq!(host.renewer.tick(now, &|| true).await, Ok(0));
    // There is time to begin with a connection, and none to ask its provider for anything.
    let asked = std::sync::atomic::AtomicU32::new(0);
    let is_over = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
    assert_eq!(host.renewer.tick(now, &is_over).await, Ok(1));
    assert_eq!(subscriptions(&simulated).await, 0);
    assert_eq!(host.renewer.tick(now, &|| false).await, Ok(1));
    assert_ne!(subscriptions(&simulated).await, 0);
    assert_eq!(host.renewer.tick(now, &|| false).await, Ok(0), "nothing is due any more");
}

#[tokio::test]
async fn two_runs_at_once_look_at_a_connection_once() {
    let simulated = Simulated::new("square").await;
    let (host, now) = (&simulated.world.host, simulated.world.now());
    let (one, other) = tokio::join!(host.renewer.tick(now, &|| false), host.renewer.tick(now, &|| false));
    assert_eq!(one.and_then(|one| Ok(one + other?)), Ok(1));
}
