//! The processor: notices become changes. What the queues gave up on comes here too, and is kept in the dead letters.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use hooktide_flows::process::Processor;
use hooktide_functions::batch::Batch;
use hooktide_functions::host::Host;
use hooktide_store::times::PROCESSOR;
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
    let (batch, messages) = Batch::take(&host, event, PROCESSOR);
    let failed = processor.process_until(messages, batch.now, &|| batch.is_over()).await;
    Ok(batch.answer(failed))
}
