//! The processor: messages of the queues become changes. What the queues gave up on comes here too, and is kept in the
//! dead letters.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use hooktide_flows::process::{Message, Processor};
use hooktide_functions::environment::Environment;
use hooktide_functions::host::Host;
use hooktide_store::ports::QueueName;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// How long before its end a run takes up nothing more, in milliseconds: what it has begun must have an end.
const BEFORE_END_MILLIS: u64 = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    let processor = Arc::new(Processor::new(host.ports.clone(), host.environment.settings.clone()));
    lambda_runtime::run(service_fn(|event| process(Arc::clone(&host), Arc::clone(&processor), event))).await
}

async fn process(
    host: Arc<Host>,
    processor: Arc<Processor>,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, Error> {
    let now = host.clock.now();
    let (mut messages, mut given_up) = (Vec::new(), Vec::new());
    for record in event.payload.records {
        match source_of(&record, &host.environment) {
            Source::Queue(queue) => messages.push(message(record, queue)),
            Source::Dead => given_up.push(message(record, QueueName::Notices)),
        }
    }
    // What is not done by then comes again: a run that is cut off would take its whole batch along.
    let ends_at = ends_at(event.context.deadline, millis(now));
    let is_over = || ends_at.is_some_and(|ends_at| millis(host.clock.now()) >= ends_at);
    let mut failed = processor.process_until(messages, now, &is_over).await;
    failed.extend(processor.give_up(given_up, now).await);
    host.tally.write(host.clock.now());
    let failures = failed.into_iter().map(|handle| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = handle;
        failure
    });
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures.collect();
    Ok(response)
}

/// From when on a run takes up nothing more; none if its time is not known.
fn ends_at(deadline: u64, now: u64) -> Option<u64> {
    let left = deadline.checked_sub(now).filter(|left| *left > 0)?;
    Some(deadline - BEFORE_END_MILLIS.min(left / 2))
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

enum Source {
    Queue(QueueName),
    Dead,
}

/// Which queue a message came from: an ARN and an address end in the queue's name alike.
fn source_of(record: &SqsMessage, environment: &Environment) -> Source {
    let arn = record.event_source_arn.as_deref().unwrap_or_default();
    let from = |address: &str| arn.rsplit(':').next() == address.rsplit('/').next();
    if from(&environment.dead_queue) {
        Source::Dead
    } else if from(&environment.priority_queue) {
        Source::Queue(QueueName::Priority)
    } else {
        Source::Queue(QueueName::Notices)
    }
}

fn message(record: SqsMessage, queue: QueueName) -> Message {
    Message { handle: record.message_id.unwrap_or_default(), queue, body: record.body.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_up_nothing_in_its_last_five_seconds_nor_in_the_last_half_of_a_short_one() {
        assert_eq!(ends_at(1_030_000, 1_000_000), Some(1_025_000));
        assert_eq!(ends_at(1_003_000, 1_000_000), Some(1_001_500));
        assert_eq!(ends_at(0, 1_000_000), None, "whoever invokes it says no deadline");
    }
}
