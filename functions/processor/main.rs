//! The processor: messages of the queues become changes. What the queues gave up on comes here too, and is kept in the
//! dead letters.

use std::sync::Arc;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use hooktide_core::flows::process::{Message, Processor};
use hooktide_core::ports::QueueName;
use hooktide_functions::environment::Environment;
use hooktide_functions::host::Host;
use lambda_runtime::{Error, LambdaEvent, service_fn};

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
    let mut failed = processor.process(messages, now).await;
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
