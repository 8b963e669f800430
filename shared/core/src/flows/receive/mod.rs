//! Receive: a request becomes a message on a queue, or is refused.
//!
//! In this order, each step cheaper than the next: path and method, the address's MAC, size, endpoint and secrets,
//! handshake, signature, and only then a look at the body. The answer is 2xx only once the queue has the message. A warm receiver
//! makes one call, the queue's; a body that needs a claim check makes one more, and so does a key that it has not seen.
//!
//! Not guaranteed: that a delivery is processed once (the queue delivers at least once), or that a secret that was
//! removed stops counting before the cached endpoint is refreshed.

mod cache;
mod limiter;
mod remote_keys;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use std::time::Duration;
use tracing::{info, warn};

use self::cache::{EndpointCache, Lookup, OpenEndpoint};
use self::limiter::{AddressLimiter, Allowance, Counted};
use self::remote_keys::{KeyCache, Known};
use super::{Ports, Settings};
use crate::address;
use crate::envelope::{self, Delivery, Envelope, EnvelopeKind, LARGEST_BODY, blob_fault};
use crate::fault::{AuthFault, Fault};
use crate::names::ProblemType;
use crate::ports::{Outgoing, QueueName, send_one};
use crate::problem::Problem;
use crate::providers::{self, Handshake, Provider};
use crate::signing;
use crate::verified::{self, Verified};

/// Receives webhooks.
pub struct Receiver {
    ports: Ports,
    settings: Settings,
    endpoints: EndpointCache,
    remote_keys: KeyCache,
    limiter: AddressLimiter,
}

