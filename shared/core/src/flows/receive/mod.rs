//! Receive: a request becomes a message on a queue, or is refused.
//!
//! In this order, each step cheaper than the next: path and method, the address's MAC, size, endpoint and secrets,
//! signature, and only then a look at the body. The answer is 2xx only once the queue has the message. A warm receiver
//! makes one call, the queue's; a body that needs a claim check makes one more.
//!
//! Not guaranteed: that a delivery is processed once (the queue delivers at least once), or that a secret that was
//! removed stops counting before the cached endpoint is refreshed.

mod cache;
mod limiter;

use std::sync::Arc;

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use std::time::Duration;
use tracing::{info, warn};

use self::cache::{EndpointCache, Lookup, OpenEndpoint};
use self::limiter::{Allowance, FailureLimiter};
use super::{Ports, Settings};
use crate::address;
use crate::envelope::{self, Delivery, Envelope, EnvelopeKind, LARGEST_BODY, VERSION, blob_fault};
use crate::fault::{AuthFault, Fault};
use crate::names::ProblemType;
use crate::ports::{Outgoing, QueueName, send_one};
use crate::problem::Problem;
use crate::providers::{self, Provider};
use crate::signing;
use crate::verified::{self, Verified};

/// Receives webhooks.
pub struct Receiver {
    ports: Ports,
    settings: Settings,
    endpoints: EndpointCache,
    failures: FailureLimiter,
}

