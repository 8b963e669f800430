//! Receivers by themselves: over a queue that takes everything at once, so that nothing but them is looked at.

use std::sync::Arc;

use async_trait::async_trait;
use hooktide_flows::Ports;
use hooktide_flows::receive::Receiver;
use hooktide_model::fault::Fault;
use hooktide_store::metering::Metered;
use hooktide_store::ports::{Outgoing, Queue};
use jiff::Timestamp;

use crate::deliveries::Sender;
use crate::faults::FaultyTable;
use crate::world::World;

struct Taking;

#[async_trait]
impl Queue for Taking {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        std::hint::black_box(&messages);
        vec![Ok(()); messages.len()]
    }
}

impl World {
    /// A receiver that has seen nothing yet, over a queue that takes everything at once.
    pub fn receiver(&self) -> Receiver {
        let ports = Ports { queue: Arc::new(Taking), ..self.host.ports.clone() };
        Receiver::new(ports, self.host.settings.clone())
    }

    /// A receiver that has seen nothing yet, over a table that counts its calls.
    pub fn metered_receiver(&self) -> (Receiver, Arc<Metered<FaultyTable>>) {
        let table = Arc::new(Metered::new(FaultyTable::new(Arc::clone(&self.host.ports.table), Arc::default())));
        let ports = Ports { table: Arc::clone(&table) as Arc<_>, ..self.host.ports.clone() };
        (Receiver::new(ports, self.host.settings.clone()), table)
    }
}

/// A receiver of deliveries of all providers and topics in turn, from 256 addresses.
pub struct Mixed {
    receiver: Receiver,
    senders: Vec<Sender>,
    now: Timestamp,
}

impl Mixed {
    /// One with an endpoint for each provider.
    pub async fn new() -> Self {
        let world = World::new().await;
        let mut senders = Sender::all();
        for sender in &mut senders {
            sender.url = world.endpoint(sender.provider.id(), &sender.secrets).await;
        }
        Self { receiver: world.receiver(), senders, now: world.now() }
    }

    /// Makes the delivery of that number, which no other is like, and sees it accepted.
    pub async fn receive(&self, number: usize) {
        let (turn, whose) = (number / self.senders.len(), number % self.senders.len());
        let sender = &self.senders[whose];
        let topics = sender.provider.profile().topics;
        let topic = topics[turn % topics.len()].name;
        let request = sender.delivery(topic, number as u64, self.now);
        let answer = self.receiver.receive(request, &format!("192.0.2.{}", number % 256), self.now).await;
        assert!(answer.status().is_success(), "{} {topic}: {}", sender.provider.id(), answer.status());
    }
}
