//! The disk takes nothing more, or fails to sync: nothing is accepted then that could be lost, and it passes.

use std::collections::BTreeSet;
use std::fs;

use hooktide_tests::server::{Server, eventually};
use hooktide_tests::world::Shop;
use http::Method;

use crate::crash::{all_is_told, drained};
use crate::shim;
use crate::traffic::{Traffic, ids, told};

const SENDERS: usize = 16;

/// How the disk fails: the flag, and in which files.
const WAYS: [(&str, &str); 3] = [("full", ""), ("full", "queue.db"), ("broken", "queue.db")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_answers_503_and_loses_nothing() {
    let server = Server::start_with(shim::environment).await;
    let shop = server.client.shop().await;
    let mut due = BTreeSet::new();
    for (round, (flag, part)) in WAYS.into_iter().enumerate() {
        let numbers = |nth: usize| (round * 100 + nth * 20)..(round * 100 + nth * 20 + 20);
        assert_eq!(send(&server, &shop, numbers(0)).await, BTreeSet::from([200]));
        due.extend(numbers(0));
        all_is_told(&server, &due).await;
        shim::raise(&server.beside(flag), part);
        assert_eq!(send(&server, &shop, numbers(1)).await, BTreeSet::from([503]), "{flag} {part}");
        assert_eq!(server.client.call(Method::GET, "/v1/changes", None).await.status, 200, "what is there can be read");
        fs::remove_file(server.beside(flag)).unwrap();
        assert_eq!(send(&server, &shop, numbers(2)).await, BTreeSet::from([200]), "{flag} {part}");
        due.extend(numbers(2));
        all_is_told(&server, &due).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_waits_until_the_store_can_be_written_again() {
    let server = Server::start_with(shim::environment).await;
    let shop = server.client.shop().await;
    let mut due = BTreeSet::new();
    for (round, flag) in ["full", "broken"].into_iter().enumerate() {
        let waits = || server.log().matches("a message waits").count();
        let before = waits();
        shim::raise(&server.beside(flag), "table.db");
        let numbers = (round * 100)..(round * 100 + 40);
        assert_eq!(send(&server, &shop, numbers.clone()).await, BTreeSet::from([200]));
        eventually("the store refuses", async || (waits() > before).then_some(())).await;
        fs::remove_file(server.beside(flag)).unwrap();
        due.extend(numbers);
        all_is_told(&server, &due).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fills_up_amid_deliveries_loses_none_that_was_accepted() {
    let mut server = Server::start_with(shim::environment).await;
    let shop = server.client.shop().await;
    let traffic = Traffic::new((0..1_000).map(|number| shop.product(number, 0)).collect());
    let (sending, client) = (traffic.clone(), server.client.clone());
    let flow = tokio::spawn(async move { sending.flow(&client, SENDERS).await });
    eventually("some are answered", async || (traffic.answered() > 200).then_some(())).await;
    shim::raise(&server.beside("full"), "");
    eventually("some are refused", async || (traffic.with(Some(503)).len() > 50).then_some(())).await;
    fs::remove_file(server.beside("full")).unwrap();
    flow.await.unwrap();
    assert_eq!(traffic.statuses(), BTreeSet::from([200, 503]));
    // By itself the server goes on with what came after. What was worked on when the disk filled up comes again when
    // its visibility ends; starting the server anew is quicker.
    let last = BTreeSet::from([1_000]);
    assert_eq!(send(&server, &shop, 1_000..1_001).await, BTreeSet::from([200]));
    all_is_told(&server, &last).await;
    drained(&mut server).await;
    all_is_told(&server, &traffic.with(Some(200))).await;
    let changes = server.client.all("/v1/changes").await;
    assert_eq!(ids(&changes).len(), changes.len());
    assert!(told(&changes).values().all(|times| *times == 1));
}

async fn send(server: &Server, shop: &Shop, numbers: std::ops::Range<usize>) -> BTreeSet<u16> {
    let traffic = Traffic::new(numbers.map(|number| shop.product(number as u64, 0)).collect());
    traffic.flow(&server.client, SENDERS).await;
    assert!(traffic.with(None).is_empty());
    traffic.statuses()
}
