//! The HTTP edge: an event of API Gateway becomes a request, which is received up to the queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_flows::receive::Receiver;
use hooktide_flows::{Ports, Settings};
use hooktide_functions::gateway::{bytes_of, legible, source_of};
use hooktide_local::host::Host;
use hooktide_model::address;
use hooktide_model::envelope::{Delivery, Envelope, EnvelopeKind, Payload};
use hooktide_model::fault::Fault;
use hooktide_model::sealing::Place;
use hooktide_model::secret::LiveSecret;
use hooktide_model::tenant::Tenant;
use hooktide_store::bodies;
use hooktide_store::ports::{Outgoing, Queue};
use hooktide_store::records::endpoint::{self, Endpoint, SealedSecret};
use hooktide_store::records::{self, Upkeep};
use http::{Request, StatusCode};
use jiff::Timestamp;
use lambda_http::RequestExt;
use lambda_http::request::{LambdaRequest, RequestContext};
use object_store::ObjectStoreExt;
use tokio::runtime::Runtime;

use super::attempt::{Attempt, clock};
use super::provider::ProviderTarget;
use crate::{gateway, world};

/// Stands in an event for the id of an endpoint, as in what is recorded.
const ANY_ENDPOINT: &str = "{endpoint}";
/// The largest message that a queue takes, in bytes.
const LARGEST_MESSAGE: usize = 1_024 * 1_024;
/// Larger bodies are no seeds: their events would be slow to change.
const LARGEST_SEED: usize = 4 * 1_024;

/// A receiver behind API Gateway, with an endpoint of every provider.
pub struct Edge {
    runtime: Runtime,
    ports: Ports,
    settings: Settings,
    queue: Arc<Watched>,
    providers: Vec<ProviderTarget>,
    /// The paths of the endpoints: as in an event, and as they are.
    paths: BTreeMap<String, String>,
}

/// Takes what is sent, to be looked at.
#[derive(Default)]
struct Watched(Mutex<Vec<Outgoing>>);

#[async_trait]
impl Queue for Watched {
    async fn send(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Fault>> {
        let results = messages.iter().map(|_| Ok(())).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(messages);
        results
    }
}

impl Edge {
    pub(super) fn new() -> Self {
        let settings = Settings::default();
        let host = Host::in_memory(7, settings.clone(), Arc::new(world::clock())).expect("a host in memory opens");
        let queue = Arc::new(Watched::default());
        let ports = Ports { queue: Arc::clone(&queue) as Arc<dyn Queue>, ..host.ports };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let providers: Vec<_> = hooktide_providers::ALL
            .iter()
            .filter_map(|provider| provider.webhooks())
            .map(ProviderTarget::new)
            .collect();
        let paths = providers.iter().map(|provider| {
            let id = runtime.block_on(make_endpoint(&ports, provider));
            let path = |id| address::webhook_path(provider.id(), id);
            (path(ANY_ENDPOINT), path(&id))
        });
        let paths = paths.collect();
        Self { paths, runtime, ports, settings, queue, providers }
    }

    /// What is recorded, as an HTTP API hands it over: signed for the endpoint, as it is, and in base64.
    pub(super) fn seeds(&self) -> Vec<(String, Vec<u8>)> {
        let mut seeds = Vec::new();
        for provider in &self.providers {
            for (name, input) in provider.seeds() {
                let Attempt { request, now, .. } = Attempt::read(&input);
                if request.body().len() > LARGEST_SEED {
                    continue;
                }
                let name = format!("{}-{name}", provider.id());
                let path = address::webhook_path(provider.id(), ANY_ENDPOINT);
                let url = format!("{}{}", self.settings.public_url, self.paths[&path]);
                let signed = provider.signed(request.body(), &url, now).expect("a body that is signed");
                let event = |request, base64| event(now, request, &path, base64);
                seeds.extend(signed.iter().take(1).map(|request| (format!("{name}-signed"), event(request, false))));
                let base64 = std::str::from_utf8(request.body()).is_err() || seeds.len() % 4 == 0;
                seeds.push((name, event(&request, base64)));
            }
        }
        seeds
    }

    /// Whether an event is answered 2xx.
    pub fn accepts(&self, event: &[u8]) -> bool {
        self.answer(event).is_ok_and(|answer| answer.is_some_and(|status| status.is_success()))
    }

    pub(super) fn examine(&self, input: &[u8]) -> Result<(), String> {
        self.answer(input).map(drop)
    }

