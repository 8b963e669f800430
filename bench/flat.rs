//! Memory of a receiver over deliveries of all providers: what it keeps is bounded.

use std::sync::Arc;

use hooktide_core::flows::Ports;
use hooktide_core::flows::receive::Receiver;
use hooktide_tests::deliveries::Sender;
use hooktide_tests::world::World;

use crate::acceptance::Taking;
use crate::memory::{anonymous, resident};
use crate::report::{Report, Verdict, grouped};

/// After how many deliveries memory is looked at.
const LOOKS: [u64; 2] = [20_000, 100_000];
/// How much more it may be at the second look.
const FLAT: f64 = 1.10;

/// Measures.
pub(crate) fn measure(report: &mut Report) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let looks = runtime.block_on(look());
    let asked = "flat: at most 10 % more";
    let what = format!(
        "receiver's process after {} and {} mixed deliveries (of it no file's)",
        grouped(LOOKS[0] as f64),
        grouped(LOOKS[1] as f64)
    );
    match looks.as_slice() {
        [(first, first_anonymous), (last, last_anonymous)] => {
            let figure = format!("{first:.1} ({first_anonymous:.1}), {last:.1} ({last_anonymous:.1}) MB");
            report.judge("N3", &what, figure, asked, Verdict::Required(*last <= first * FLAT));
        }
        _ => report.show("N3", &what, "not measured: there is no /proc".to_owned()),
    }
}

/// Sends deliveries of all providers and topics in turn, and looks at what this process holds.
async fn look() -> Vec<(f64, f64)> {
    let world = World::new().await;
    let now = world.now();
    let mut senders = Sender::all();
    for sender in &mut senders {
        sender.url = world.endpoint(sender.provider.id(), &sender.secrets).await;
    }
    let ports = Ports { queue: Arc::new(Taking), ..world.host.ports.clone() };
    let receiver = Receiver::new(ports, world.host.settings.clone());
    let mut looks = Vec::new();
    for number in 0..LOOKS[1] {
        let (turn, whose) = (number / senders.len() as u64, number % senders.len() as u64);
        let sender = &senders[whose as usize];
        let topics = sender.provider.topics();
        let topic = topics[turn as usize % topics.len()].name;
        let request = sender.delivery(topic, number, now);
        let source = format!("192.0.2.{}", number % 256);
        let answer = receiver.receive(request, &source, now).await;
        assert!(answer.status().is_success(), "{} {topic}: {}", sender.provider.id(), answer.status());
        if LOOKS.contains(&(number + 1)) {
            looks.extend(resident(std::process::id()).zip(anonymous(std::process::id())));
        }
    }
    looks
}
