//! Budgets: what a webhook costs at the store, counted at the port.

use std::sync::Arc;

use hooktide_core::flows::Ports;
use hooktide_core::flows::process::{Message, Processor};
use hooktide_core::metering::Metered;
use hooktide_core::ports::{QueueName, Table};
use hooktide_local::queue::Source;
use hooktide_tests::faults::FaultyTable;
use hooktide_tests::world::{Shop, World};
use http::Request;

/// What a batch cost, for each of its webhooks.
struct Cost {
    calls: f64,
    write_units: f64,
    read_units: f64,
    /// Of these, for documents.
    documents: f64,
}

/// Processes what was accepted, in one batch, and counts.
async fn cost(
    world: &World,
    processor: &Processor,
    metered: &Metered<FaultyTable>,
    requests: Vec<Request<bytes::Bytes>>,
) -> Cost {
    let count = requests.len() as f64;
    for request in requests {
        assert_eq!(world.request(request).await.status, 200);
    }
    let received = world.host.queue.receive(Source::Queue(QueueName::Notices), 25).await.unwrap();
    assert_eq!(received.len() as f64, count);
    let message = |one: &hooktide_local::queue::Received| Message {
        handle: one.id.to_string(),
        queue: QueueName::Notices,
        body: one.body.clone(),
    };
    metered.reset();
    assert!(processor.process(received.iter().map(message).collect(), world.now()).await.is_empty());
    let counts = metered.counts();
    let done: Vec<(i64, u64)> = received.iter().map(|one| (one.id, one.receipt)).collect();
    world.host.queue.delete(&done).await.unwrap();
    let total = counts.total();
    Cost {
        calls: total.calls as f64 / count,
        write_units: total.write_units as f64 / count,
        read_units: total.read_units / count,
        documents: counts.write_many.write_units as f64 / count,
    }
}

fn samples(world: &World, shop: &Shop, topic: &str, numbers: std::ops::Range<u64>) -> Vec<Request<bytes::Bytes>> {
    numbers.map(|number| world.sample(shop, topic, number, world.now())).collect()
}

#[tokio::test]
async fn webhooks_cost_no_more_than_their_budgets() {
    let world = World::new().await;
    let shop = world.shop().await;
    let metered = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&world.host.ports.table), Arc::default())));
    let ports = Ports { table: Arc::clone(&metered) as Arc<dyn Table>, ..world.host.ports.clone() };
    let processor = Processor::new(ports, world.host.settings.clone());
    // The lanes of the journal and what is noted of the secret are there already in the steady state.
    for number in 0..16 {
        cost(&world, &processor, &metered, samples(&world, &shop, "products/update", 900 + number..901 + number)).await;
    }
    println!("| webhook | batch | calls | write units | of these documents | read units |\n|---|---|---|---|---|---|");
    let mut told = Vec::new();
    for (batch, numbers) in [(1, 1..2), (25, 100..125)] {
        let fresh = samples(&world, &shop, "products/update", numbers.clone());
        let old = {
            let before = world.now() - std::time::Duration::from_secs(3600);
            numbers.clone().map(|number| world.sample(&shop, "products/update", number, before)).collect()
        };
        for (what, requests) in [
            ("fresh", fresh.clone()),
            ("duplicate", fresh),
            ("stale", old),
            ("hint", samples(&world, &shop, "inventory_levels/update", numbers)),
        ] {
            let cost = cost(&world, &processor, &metered, requests).await;
            println!(
                "| {what} | {batch} | {:.2} | {:.2} | {:.2} | {:.2} |",
                cost.calls, cost.write_units, cost.documents, cost.read_units
            );
            told.push((what, batch, cost));
        }
    }
    let of = |what: &str| told.iter().find(|(name, batch, _)| *name == what && *batch == 25).map(|(_, _, cost)| cost);
    let fresh = of("fresh").unwrap();
    assert!(
        fresh.write_units - fresh.documents <= 3.0,
        "a fresh content notice: {:.2}",
        fresh.write_units - fresh.documents
    );
    for what in ["duplicate", "stale"] {
        assert!(of(what).unwrap().write_units <= 0.5, "{what}: {:.2}", of(what).unwrap().write_units);
    }
}
