//! The receiver: `ANY /webhooks/{provider}/{id}` from an HTTP API. One artifact, deployed once for each provider.

use std::sync::Arc;

use hooktide_flows::receive::{NotTold, Receipt, Receiver};
use hooktide_functions::gateway::{bytes_of, legible, source_of};
use hooktide_functions::host::Host;
use hooktide_functions::metrics;
use http::StatusCode;
use lambda_http::{Adapter, Body, Error, LambdaEvent, Request, Response, service_fn};
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    let receiver = Arc::new(Receiver::new(host.ports.clone(), host.environment.settings.clone()));
    let service = service_fn(|request| answer(Arc::clone(&host), Arc::clone(&receiver), request));
    let adapter = Adapter::from(service)
        .map_request(|event: LambdaEvent<_>| LambdaEvent::new(legible(event.payload), event.context));
    lambda_runtime::run(adapter).await
}

async fn answer(host: Arc<Host>, receiver: Arc<Receiver>, request: Request) -> Result<Response<Body>, Error> {
    let began = host.clock.now();
    let (provider, peer) = (provider_of(request.uri().path()), source_of(&request));
    let mut request = request.map(bytes_of);
    let response = match host.front.admit(request.headers_mut(), peer).await {
        Ok(source) => receiver.receive(request, &source, began).await,
        Err(problem) => problem.into_response(),
    };
    let ended = host.clock.now();
    let trace = response.extensions().get::<Receipt>().map(|receipt| receipt.trace.as_str());
    let took = ended.duration_since(began).unsigned_abs();
    metrics::write(&[metrics::delivery(ended, provider, outcome_of(&response), took, trace)]);
    Ok(response.map(|body| if body.is_empty() { Body::Empty } else { Body::from(body.to_vec()) }))
}

/// The provider that an address names; metrics have a name for each of them and one for all others.
fn provider_of(path: &str) -> &'static str {
    let name = path.strip_prefix("/webhooks/").and_then(|rest| rest.split('/').next());
    name.and_then(hooktide_providers::by_id).map_or("unknown", |provider| provider.id())
}

/// How an answer is counted.
fn outcome_of<B>(response: &Response<B>) -> &'static str {
    match response.status() {
        _ if response.extensions().get::<NotTold>().is_some() => "refused",
        status if status.is_success() => "accepted",
        StatusCode::UNAUTHORIZED => "refused",
        StatusCode::TOO_MANY_REQUESTS => "limited",
        status if status.is_server_error() => "failed",
        _ => "rejected",
    }
}