impl Receiver {
    /// A receiver with empty caches.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let endpoints = EndpointCache::new(&settings);
        let limiter = AddressLimiter::new(settings.failures_per_minute);
        Self { ports, settings, endpoints, remote_keys: KeyCache::new(), limiter }
    }

    /// Answers a request to `/webhooks/{provider}/{id}` that came from the address `source`.
    ///
    /// The host reads at most one byte more of the body than [`LARGEST_BODY`].
    /// What was accepted has a [`Receipt`] among the extensions of its answer, what was refused in secret has [`NotTold`].
    pub async fn receive(&self, request: Request<Bytes>, source: &str, now: Timestamp) -> Response<Bytes> {
        match self.accept(&request, source, now).await {
            Ok(Accepted::Queued(provider, receipt)) => {
                let mut response = empty(provider.accepted());
                response.extensions_mut().insert(receipt);
                response
            }
            Ok(Accepted::Answered(response)) => response,
            Err(Refusal::Answer(problem)) => problem.into_response(),
            Err(Refusal::Unverified(provider, problem)) if provider.refused().is_success() => {
                info!(provider = provider.id(), status = problem.status, "the refusal is not told");
                let mut response = empty(provider.refused());
                response.extensions_mut().insert(NotTold);
                response
            }
            Err(Refusal::Unverified(_, problem)) => problem.into_response(),
            Err(Refusal::Fault(fault)) => {
                warn!(path = request.uri().path(), %fault, "a webhook was not accepted");
                Problem::from(&fault).into_response()
            }
        }
    }

    async fn accept(&self, request: &Request<Bytes>, source: &str, now: Timestamp) -> Result<Accepted, Refusal> {
        let (provider, id) = address_of(request.uri().path()).ok_or_else(not_found)?;
        if ![Method::GET, Method::POST].contains(request.method()) {
            return Ok(Accepted::Answered(wrong_method()));
        }
        let keys = self.ports.keys.root().await?;
        if !address::is_ours(provider.id(), id, &keys) {
            return Err(not_found());
        }
        if request.body().len() > LARGEST_BODY {
            return Err(Problem::new(ProblemType::TooLarge, "A webhook has at most 1 MiB.").into());
        }
        let lookup = self.endpoints.get(&self.ports, provider.id(), id, now).await?.ok_or_else(not_found)?;
        if let Some(handshake) = self.handshake(provider, request, &lookup, source, now).await? {
            return match handshake {
                Handshake::Answer(response) => Ok(Accepted::Answered(response)),
                Handshake::Keep(code) => {
                    Ok(Accepted::Queued(provider, self.keep(provider, &lookup.endpoint, code, now).await?))
                }
            };
        }
        if request.method() == Method::GET {
            return Ok(Accepted::Answered(no_delivery(provider, id, request)));
        }
        let (endpoint, verified) = self.verify(provider, request, lookup, source, now).await?;
        Ok(Accepted::Queued(provider, enqueue(&self.ports, provider, &endpoint.id, verified, now).await?))
    }

    /// What a handshake comes to. They are seldom, and somebody who sets a connection up waits for them: what is cached of
    /// the endpoint is read anew first, as often as its limit allows.
    async fn handshake(
        &self,
        provider: &dyn Provider,
        request: &Request<Bytes>,
        lookup: &Lookup,
        source: &str,
        now: Timestamp,
    ) -> Result<Option<Handshake>, Refusal> {
        let of = |endpoint: &OpenEndpoint| provider.handshake(request, &endpoint.url, &endpoint.secrets, now);
        let Some(found) = of(&lookup.endpoint) else { return Ok(None) };
        let id = &lookup.endpoint.id;
        // Nobody proves who sends one, so they are counted as what could not be verified is.
        if let Allowance::Exceeded { retry_after } = self.limiter.count(Counted::Failure, id, source, now) {
            let detail = "Too many handshakes from this address; wait a minute.";
            return Err(Problem::new(ProblemType::Limited, detail).retry_after(retry_after).into());
        }
        if !lookup.cached {
            return Ok(Some(found));
        }
        let fresh = self.endpoints.refresh(&self.ports, provider.id(), id, now).await?.ok_or_else(not_found)?;
        Ok(of(&fresh))
    }

    /// Checks the signature. When no cached secret fits, the endpoint is read once more before refusing, so that a
    /// new secret works at once; the limiter bounds how often an address can cause that.
    async fn verify(
        &self,
        provider: &'static dyn Provider,
        request: &Request<Bytes>,
        lookup: Lookup,
        source: &str,
        now: Timestamp,
    ) -> Result<(Arc<OpenEndpoint>, Verified), Refusal> {
        let id = lookup.endpoint.id.clone();
        let fault = match self.open(provider, request, &lookup.endpoint, source, now).await {
            Ok(verified) => return Ok((lookup.endpoint, verified)),
            Err(Fault::Auth(fault)) => fault,
            Err(fault) => return Err(fault.into()),
        };
        let newer = matches!(fault, AuthFault::Mismatch | AuthFault::NoSecret);
        if newer && lookup.cached && self.limiter.allows(Counted::Failure, &id, source, now) {
            let fresh = self.endpoints.refresh(&self.ports, provider.id(), &id, now).await?.ok_or_else(not_found)?;
            if let Ok(verified) = self.open(provider, request, &fresh, source, now).await {
                return Ok((fresh, verified));
            }
        }
        info!(provider = provider.id(), endpoint = id, source, reason = %fault, "a webhook was refused");
        let problem = match self.limiter.count(Counted::Failure, &id, source, now) {
            Allowance::Within => Problem::from(&Fault::Auth(fault)),
            Allowance::Exceeded { retry_after } => {
                let detail = "Too many requests from this address could not be verified; wait a minute.";
                Problem::new(ProblemType::Limited, detail).retry_after(retry_after)
            }
        };
        Err(Refusal::Unverified(provider, problem))
    }

    /// Opens a request with what the endpoint has, and else with the key that the provider publishes.
    async fn open(
        &self,
        provider: &'static dyn Provider,
        request: &Request<Bytes>,
        endpoint: &OpenEndpoint,
        source: &str,
        now: Timestamp,
    ) -> Result<Verified, Fault> {
        let fault = match verified::open(provider, request, &endpoint.url, &endpoint.secrets, now) {
            Ok(verified) => return Ok(verified),
            Err(fault) => fault,
        };
        let Some(keys) = provider.remote_keys().filter(|_| matches!(fault, AuthFault::Mismatch | AuthFault::NoSecret))
        else {
            return Err(fault.into());
        };
        let wanted = keys.wanted(request)?;
        let (key, fetched) = match self.remote_keys.known(provider.id(), &wanted, now) {
            Known::Fresh(key) => (key, false),
            // What nobody verified makes no more calls than it may fail. A key that there was is no made-up one.
            Known::Nothing if !self.limiter.allows(Counted::KeyLookup, &endpoint.id, source, now) => {
                return Err(fault.into());
            }
            Known::Stale | Known::Nothing => {
                let ports = (&self.ports, &self.settings);
                (self.remote_keys.fetch(ports, provider, &wanted, endpoint, now).await?, true)
            }
        };
        let with = |key| verified::open(provider, request, &endpoint.url, &endpoint.secrets.clone().with([key]), now);
        let opened = key.ok_or(fault).and_then(with);
        if fetched && opened.is_err() {
            self.limiter.count(Counted::KeyLookup, &endpoint.id, source, now);
        }
        Ok(opened?)
    }

    /// Queues a code for whoever set the endpoint up.
    async fn keep(
        &self,
        provider: &dyn Provider,
        endpoint: &OpenEndpoint,
        code: String,
        now: Timestamp,
    ) -> Result<Receipt, Fault> {
        let (provider, endpoint) = (provider.id().to_owned(), endpoint.id.clone());
        let kind = EnvelopeKind::Handshake(envelope::Handshake { provider, endpoint, code });
        send(&self.ports, Envelope::new(self.ports.entropy.time_ordered_id(now), kind, now), QueueName::Notices).await
    }
}