    /// The answer to an event, if the input is one.
    fn answer(&self, input: &[u8]) -> Result<Option<StatusCode>, String> {
        let Ok(text) = std::str::from_utf8(input) else { return Ok(None) };
        let mut text = text.to_owned();
        for (any, path) in &self.paths {
            text = text.replace(any, path);
        }
        // What is no event does not come from API Gateway, and neither does a body that only says that it is in base64.
        let Ok(LambdaRequest::ApiGatewayV2(event)) = serde_json::from_str(&text) else { return Ok(None) };
        if event.is_base64_encoded && !event.body.as_deref().is_none_or(is_base64) {
            return Ok(None);
        }
        let request: lambda_http::Request = legible(LambdaRequest::ApiGatewayV2(event)).into();
        let source = source_of(&request);
        let now = clock(seconds_of(&request));
        let request = request.map(bytes_of);
        // Nothing is remembered from one input to the next; the second time, the endpoint is.
        let receiver = Receiver::new(self.ports.clone(), self.settings.clone());
        let first = self.receive(&receiver, &request, &source, now)?;
        let again = self.receive(&receiver, &request, &source, now)?;
        if first == again { Ok(Some(first)) } else { Err(format!("a request is answered {first} and then {again}")) }
    }

    fn receive(
        &self,
        receiver: &Receiver,
        request: &Request<Bytes>,
        source: &str,
        now: Timestamp,
    ) -> Result<StatusCode, String> {
        let status = self.runtime.block_on(receiver.receive(request.clone(), source, now)).status();
        let sent = std::mem::take(&mut *self.queue.0.lock().unwrap_or_else(PoisonError::into_inner));
        if status.is_server_error() {
            return Err(format!("a request is answered {status}"));
        }
        match sent.as_slice() {
            [] => Ok(status),
            [message] if status.is_success() => self.runtime.block_on(self.check(message, request)).map(|()| status),
            _ => Err(format!("{} messages of a request that is answered {status}", sent.len())),
        }
    }

    /// What is queued can be taken off, and is what came.
    async fn check(&self, message: &Outgoing, request: &Request<Bytes>) -> Result<(), String> {
        if message.body.len() > LARGEST_MESSAGE {
            return Err(format!("a message of {} bytes", message.body.len()));
        }
        let envelope = Envelope::decode(&message.body).map_err(|fault| fault.to_string())?;
        let delivery = match &envelope.kind {
            EnvelopeKind::Notice(delivery) | EnvelopeKind::Unreadable(delivery) => delivery,
            EnvelopeKind::Handshake(handshake) => {
                let said = String::from_utf8_lossy(request.body()).contains(&handshake.code);
                return if said { Ok(()) } else { Err("the code is not the one that came".into()) };
            }
            EnvelopeKind::Job(_) => return Err("a request becomes a job".into()),
        };
        let body = bodies::read(delivery, &*self.ports.blobs).await.map_err(|fault| fault.to_string())?;
        self.forget(delivery).await;
        if body == request.body() { Ok(()) } else { Err("what is queued is not what came".into()) }
    }

    async fn forget(&self, delivery: &Delivery) {
        if let Payload::Blob { blob } = &delivery.payload {
            self.ports.blobs.delete(&blob.as_str().into()).await.expect("a blob that is deleted");
        }
    }
}

/// An endpoint with the secrets that verify what is recorded.
async fn make_endpoint(ports: &Ports, provider: &ProviderTarget) -> String {
    let keys = ports.keys.root().await.expect("root keys");
    let (tenant, now) = (Tenant::default_local(), clock(None));
    let id = address::id_from(provider.id(), b"fuzzed", &keys);
    let key = endpoint::key(provider.id(), &id);
    let seal = |live: &LiveSecret| {
        let (name, key_id) = (live.name.clone(), live.id.clone());
        let (record, field) = (endpoint::sealed_for(&key), format!("{name}/{key_id}"));
        let place = Place { tenant: &tenant, record: &record, field: &field };
        let sealed = keys.seal(&live.secret, place, &ports.entropy).expect("a secret that is sealed");
        SealedSecret { name, key_id, sealed, created_at: now, retires_at: None }
    };
    let endpoint = Endpoint {
        id: id.clone(),
        provider: provider.id().to_owned(),
        tenant: tenant.clone(),
        name: "fuzzed".to_owned(),
        connection: None,
        account: None,
        tenants: Vec::new(),
        secrets: provider.secrets().iter().map(seal).collect(),
        settings: Default::default(),
        created_at: now,
        request: None,
        deleted_at: None,
    };
    let insert = records::insert(&key, &endpoint, Upkeep::default()).expect("an endpoint");
    ports.table.write(insert).await.expect("an endpoint that is stored");
    id
}

/// The event of a request to `path`.
fn event(now: Timestamp, request: &Request<Bytes>, path: &str, base64: bool) -> Vec<u8> {
    let body = request.body();
    let bare = request.clone().map(|_| Bytes::new());
    let mut event = gateway::event(now, &bare);
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["rawQueryString"] = request.uri().query().unwrap_or_default().into();
    if !body.is_empty() {
        let text = if base64 { BASE64.encode(body) } else { String::from_utf8_lossy(body).into_owned() };
        event["body"] = text.into();
        event["isBase64Encoded"] = base64.into();
    }
    serde_json::to_vec(&event).expect("an event as JSON")
}

fn is_base64(text: &str) -> bool {
    !text.trim_end_matches('=').contains('=') && BASE64.decode(text.as_bytes()).is_ok()
}

fn seconds_of(request: &lambda_http::Request) -> Option<i64> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => Some(context.time_epoch / 1_000),
        _ => None,
    }
}
