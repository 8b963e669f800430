//! The queues on SQS: standard queues that are fair, so that one busy endpoint does not hold up the others.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use hooktide_model::fault::Fault;
use hooktide_store::ports::{MAX_DELAY, Outgoing, Queue, QueueName, Source, Waiting};

use crate::fault;
use crate::resend::{Batches, fitting, send_all};

/// The name that faults give the queue.
const SERVICE: &str = "SQS";
/// How many messages a batch takes.
const MOST: usize = 10;
/// How large a message, and a batch, may be, in bytes:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const LARGEST: usize = 1024 * 1024;

/// The URLs of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// The URL of the queue for notices.
    pub notices: String,
    /// The URL of the queue for messages that must not wait.
    pub priority: String,
    /// The URL of the queue for jobs.
    pub jobs: String,
    /// The URL of the queue of messages that the others gave up on.
    pub dead: String,
}

impl QueueUrls {
    fn at(&self, source: Source) -> &str {
        match source {
            Source::Queue(queue) => self.of(queue),
            Source::Dead => &self.dead,
        }
    }

    fn of(&self, queue: QueueName) -> &str {
        match queue {
            QueueName::Notices => &self.notices,
            QueueName::Priority => &self.priority,
            QueueName::Jobs => &self.jobs,
        }
    }
}

/// The queues' sending side.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    urls: QueueUrls,
}

impl SqsQueue {
    /// The queues at `urls`.
    pub fn new(client: Client, urls: QueueUrls) -> Self {
        Self { client, urls }
    }
}

/// One of the queues. A single message is sent as a batch of one, since both cost the same.
struct OneQueue<'a> {
    client: &'a Client,
    url: &'a str,
}

#[async_trait]
impl Batches for OneQueue<'_> {
    type Entry = Outgoing;

    fn fit(&self, next: &[Outgoing]) -> usize {
        fitting(next, MOST, LARGEST, |message| message.body.len())
    }

    async fn send_batch(&self, messages: Vec<Outgoing>) -> Result<Vec<Result<(), Fault>>, Fault> {
        let count = messages.len();
        let entries = messages.into_iter().enumerate().map(|(place, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(message.body)
                .delay_seconds(seconds(message.delay))
                .message_group_id(message.group)
                .build()
        });
        let entries: Vec<_> =
            entries.collect::<Result<_, _>>().map_err(|error| Fault::failed(format!("{SERVICE}: {error}")))?;
        let call = self.client.send_message_batch().queue_url(self.url).set_entries(Some(entries));
        let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
        // An entry that is reported as neither sent nor failed is not known to be durable.
        let silent = || Err(Fault::retryable(format!("{SERVICE} said nothing of a message")));
        let mut results: Vec<Result<(), Fault>> = std::iter::repeat_with(silent).take(count).collect();
        for sent in answer.successful() {
            if let Some(result) = sent.id().parse::<usize>().ok().and_then(|place| results.get_mut(place)) {
                *result = Ok(());
            }
        }
        for failed in answer.failed() {
            if let Some(result) = failed.id().parse::<usize>().ok().and_then(|place| results.get_mut(place)) {
                *result = Err(entry_fault(failed));
            }
        }
        Ok(results)
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        let mut results: Vec<Result<(), Fault>> = vec![Ok(()); messages.len()];
        let mut by_queue: HashMap<QueueName, Vec<(usize, Outgoing)>> = HashMap::new();
        for (place, message) in messages.into_iter().enumerate() {
            if message.body.len() > LARGEST {
                let detail = format!("a message of {} bytes; {SERVICE} takes {LARGEST}", message.body.len());
                results[place] = Err(Fault::failed(detail));
            } else {
                by_queue.entry(message.queue).or_default().push((place, message));
            }
        }
        for (queue, messages) in by_queue {
            let (places, messages): (Vec<usize>, Vec<Outgoing>) = messages.into_iter().unzip();
            let queue = OneQueue { client: &self.client, url: self.urls.of(queue) };
            let sent = send_all(&queue, messages).await;
            for (place, result) in places.into_iter().zip(sent) {
                results[place] = result;
            }
        }
        results
    }

    /// The age of the oldest message is only in the metrics, and so is the rate.
    async fn waiting(&self) -> Result<Vec<Waiting>, Fault> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let mut all = Vec::with_capacity(Source::ALL.len());
        for source in Source::ALL {
            let call = self.client.get_queue_attributes().queue_url(self.urls.at(source));
            let answer = call.set_attribute_names(Some(names.to_vec())).send().await;
            let answer = answer.map_err(|error| fault::sort(SERVICE, &error))?;
            let [ready, delayed, in_flight] = names.each_ref().map(|name| {
                let text = answer.attributes().and_then(|attributes| attributes.get(name));
                text.and_then(|text| text.parse().ok()).unwrap_or(0)
            });
            all.push(Waiting { source, ready, delayed, in_flight, oldest_at: None, per_minute: None });
        }
        Ok(all)
    }
}

/// Whole seconds, rounded up: never earlier than asked.
fn seconds(delay: Duration) -> i32 {
    let whole = delay.min(MAX_DELAY).as_millis().div_ceil(1000);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn entry_fault(failed: &BatchResultErrorEntry) -> Fault {
    let detail = format!("{SERVICE} refused a message: {}", failed.code());
    if failed.sender_fault() && !fault::is_passing(failed.code()) {
        Fault::failed(detail)
    } else {
        Fault::retryable(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_never_shortened() {
        for (millis, whole) in [(0, 0), (1, 1), (1000, 1), (1001, 2), (900_000, 900), (2_000_000, 900)] {
            assert_eq!(seconds(Duration::from_millis(millis)), whole);
        }
    }
}
