//! Batches of messages as Lambda hands them over from SQS, and the answer that says which of them come again.

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use hooktide_flows::message::Message;
use hooktide_store::ports::{QueueName, Source};
use hooktide_store::times::Times;
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;

use crate::ending::Ending;
use crate::environment::Environment;
use crate::host::Host;

/// A batch, and how long its run may go on.
pub struct Batch<'a> {
    host: &'a Host,
    /// When it was handed over.
    pub now: Timestamp,
    ending: Ending<'a>,
}

impl<'a> Batch<'a> {
    /// Takes the messages of an event, for a function with these times.
    pub fn take(host: &'a Host, event: LambdaEvent<SqsEvent>, times: Times) -> (Self, Vec<Message>) {
        let now = host.clock.now();
        let ending = Ending::before(event.context.deadline, times.reserve, &*host.clock);
        let message = |record: SqsMessage| Message {
            source: source_of(&record, &host.environment),
            handle: record.message_id.unwrap_or_default(),
            body: record.body.unwrap_or_default(),
        };
        (Self { host, now, ending }, event.payload.records.into_iter().map(message).collect())
    }

    /// Whether the run takes up nothing more: one that is cut off would take its whole batch along.
    pub fn is_over(&self) -> bool {
        self.ending.is_over()
    }

    /// The answer, by the handles of the messages that come again. Writes down what became of the others.
    pub fn answer(self, failed: Vec<String>) -> SqsBatchResponse {
        self.host.tally.write(self.host.clock.now());
        let failures = failed.into_iter().map(|handle| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = handle;
            failure
        });
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures.collect();
        response
    }
}

/// The queue that a message came from: an ARN and an address end in the queue's name alike.
fn source_of(record: &SqsMessage, environment: &Environment) -> Source {
    let arn = record.event_source_arn.as_deref().unwrap_or_default();
    let addresses = [
        (&environment.dead_queue, Source::Dead),
        (&environment.priority_queue, Source::Queue(QueueName::Priority)),
        (&environment.jobs_queue, Source::Queue(QueueName::Jobs)),
    ];
    let from = |address: &str| arn.rsplit(':').next() == address.rsplit('/').next();
    let found = addresses.into_iter().find(|(address, _)| from(address));
    found.map_or(Source::Queue(QueueName::Notices), |(_, source)| source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::REQUIRED;

    #[test]
    fn a_message_is_known_by_the_queue_that_it_came_from() {
        let lookup = |name: &str| {
            let variable = REQUIRED.iter().find(|variable| variable.name == name)?;
            let queue = variable.name.strip_prefix("HOOKTIDE_")?.strip_suffix("_QUEUE");
            Some(format!("https://sqs/1/{}", queue.unwrap_or(name).to_ascii_lowercase()))
        };
        let environment = Environment::read(lookup).unwrap();
        for (queue, expected) in [
            ("notices", Source::Queue(QueueName::Notices)),
            ("priority", Source::Queue(QueueName::Priority)),
            ("jobs", Source::Queue(QueueName::Jobs)),
            ("dead", Source::Dead),
        ] {
            let mut record = SqsMessage::default();
            record.event_source_arn = Some(format!("arn:aws:sqs:us-east-1:1:{queue}"));
            assert_eq!(source_of(&record, &environment), expected, "{queue}");
        }
    }
}