/// Puts a verified delivery on its queue; returns once it is durable.
async fn enqueue(
    ports: &Ports,
    provider: &dyn Provider,
    endpoint: &str,
    verified: Verified,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let label = provider.label(&verified);
    let readable = provider.readable(&verified);
    let id = ports.entropy.time_ordered_id(now);
    let packed = envelope::pack(verified.body(), provider.id(), &id)?;
    if let Some((path, bytes)) = packed.claim {
        ports.blobs.put(&path, bytes.into()).await.map_err(|error| blob_fault(&error))?;
    }
    let delivery = Delivery {
        provider: provider.id().to_owned(),
        endpoint: endpoint.to_owned(),
        key_id: verified.key_id().cloned(),
        topic: label.topic,
        delivery: label.delivery,
        headers: verified.headers().clone(),
        dropped: verified.dropped().to_vec(),
        payload: packed.payload,
        sha256: signing::sha256_hex(verified.body()),
    };
    let kind = if readable.is_ok() { EnvelopeKind::Notice(delivery) } else { EnvelopeKind::Unreadable(delivery) };
    let queue = if label.priority { QueueName::Priority } else { QueueName::Notices };
    send(ports, Envelope::new(id, kind, now), queue).await
}

async fn send(ports: &Ports, envelope: Envelope, queue: QueueName) -> Result<Receipt, Fault> {
    let group = envelope.group().to_owned();
    let message = Outgoing { queue, body: envelope.encode()?, delay: Duration::ZERO, group };
    send_one(&*ports.queue, message).await?;
    Ok(Receipt { trace: envelope.trace().to_owned() })
}

/// Queues a delivery that nobody signed, as if it had been verified: for test tools, whose callers are asked for a token.
pub async fn unsigned(
    ports: &Ports,
    provider: &dyn Provider,
    endpoint: &str,
    headers: &HeaderMap,
    body: Bytes,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    enqueue(ports, provider, endpoint, verified::trust(provider, headers, body, now), now).await
}

/// That a delivery was accepted: for the host's log, not for the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The trace id that goes with the delivery from here on.
    pub trace: String,
}

/// That a request was refused, though its answer does not say so: for the host's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTold;

/// What became of a request that was not refused.
enum Accepted {
    /// It is on its queue.
    Queued(&'static dyn Provider, Receipt),
    /// It is answered with this, and nothing is kept.
    Answered(Response<Bytes>),
}

/// Why a request was not accepted.
enum Refusal {
    /// It was refused with this answer.
    Answer(Problem),
    /// It could not be verified.
    Unverified(&'static dyn Provider, Problem),
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

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn wrong_method() -> Response<Bytes> {
    let mut response = Problem::new(ProblemType::MethodNotAllowed, "Webhooks are sent with POST.").into_response();
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A GET that is no handshake: whoever brings a token is shown to where the API tells how the address is doing, since a
/// receiver may not look at tokens.
fn no_delivery(provider: &dyn Provider, id: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let place = HeaderValue::from_str(&format!("/v1/webhooks/{}/{id}", provider.id()));
    match place {
        Ok(place) if request.headers().contains_key(AUTHORIZATION) => {
            let mut response = empty(StatusCode::TEMPORARY_REDIRECT);
            response.headers_mut().insert(LOCATION, place);
            response
        }
        Ok(_) | Err(_) => wrong_method(),
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
