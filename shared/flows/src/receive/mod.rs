//! Receive: a request becomes a message on a queue, or is refused.
//!
//! Checks come in this order, each cheaper than the next: path and method, the address's MAC, size, endpoint and secrets,
//! handshake, signature, and only then the body. The answer is 2xx only once the queue has the message. A warm receiver
//! makes one call, to the queue; a body that needs a claim check takes one more, and so does a key that it has not seen.
//!
//! A body that is too large to be kept is verified nevertheless, and its content is fetched later instead.
//!
//! Not guaranteed: that a delivery is processed once (the queue delivers at least once), or that a secret that was removed by
//! another process stops counting before the cached endpoint is refreshed.

mod budget;
mod cache;
mod handshake;
mod limiter;
mod oversized;
mod remote_keys;
mod verify;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use std::time::Duration;
use tracing::{info, warn};

use self::budget::KeyBudget;
use self::cache::EndpointCache;
use self::handshake::CodeLimiter;
use self::limiter::AddressLimiter;
use self::remote_keys::KeyCache;
use super::{Ports, Settings};
use hooktide_model::address;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind, LARGEST_BODY, LARGEST_VERIFIED, Payload};
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::network;
use hooktide_model::problem::Problem;
use hooktide_model::signing;
use hooktide_model::tenant::Tenant;
use hooktide_providers::verified::{self, Verified};
use hooktide_providers::{HandshakeReply, Label, Provider, Webhooks};
use hooktide_store::bodies;
use hooktide_store::ports::{Outgoing, QueueName, send_one};

/// Receives webhooks.
pub struct Receiver {
    ports: Ports,
    settings: Settings,
    endpoints: EndpointCache,
    remote_keys: KeyCache,
    key_budget: KeyBudget,
    limiter: AddressLimiter,
    codes: CodeLimiter,
}

