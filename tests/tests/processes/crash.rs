//! The process dies without warning, again and again, while deliveries come in.

use std::collections::BTreeSet;
use std::sync::Arc;

use hooktide_local::clock::SystemClock;
use hooktide_local::queue::{DurableQueue, QueueSettings};
use hooktide_tests::server::{Server, eventually, patiently};

use crate::traffic::{Traffic, ids, told};

const DELIVERIES: u64 = 2_000;
const SENDERS: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_nine_loses_nothing_that_was_accepted() {
    let mut server = Server::start().await;
    let shop = server.client.shop().await;
    let traffic = Traffic::new((0..DELIVERIES).map(|number| shop.product(number, 0)).collect());
    // The last time, everything was answered and the queue is still full.
    for fraction in [1, 2, 3, 4] {
        let moment = usize::try_from(DELIVERIES).unwrap() * fraction / 4;
        let (sending, client) = (traffic.clone(), server.client.clone());
        let flow = tokio::spawn(async move { sending.flow(&client, SENDERS).await });
        while traffic.answered() < moment && !flow.is_finished() {
            tokio::task::yield_now().await;
        }
        server.kill_nine().await;
        flow.await.unwrap();
        server.start_again().await;
    }
    traffic.flow(&server.client, SENDERS).await;
    assert_eq!(traffic.statuses(), BTreeSet::from([200]));
    let (accepted, mut unanswered) = (traffic.with(Some(200)), traffic.with(None));
    assert!(!unanswered.is_empty(), "no delivery was on its way when the server was killed");

    // A provider sends deliveries again that got no answer; here only every second one, so that a resend cannot explain the
    // others.
    let mut due = accepted.clone();
    for place in unanswered.clone().into_iter().step_by(2) {
        let answer = server.client.send(shop.product(place as u64, 0)).await.expect("an answer");
        assert_eq!(answer.status, 200);
        unanswered.remove(&place);
        due.insert(place);
    }
    all_is_told(&server, &due).await;
    drained(&mut server).await;
    let changes = server.client.all("/v1/changes").await;
    assert_eq!(ids(&changes).len(), changes.len(), "no change is told twice");
    let told = told(&changes);
    assert!(told.values().all(|times| *times == 1), "no product changed twice");
    let told: BTreeSet<usize> = told.into_keys().map(|number| number as usize).collect();
    assert_eq!(due.difference(&told).count(), 0);
    assert!(told.is_subset(&due.union(&unanswered).copied().collect()));
    assert_eq!(server.client.all("/v1/dead-letters").await.len(), 0);
    println!("{} answered, {} not", accepted.len(), DELIVERIES as usize - accepted.len());
}

/// Waits until a change of each of these products was published.
pub async fn all_is_told(server: &Server, due: &BTreeSet<usize>) {
    let mut missing = due.clone();
    let told = patiently(async || {
        let told = told(&server.client.all("/v1/changes").await);
        missing.retain(|number| !told.contains_key(&(*number as u64)));
        missing.is_empty().then_some(())
    });
    let told = told.await;
    assert_eq!(told, Some(()), "of {} products, these were never told of: {missing:?}", due.len());
}

/// Restarts the server until its queue is empty: no more changes are published after that.
pub async fn drained(server: &mut Server) {
    eventually("the queue is empty", async || {
        assert_eq!(server.stop("TERM").await.code(), Some(0), "{}", server.log());
        let empty = waiting(server).await == 0;
        server.start_again().await;
        empty.then_some(())
    })
    .await;
}

/// How many messages the queue of a server that has stopped holds.
async fn waiting(server: &Server) -> u64 {
    let clock = Arc::new(SystemClock);
    let queue = DurableQueue::open(&server.home.join("queue.db"), clock, QueueSettings::default()).expect("the queue");
    let depths = queue.depth().await.expect("the queue's depth");
    depths.iter().map(|depth| depth.ready + depth.delayed + depth.in_flight).sum()
}
