//! The API: management, reads and the feed from an HTTP API; and, by direct invocation, what an operator with rights of
//! their own in the AWS account may do before there is any token.

mod operator;

use std::sync::Arc;
use std::time::Duration;

use hooktide_api::{Api, Options};
use hooktide_functions::gateway::{legible, refusal};
use hooktide_functions::host::Host;
use lambda_http::request::LambdaRequest;
use lambda_http::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tower::ServiceExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let host = Arc::new(Host::start().await?);
    let (settings, clock) = (host.environment.settings.clone(), Arc::clone(&host.clock));
    // An HTTP API waits for the whole answer, so a stream of events ends at once and its reader comes again.
    let origins = host.environment.origins.clone();
    let options = Options { origins, stream_life: Duration::ZERO, shares_answers: true, ..Options::default() };
    let router = hooktide_api::router(Arc::new(Api::new(host.ports.clone(), settings, options, clock, None)));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let (host, router) = (Arc::clone(&host), router.clone());
        async move {
            // Only who may invoke the function can send anything but what the HTTP API makes of a request.
            if event.payload.get(operator::MARK).is_some() {
                return operator::answer(&host, event.payload).await;
            }
            let mut request: LambdaRequest = legible(serde_json::from_value(event.payload)?);
            if let LambdaRequest::ApiGatewayV2(event) = &mut request {
                let peer = event.request_context.http.source_ip.clone().unwrap_or_default();
                if let Err(problem) = host.front.admit(&mut event.headers, peer).await {
                    return Ok(refusal(problem));
                }
            }
            let adapter = lambda_http::Adapter::from(router);
            let response = adapter.oneshot(LambdaEvent::new(request, event.context)).await?;
            Ok(serde_json::to_value(response)?)
        }
    }))
    .await
}
