//! The queues on SQS, against MiniStack; and the local host's, by the same promises.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use hooktide_aws::queue::{QueueUrls, SqsQueue};
use hooktide_local::clock::{ManualClock, SystemClock};
use hooktide_local::queue::{DurableQueue, QueueSettings};
use hooktide_store::ports::{QueueName, Source};
use hooktide_tests::contracts::queue::{Receives, keeps_its_promises};
use hooktide_tests::emulator::Emulator;
use hooktide_tests::world::clock;

struct OverSqs {
    client: Client,
    urls: QueueUrls,
}

#[async_trait]
impl Receives for OverSqs {
    async fn take(&self, queue: QueueName) -> Vec<String> {
        let url = match queue {
            QueueName::Notices => &self.urls.notices,
            QueueName::Priority => &self.urls.priority,
            QueueName::Jobs => &self.urls.jobs,
        };
        let mut taken = Vec::new();
        loop {
            let call = self.client.receive_message().queue_url(url).max_number_of_messages(10);
            let messages = call.send().await.expect("messages").messages.unwrap_or_default();
            if messages.is_empty() {
                return taken;
            }
            for message in messages {
                let receipt = message.receipt_handle.expect("a receipt");
                let delete = self.client.delete_message().queue_url(url).receipt_handle(receipt);
                delete.send().await.expect("the message is deleted");
                taken.push(message.body.expect("a body"));
            }
        }
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queues_on_sqs_keep_their_promises() {
    let emulator = Emulator::start().await;
    let client = Client::new(&emulator.configuration().await);
    let make = async |name: &str| {
        let call = client.create_queue().queue_name(name);
        let call = call.attributes(QueueAttributeName::MaximumMessageSize, "1048576");
        call.send().await.expect("a queue").queue_url.expect("its address")
    };
    let urls = QueueUrls {
        notices: make("notices").await,
        priority: make("priority").await,
        jobs: make("jobs").await,
        dead: make("dead").await,
    };
    let queue = SqsQueue::new(client.clone(), urls.clone());
    keeps_its_promises(&queue, &OverSqs { client, urls }).await;
}

struct OverFile {
    queue: DurableQueue,
    clock: Option<ManualClock>,
}

#[async_trait]
impl Receives for OverFile {
    async fn take(&self, queue: QueueName) -> Vec<String> {
        let received = self.queue.receive(Source::Queue(queue), 100).await.expect("messages");
        let receipts: Vec<_> = received.iter().map(|message| (message.id, message.receipt)).collect();
        self.queue.delete(&receipts).await.expect("they are deleted");
        received.into_iter().map(|message| message.body).collect()
    }

    async fn wait(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }
}

#[tokio::test]
async fn the_queues_in_memory_keep_their_promises() {
    let clock = clock();
    let queue = DurableQueue::in_memory(Arc::new(clock.clone()), QueueSettings::default()).expect("a queue");
    keeps_its_promises(&queue, &OverFile { queue: queue.clone(), clock: Some(clock) }).await;
}

#[tokio::test]
async fn the_queues_on_a_file_keep_their_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("queue.db");
    let queue = DurableQueue::open(&path, Arc::new(SystemClock), QueueSettings::default()).expect("a queue");
    keeps_its_promises(&queue, &OverFile { queue: queue.clone(), clock: None }).await;
}
