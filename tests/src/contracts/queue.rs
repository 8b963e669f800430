//! The promises of [`Queue`], each a check of its own. Receiving is the host's, so the caller says how.

#![expect(clippy::unwrap_used, reason = "a broken promise ends the test that looks at it")]

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use hooktide_model::fault::Fault;
use hooktide_store::ports::{Outgoing, Queue, QueueName, send_one};

/// How a host receives, for these checks.
#[async_trait]
pub trait Receives: Sync {
    /// Takes what is to be had from a queue now, and is done with it.
    async fn take(&self, queue: QueueName) -> Vec<String>;
    /// Lets time pass.
    async fn wait(&self, time: Duration);
}

/// Panics at the first promise that the queue breaks. The queues must be empty.
pub async fn keeps_its_promises(queue: &dyn Queue, host: &dyn Receives) {
    what_is_sent_is_received_as_it_was(queue, host).await;
    any_number_of_messages_is_taken(queue, host).await;
    each_message_goes_to_its_queue(queue, host).await;
    a_message_of_a_mebibyte_is_taken_and_a_larger_one_is_refused_alone(queue, host).await;
    large_messages_are_taken_together(queue, host).await;
    a_delayed_message_comes_later(queue, host).await;
}

fn message(queue: QueueName, body: &str) -> Outgoing {
    Outgoing { queue, body: body.to_owned(), delay: Duration::ZERO, group: "contract".into() }
}

/// Takes until nothing comes for a while: queues need not give all at once.
async fn take_all(host: &dyn Receives, queue: QueueName, expected: usize) -> Vec<String> {
    let mut taken = Vec::new();
    for _ in 0..100 {
        taken.extend(host.take(queue).await);
        if taken.len() >= expected {
            break;
        }
        host.wait(Duration::from_millis(50)).await;
    }
    taken.extend(host.take(queue).await);
    taken
}

async fn what_is_sent_is_received_as_it_was(queue: &dyn Queue, host: &dyn Receives) {
    let body = "{\"text\":\"größe \u{10348} \\u0000 \\uffff\",\"line\":\"a\tb\r\n\"}";
    send_one(queue, message(QueueName::Notices, body)).await.unwrap();
    assert_eq!(take_all(host, QueueName::Notices, 1).await, [body]);
}

async fn any_number_of_messages_is_taken(queue: &dyn Queue, host: &dyn Receives) {
    let bodies: BTreeSet<String> = (0..33).map(|n| format!("message {n}")).collect();
    let results = queue.send(bodies.iter().map(|body| message(QueueName::Notices, body)).collect()).await;
    assert_eq!(results, vec![Ok(()); 33]);
    let taken: BTreeSet<String> = take_all(host, QueueName::Notices, 33).await.into_iter().collect();
    assert_eq!(taken, bodies);
    assert_eq!(queue.send(vec![]).await, []);
}

async fn each_message_goes_to_its_queue(queue: &dyn Queue, host: &dyn Receives) {
    let names = [QueueName::Priority, QueueName::Notices, QueueName::Priority, QueueName::Jobs];
    let messages = names.iter().enumerate().map(|(n, name)| message(*name, &format!("{n} {}", name.as_str())));
    assert_eq!(queue.send(messages.collect()).await, vec![Ok(()); 4]);
    let mut urgent = take_all(host, QueueName::Priority, 2).await;
    urgent.sort();
    assert_eq!(urgent, ["0 priority", "2 priority"]);
    assert_eq!(take_all(host, QueueName::Notices, 1).await, ["1 notices"]);
    assert_eq!(take_all(host, QueueName::Jobs, 1).await, ["3 jobs"]);
}

async fn a_message_of_a_mebibyte_is_taken_and_a_larger_one_is_refused_alone(queue: &dyn Queue, host: &dyn Receives) {
    let (largest, larger) = ("x".repeat(1024 * 1024), "y".repeat(1024 * 1024 + 1));
    let bodies = ["before", &larger, &largest, "after"];
    let results = queue.send(bodies.iter().map(|body| message(QueueName::Notices, body)).collect()).await;
    assert!(matches!(&results[..], [Ok(()), Err(Fault::Failed { .. }), Ok(()), Ok(())]), "{results:?}");
    let mut taken = take_all(host, QueueName::Notices, 3).await;
    taken.sort();
    assert!(taken == ["after", "before", &largest], "{:?}", taken.iter().map(String::len).collect::<Vec<_>>());
}

async fn large_messages_are_taken_together(queue: &dyn Queue, host: &dyn Receives) {
    let bodies: Vec<String> = (0..5).map(|n| n.to_string().repeat(400 * 1024)).collect();
    let results = queue.send(bodies.iter().map(|body| message(QueueName::Notices, body)).collect()).await;
    assert_eq!(results, vec![Ok(()); 5], "together they are more than one call may carry");
    assert_eq!(take_all(host, QueueName::Notices, 5).await.len(), 5);
}

async fn a_delayed_message_comes_later(queue: &dyn Queue, host: &dyn Receives) {
    let later = Outgoing { delay: Duration::from_millis(1500), ..message(QueueName::Notices, "later") };
    send_one(queue, later).await.unwrap();
    assert_eq!(host.take(QueueName::Notices).await, Vec::<String>::new());
    host.wait(Duration::from_secs(3)).await;
    assert_eq!(take_all(host, QueueName::Notices, 1).await, ["later"]);
}
