//! A noisy tenant does not hold up the others: messages travel in groups by their endpoint, and a fair queue serves those
//! in turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use hooktide_flows::receive::Receiver;
use hooktide_model::envelope::Envelope;
use hooktide_store::ports::{QueueName, Source};
use hooktide_tests::simulation::rates::Rates;
use hooktide_tests::simulation::scheduler::{Activity, Scheduler, Stepped};
use hooktide_tests::simulation::world::{Tells, World};

/// Lets an activity run to its end, alone.
fn drive(scheduler: &Scheduler, mut activity: Activity) {
    let mut ended = scheduler.start(0, &mut activity);
    while !ended {
        let (gate, _) = scheduler.ready()[0];
        ended = matches!(scheduler.step(gate, &mut activity), Stepped::Ended);
    }
}

/// How many batches are handed out until each quiet shop's one delivery is among them, behind so many of a noisy shop.
fn batches_until_all_are_served(noise: usize) -> usize {
    let start = "2026-11-02T08:00:00Z".parse().expect("a time");
    let scheduler = Scheduler::new(1, Rates::CALM, start);
    let world = futures::FutureExt::now_or_never(World::new(1, Arc::clone(&scheduler), None)).expect("ready");
    let world = Arc::new(world);
    let receiver = Arc::new(Receiver::new(world.ports.clone(), world.settings.clone()));
    let shops = std::iter::repeat_n(0, noise).chain(1..world.shops.len());
    for (version, shop) in shops.enumerate() {
        let version = scheduler.now().as_millisecond() + i64::try_from(version).expect("few");
        let delivery = world.deliver(shop, Tells::Update(1, version, 1));
        let (receiver, now) = (Arc::clone(&receiver), scheduler.now());
        drive(
            &scheduler,
            Box::pin(async move {
                let answer = receiver.receive(delivery.request, "192.0.2.1", now).await;
                assert_eq!(answer.status(), 200);
            }),
        );
    }
    let mut waiting: BTreeSet<String> = world.shops[1..].iter().map(|shop| shop.connection.clone()).collect();
    for batches in 1.. {
        let taken = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (queue, into) = (world.queue.clone(), Arc::clone(&taken));
        drive(
            &scheduler,
            Box::pin(async move {
                let batch = queue.receive(Source::Queue(QueueName::Notices), 25).await;
                into.lock().expect("one thread").extend(batch);
            }),
        );
        for (message, _) in taken.lock().expect("one thread").iter() {
            waiting.remove(Envelope::decode(&message.body).expect("an envelope").group());
        }
        if waiting.is_empty() {
            return batches;
        }
    }
    unreachable!("every message is handed out")
}

#[test]
fn quiet_tenants_wait_no_more_than_twice_as_long_behind_a_noisy_one() {
    let alone = batches_until_all_are_served(0);
    let behind = batches_until_all_are_served(1_000);
    assert!(behind <= 2 * alone, "{behind} batches behind a noisy tenant, {alone} without");
}
