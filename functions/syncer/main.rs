//! The syncer: does jobs, such as replays and requests about personal data, a step each.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use hooktide_flows::jobs::syncer::Syncer;
use hooktide_functions::batch::Batch;
use hooktide_functions::host::Host;
use hooktide_store::times::SYNCER;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    let syncer = Arc::new(Syncer::new(host.ports.clone(), &host.environment.settings));
    lambda_runtime::run(service_fn(|event| run(Arc::clone(&host), Arc::clone(&syncer), event))).await
}

async fn run(host: Arc<Host>, syncer: Arc<Syncer>, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
    let (batch, messages) = Batch::take(&host, event, SYNCER);
    let failed = syncer.run_until(messages, batch.now, &|| batch.is_over()).await;
    Ok(batch.answer(failed))
}