impl Receiver {
    /// A receiver with empty caches.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let endpoints = EndpointCache::new(settings.endpoint_cache);
        let failures = FailureLimiter::new(settings.failures_per_minute);
        Self { ports, settings, endpoints, failures }
    }

    /// Answers a request to `/webhooks/{provider}/{id}` that came from the address `source`.
    ///
    /// The host reads at most one byte more of the body than [`LARGEST_BODY`].
    /// What was accepted has a [`Receipt`] among the extensions of its answer.
    pub async fn receive(&self, request: Request<Bytes>, source: &str, now: Timestamp) -> Response<Bytes> {
        match self.accept(&request, source, now).await {
            Ok(receipt) => {
                let mut response = Response::new(Bytes::new());
                response.extensions_mut().insert(receipt);
                response
            }
            Err(Refusal::Answer(problem)) => {
                let refused_method = problem.status == StatusCode::METHOD_NOT_ALLOWED.as_u16();
                let mut response = problem.into_response();
                if refused_method {
                    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
                }
                response
            }
            Err(Refusal::Fault(fault)) => {
                warn!(path = request.uri().path(), %fault, "a webhook was not accepted");
                Problem::from(&fault).into_response()
            }
        }
    }

    async fn accept(&self, request: &Request<Bytes>, source: &str, now: Timestamp) -> Result<Receipt, Refusal> {
        let (provider, id) = address_of(request.uri().path()).ok_or_else(not_found)?;
        if request.method() != Method::POST {
            return Err(Problem::new(ProblemType::MethodNotAllowed, "Webhooks are sent with POST.").into());
        }
        let keys = self.ports.keys.root().await?;
        if !address::is_ours(provider.id(), id, &keys) {
            return Err(not_found());
        }
        if request.body().len() > LARGEST_BODY {
            return Err(Problem::new(ProblemType::TooLarge, "A webhook has at most 1 MiB.").into());
        }
        let lookup = self.endpoints.get(&self.ports, provider.id(), id, now).await?.ok_or_else(not_found)?;
        let (endpoint, verified) = self.verify(provider, request, lookup, source, now).await?;
        Ok(self.enqueue(provider, &endpoint, verified, now).await?)
    }

    /// Checks the signature. When no cached secret fits, the endpoint is read once more before refusing, so that a
    /// new secret works at once; the limiter bounds how often an address can cause that.
    async fn verify(
        &self,
        provider: &dyn Provider,
        request: &Request<Bytes>,
        lookup: Lookup,
        source: &str,
        now: Timestamp,
    ) -> Result<(Arc<OpenEndpoint>, Verified), Refusal> {
        let url = format!("{}{}", self.settings.public_url, request.uri().path());
        let open = |endpoint: &OpenEndpoint| verified::open(provider, request, &url, &endpoint.secrets, now);
        let fault = match open(&lookup.endpoint) {
            Ok(verified) => return Ok((lookup.endpoint, verified)),
            Err(fault) => fault,
        };
        let id = lookup.endpoint.id.clone();
        let newer = matches!(fault, AuthFault::Mismatch | AuthFault::NoSecret);
        if newer && lookup.cached && self.failures.allows(&id, source, now) {
            let fresh = self.endpoints.refresh(&self.ports, provider.id(), &id, now).await?.ok_or_else(not_found)?;
            if let Ok(verified) = open(&fresh) {
                return Ok((fresh, verified));
            }
        }
        info!(provider = provider.id(), endpoint = id, source, reason = %fault, "a webhook was refused");
        match self.failures.count(&id, source, now) {
            Allowance::Within => Err(Problem::from(&Fault::Auth(fault)).into()),
            Allowance::Exceeded { retry_after } => {
                let detail = "Too many requests from this address could not be verified; wait a minute.";
                Err(Problem::new(ProblemType::Limited, detail).retry_after(retry_after).into())
            }
        }
    }

    /// Puts the message on its queue; returns once it is durable.
    async fn enqueue(
        &self,
        provider: &dyn Provider,
        endpoint: &OpenEndpoint,
        verified: Verified,
        now: Timestamp,
    ) -> Result<Receipt, Fault> {
        let label = provider.label(&verified);
        let readable = provider.readable(&verified);
        let id = self.ports.entropy.time_ordered_id(now);
        let packed = envelope::pack(verified.body(), provider.id(), &id)?;
        if let Some((path, bytes)) = packed.claim {
            self.ports.blobs.put(&path, bytes.into()).await.map_err(|error| blob_fault(&error))?;
        }
        if !provider.topics().iter().any(|topic| Some(topic.name) == label.topic.as_deref()) {
            warn!(provider = provider.id(), endpoint = endpoint.id, topic = label.topic, "an unknown topic");
        }
        let delivery = Delivery {
            provider: provider.id().to_owned(),
            endpoint: endpoint.id.clone(),
            key_id: verified.key_id().cloned(),
            topic: label.topic,
            delivery: label.delivery,
            headers: verified.headers().clone(),
            dropped: verified.dropped().to_vec(),
            payload: packed.payload,
            sha256: signing::sha256_hex(verified.body()),
        };
        let envelope = Envelope {
            v: VERSION,
            traceparent: envelope::traceparent_from(id.as_bytes()),
            id,
            kind: if readable.is_ok() { EnvelopeKind::Notice(delivery) } else { EnvelopeKind::Unreadable(delivery) },
            received_at: now,
            attempt: 0,
            deferred: 0,
            not_before: None,
            committed: Vec::new(),
        };
        let queue = if label.priority { QueueName::Priority } else { QueueName::Notices };
        let group = envelope.group().to_owned();
        let message = Outgoing { queue, body: envelope.encode()?, delay: Duration::ZERO, group };
        send_one(&*self.ports.queue, message).await?;
        Ok(Receipt { trace: envelope.trace().to_owned() })
    }
}

/// That a delivery was accepted: for the host's log, not for the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The trace id that goes with the delivery from here on.
    pub trace: String,
}

/// Why a request was not accepted.
enum Refusal {
    /// It was refused with this answer.
    Answer(Problem),
    /// Something of ours failed.
    Fault(Fault),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Answer(problem)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn not_found() -> Refusal {
    Problem::new(ProblemType::NotFound, "There is no such webhook address; check it with `hooktide connections list`.")
        .into()
}

/// The provider and the id of `/webhooks/{provider}/{id}`.
fn address_of(path: &str) -> Option<(&'static dyn Provider, &str)> {
    let (provider, id) = path.strip_prefix("/webhooks/")?.split_once('/')?;
    Some((providers::by_id(provider)?, id))
}