impl Receiver {
    /// A receiver with empty caches.
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let endpoints = EndpointCache::new(&settings);
        let limiter = AddressLimiter::new(settings.failures_per_minute);
        let (remote_keys, key_budget, codes) = (KeyCache::new(), KeyBudget::new(), CodeLimiter::new());
        Self { ports, settings, endpoints, remote_keys, key_budget, limiter, codes }
    }

    /// Drops the cached endpoint: for callers that changed its record in the same process, so that the change takes effect
    /// immediately.
    pub fn forget(&self, provider: &str, id: &str) {
        if let Some(provider) = hooktide_providers::by_id(provider) {
            self.endpoints.forget(provider.id(), id);
        }
    }

    /// Answers a request to `/webhooks/{provider}/{id}` that came from the address `source`.
    ///
    /// The host reads at most one byte of the body beyond [`LARGEST_VERIFIED`].
    /// The answer to an accepted request has a [`Receipt`] among its extensions, that to one refused in secret [`NotTold`].
    pub async fn receive(&self, request: Request<Bytes>, source: &str, now: Timestamp) -> Response<Bytes> {
        match self.accept(&request, &network::of_sender(source), now).await {
            Ok(Accepted::Queued(webhooks, receipt)) => {
                let mut response = empty(webhooks.profile().accepted);
                response.extensions_mut().insert(receipt);
                response
            }
            Ok(Accepted::Answered(response)) => response,
            Err(Refusal::Answer(problem)) => problem.into_response(),
            Err(Refusal::Unverified(webhooks, problem)) if webhooks.profile().refused.is_success() => {
                info!(provider = webhooks.id(), status = problem.status, "the refusal is not told");
                let mut response = empty(webhooks.profile().refused);
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

    /// The answer to a request that is refused whatever its body is, by the length that it declares, so that a host does
    /// not read the body first.
    pub async fn refuses(&self, path: &str, length: u64) -> Option<Response<Bytes>> {
        let checked = match address_of(path) {
            Some((webhooks, id)) => self.check(webhooks, id, length).await,
            None => Err(not_found()),
        };
        match checked {
            Err(Refusal::Answer(problem)) => Some(problem.into_response()),
            // Other faults are reported once the body is read.
            Ok(()) | Err(Refusal::Unverified(..) | Refusal::Fault(_)) => None,
        }
    }

    /// Makes the checks that need no read: whether we gave out the address, and the body's length.
    async fn check(&self, provider: &dyn Provider, id: &str, length: u64) -> Result<(), Refusal> {
        let keys = self.ports.keys.root().await?;
        if !address::is_ours(provider.id(), id, &keys) {
            return Err(not_found());
        }
        if length > largest(provider) as u64 {
            return Err(too_large().into());
        }
        Ok(())
    }

    async fn accept(&self, request: &Request<Bytes>, network: &str, now: Timestamp) -> Result<Accepted, Refusal> {
        let (webhooks, id) = address_of(request.uri().path()).ok_or_else(not_found)?;
        if ![Method::GET, Method::POST].contains(request.method()) {
            return Ok(Accepted::Answered(wrong_method()));
        }
        self.check(webhooks, id, request.body().len() as u64).await?;
        let endpoint =
            self.endpoints.get(&self.ports, (webhooks.id(), id.to_owned()), now).await?.ok_or_else(not_found)?;
        if let Some(reply) = self.handshake(webhooks, request, &endpoint, network, now).await? {
            return match reply {
                HandshakeReply::Answer(response) => Ok(Accepted::Answered(response)),
                HandshakeReply::Keep(code) => Ok(match self.keep(webhooks, &endpoint, code, now).await? {
                    Some(receipt) => Accepted::Queued(webhooks, receipt),
                    None => Accepted::Answered(empty(webhooks.profile().accepted)),
                }),
            };
        }
        if request.method() == Method::GET {
            return Ok(Accepted::Answered(no_delivery(webhooks, id, request)));
        }
        let (endpoint, verified) = self.verify(webhooks, request, endpoint, network, now).await?;
        let owner = (endpoint.id.as_str(), Some(&endpoint.tenant));
        if verified.body().len() > LARGEST_BODY {
            let receipt = enqueue_oversized(&self.ports, webhooks, owner, verified, now).await?;
            return Ok(Accepted::Queued(webhooks, receipt.ok_or_else(too_large)?));
        }
        Ok(Accepted::Queued(webhooks, enqueue(&self.ports, webhooks, owner, verified, now).await?))
    }
}

/// Puts a verified delivery on its queue; returns once it is durable.
async fn enqueue(
    ports: &Ports,
    webhooks: &dyn Webhooks,
    (endpoint, tenant): (&str, Option<&Tenant>),
    verified: Verified,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    let readable = webhooks.readable(&verified);
    let id = ports.entropy.time_ordered_id(now);
    let payload = bodies::pack(verified.body(), webhooks.id(), &id, &*ports.blobs).await?;
    let label = webhooks.label(&verified);
    let sha256 = signing::sha256_hex(verified.body());
    let (queue, delivery) = delivery(webhooks, (endpoint, tenant), &verified, label, (payload, sha256));
    let kind = if readable.is_ok() { EnvelopeKind::Notice(delivery) } else { EnvelopeKind::Unreadable(delivery) };
    send(ports, Envelope::new(id, kind, now), queue).await
}

/// Queues the fetches that replace the reading of a large body; `None` if its content cannot be fetched.
async fn enqueue_oversized(
    ports: &Ports,
    webhooks: &dyn Webhooks,
    (endpoint, tenant): (&str, Option<&Tenant>),
    verified: Verified,
    now: Timestamp,
) -> Result<Option<Receipt>, Fault> {
    let label = webhooks.label(&verified);
    let Some(oversized) = oversized::instead(webhooks, &verified, label.topic.as_deref()) else { return Ok(None) };
    warn!(provider = webhooks.id(), endpoint, bytes = oversized.bytes, "a body is too large to be kept");
    let nothing = (Payload::Text { body: String::new() }, signing::sha256_hex(b""));
    let (queue, delivery) = delivery(webhooks, (endpoint, tenant), &verified, label, nothing);
    let kind = EnvelopeKind::Notice(Delivery { oversized: Some(oversized), ..delivery });
    send(ports, Envelope::new(ports.entropy.time_ordered_id(now), kind, now), queue).await.map(Some)
}

/// A delivery with this payload and this hash of its body, and its queue.
fn delivery(
    provider: &dyn Provider,
    (endpoint, tenant): (&str, Option<&Tenant>),
    verified: &Verified,
    label: Label,
    (payload, sha256): (Payload, String),
) -> (QueueName, Delivery) {
    let delivery = Delivery {
        provider: provider.id().to_owned(),
        endpoint: endpoint.to_owned(),
        tenant: tenant.cloned(),
        key_id: verified.key_id().cloned(),
        topic: label.topic,
        delivery: label.delivery,
        headers: verified.headers().clone(),
        dropped: verified.dropped().to_vec(),
        oversized: None,
        payload,
        sha256,
    };
    (if label.priority { QueueName::Priority } else { QueueName::Notices }, delivery)
}

/// The largest useful body: larger than one that can be kept only if its content can be fetched instead.
fn largest(provider: &dyn Provider) -> usize {
    if provider.profile().has_resources() { LARGEST_VERIFIED } else { LARGEST_BODY }
}

fn too_large() -> Problem {
    let detail =
        "The body is larger than what is kept of a webhook, 1 MiB, and what it tells cannot be asked for instead.";
    Problem::new(ProblemType::TooLarge, detail)
}

async fn send(ports: &Ports, envelope: Envelope, queue: QueueName) -> Result<Receipt, Fault> {
    let group = envelope.group().to_owned();
    let message = Outgoing { queue, body: envelope.encode()?, delay: Duration::ZERO, group };
    send_one(&*ports.queue, message).await?;
    Ok(Receipt { trace: envelope.trace().to_owned() })
}

/// Queues an unsigned delivery as if it had been verified: for test tools, whose callers need a token.
pub async fn unsigned(
    ports: &Ports,
    webhooks: &dyn Webhooks,
    endpoint: &str,
    headers: &HeaderMap,
    body: Bytes,
    now: Timestamp,
) -> Result<Receipt, Fault> {
    enqueue(ports, webhooks, (endpoint, None), verified::trust(webhooks, headers, body, now), now).await
}

/// The receipt of an accepted delivery: for the host's log, not for the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The trace id that goes with the delivery from here on.
    pub trace: String,
}

/// A mark on the answer to a refused request, if the answer does not say so: for the host's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTold;

/// The fate of a request that was not refused.
enum Accepted {
    /// The delivery is on its queue.
    Queued(&'static dyn Webhooks, Receipt),
    /// The request is answered with this response, and nothing is kept.
    Answered(Response<Bytes>),
}

/// The reason why a request was not accepted.
enum Refusal {
    /// The request was refused with this answer.
    Answer(Problem),
    /// The request could not be verified.
    Unverified(&'static dyn Webhooks, Problem),
    /// Hooktide itself failed.
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

/// The answer to a GET that is not a handshake. A caller with a token is redirected to the address's status in the API,
/// since a receiver may not read tokens.
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
fn address_of(path: &str) -> Option<(&'static dyn Webhooks, &str)> {
    let (provider, id) = path.strip_prefix("/webhooks/")?.split_once('/')?;
    Some((hooktide_providers::webhooks_by_id(provider)?, id))
}
