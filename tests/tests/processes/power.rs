//! The power fails, and only data that was synced to the disk is left.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::future::join_all;
use hooktide_tests::server::{Server, eventually};
use hooktide_tests::world::Shop;
use http::Request;
use serde_json::{Value, json};

use crate::crash::{all_is_told, drained};
use crate::shim;
use crate::traffic::{Dice, Traffic, ids, told};

const DELIVERIES: u64 = 200;
const SENDERS: usize = 16;

/// The behaviour of the disk.
#[derive(Clone, Copy, PartialEq)]
enum Disk {
    Honest,
    /// Pretends to sync files with this text in their path; all files if it is empty.
    Lies(&'static str),
}

/// When the power fails.
#[derive(Clone, Copy, PartialEq)]
enum Moment {
    /// While deliveries come in.
    InTheMidst,
    /// After all deliveries were processed and a few more came.
    Afterwards,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_it_is_on_disk() {
    for moment in [Moment::InTheMidst, Moment::Afterwards] {
        let (mut server, accepted) = cut(Disk::Honest, moment).await;
        all_is_told(&server, &accepted).await;
        drained(&mut server).await;
        let changes = server.client.all("/v1/changes").await;
        assert!(changes.iter().all(|change| change["document"].is_object()), "every document was kept");
        assert_eq!(ids(&changes).len(), changes.len(), "no change is told twice");
        assert!(told(&changes).values().all(|times| *times == 1), "no product changed twice");
    }
}

/// The proof that the test above can fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_lies_loses_what_was_accepted() {
    let lies = [(Disk::Lies(""), Moment::InTheMidst), (Disk::Lies("table.db"), Moment::Afterwards)];
    join_all(lies.map(|(disk, moment)| async move {
        let (mut server, accepted) = cut(disk, moment).await;
        drained(&mut server).await;
        let told = told(&server.client.all("/v1/changes").await);
        let lost = accepted.iter().filter(|number| !told.contains_key(&(**number as u64))).count();
        assert!(lost > 90, "only {lost} of {} were lost", accepted.len());
    }))
    .await;
}

/// Sends, cuts the power and restarts on the remaining data; returns the products that were accepted.
async fn cut(disk: Disk, moment: Moment) -> (Server, BTreeSet<usize>) {
    let mut server = Server::start_with(shim::environment).await;
    let shop = server.client.shop().await;
    if let Disk::Lies(part) = disk {
        shim::raise(&server.beside("lies"), part);
    }
    let dice = Dice::seeded(1);
    let traffic = Traffic::new((0..DELIVERIES).map(|number| delivery(&shop, number, &dice)).collect());
    let (sending, client) = (traffic.clone(), server.client.clone());
    let flow = tokio::spawn(async move { sending.flow(&client, SENDERS).await });
    let mut accepted = BTreeSet::new();
    match moment {
        Moment::InTheMidst => {
            eventually("most are answered", async || (traffic.answered() > 120).then_some(())).await;
            server.kill_nine().await;
            flow.await.unwrap();
        }
        Moment::Afterwards => {
            flow.await.unwrap();
            all_is_told(&server, &traffic.with(Some(200))).await;
            // A deletion from the queue reaches the disk with the next acceptance.
            for number in DELIVERIES..DELIVERIES + 5 {
                assert_eq!(server.client.send(shop.product(number, 0)).await.expect("an answer").status, 200);
                accepted.insert(number as usize);
            }
            server.kill_nine().await;
        }
    }
    assert_eq!(traffic.statuses(), BTreeSet::from([200]));
    accepted.extend(traffic.with(Some(200)));
    let left = server.beside("left");
    shim::after_power_cut(&server.home, &server.beside("shadow"), &left);
    (server.home, server.environment) = (left, Vec::new());
    server.start_again().await;
    (server, accepted)
}

/// Deliveries of which most fit into a message and some are so large that their bodies have their own files.
fn delivery(shop: &Shop, number: u64, dice: &Dice) -> Request<Bytes> {
    if number % 40 != 7 {
        return shop.product(number, 0);
    }
    let mut body: Value = serde_json::from_slice(&shop.body(number, 0)).unwrap();
    body["body_html"] = json!(dice.text(350_000));
    shop.signed("products/update", &format!("{number}-0"), body.to_string())
}
