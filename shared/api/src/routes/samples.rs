//! `/test/events`: signed samples, as the provider would send them. Off unless switched on, except for the operator.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use bytes::Bytes;
use hooktide_flows::connect::{connection_of, webhook_url, webhooks_of};
use hooktide_model::names::ProblemType;
use hooktide_model::notice::{Version, What};
use hooktide_providers::verified;
use hooktide_providers::{Arrival, Provider, Sample, Unsigned, Webhooks};
use hooktide_store::records;
use hooktide_store::records::connection::Connection;
use hooktide_store::records::endpoint::{self, Endpoint};
use hooktide_store::records::entity::{Entity, EntityId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{May, Operate};
use crate::answer::{Answer, LongBody, Refused, Unbounded, ok};

/// The most samples that one request makes.
const MOST: u64 = 100;
/// How much older than the entity's last version an old sample is.
const OLDER: Duration = Duration::from_secs(3600);

/// The sample to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSample {
    /// The connection to make it for; required if the tenant has several of this provider.
    #[serde(default)]
    connection: Option<String>,
    /// The number of the entity; the same number is always the same entity.
    #[serde(default = "one")]
    number: u64,
    /// How many samples, each about the entity with the next number (1 by default, at most 100).
    #[serde(default = "one")]
    count: u64,
    /// Whether its version is to be an hour before the last known version of the entity.
    #[serde(default)]
    old: bool,
    /// The body; a realistic one by default.
    #[serde(default)]
    body: Option<String>,
}

impl Unbounded for NewSample {
    const TEXTS: &'static [&'static str] = &["body"];
}

fn one() -> u64 {
    1
}

/// A signed request, to be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedSample {
    method: &'static str,
    url: String,
    headers: BTreeMap<String, String>,
    /// The exact bytes, in base64.
    body_base64: String,
    /// The samples of the following numbers, where several were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    more: Vec<SignedSample>,
}

impl From<http::Request<Bytes>> for SignedSample {
    fn from(request: http::Request<Bytes>) -> Self {
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        Self {
            method: "POST",
            url: request.uri().to_string(),
            headers: request.headers().iter().filter_map(header).collect(),
            body_base64: data_encoding::BASE64.encode(request.body()),
            more: Vec::new(),
        }
    }
}

/// Makes signed samples of a topic.
#[utoipa::path(post, path = "/test/events/{provider}/{*topic}", operation_id = "make_sample", request_body = NewSample,
    responses((status = 200, body = SignedSample), (status = 404), (status = 422)))]
pub(crate) async fn sample(
    may: May<Operate>,
    Path((provider, topic)): Path<(String, String)>,
    LongBody(new): LongBody<NewSample>,
) -> Answer<Json<SignedSample>> {
    super::test_tools::allowed(&may)?;
    if !(1..=MOST).contains(&new.count) {
        return Err(Refused::invalid("count", format!("it is 1 to {MOST}")));
    }
    let provider = webhooks_of(&provider)?;
    let connection = match &new.connection {
        Some(id) => connection_of(may.context(), id).await?.record,
        None => only_connection(&may, provider).await?,
    };
    if connection.provider != provider.id() {
        return Err(Refused::invalid("connection", format!("it is one of {}", connection.provider)));
    }
    let key = endpoint::key(provider.id(), &connection.endpoint);
    let endpoint =
        records::get::<Endpoint>(may.api.table(), &key).await?.ok_or_else(|| Refused::not_found("endpoint"))?;
    if endpoint.record.tenant != *may.tenant() && !may.principal.operator {
        let detail = "the endpoint is another tenant's, and only its owner may sign with its secrets";
        return Err(Refused::invalid("connection", detail));
    }
    let secrets = endpoint.record.open_secrets(&*may.api.ports().keys, provider.profile().derives_tokens).await?;
    let url = endpoint.record.address(webhook_url(may.api.settings(), provider.id(), &connection.endpoint));
    let maker = Maker { may: &may, webhooks: provider, topic: &topic, connection: &connection, secrets, url };
    let mut samples = Vec::new();
    for number in (new.number..).take(usize::try_from(new.count).unwrap_or_default()) {
        samples.push(SignedSample::from(maker.sample(number, &new).await?));
    }
    let more = samples.split_off(1);
    let first = samples.pop().ok_or_else(|| Refused::invalid("count", "give at least 1"))?;
    Ok(ok(SignedSample { more, ..first }))
}

struct Maker<'a> {
    may: &'a May<Operate>,
    webhooks: &'static dyn Webhooks,
    topic: &'a str,
    connection: &'a Connection,
    secrets: hooktide_model::secret::Secrets,
    /// The URL that the provider calls.
    url: String,
}

impl Maker<'_> {
    fn account(&self) -> &str {
        self.connection.account.as_deref().unwrap_or("sample.example.com")
    }

    /// Makes a signed sample about the entity with that number.
    async fn sample(&self, number: u64, new: &NewSample) -> Answer<http::Request<Bytes>> {
        let now = self.may.api.now();
        match (&new.body, new.old) {
            (Some(body), _) => self.sign(Bytes::from(body.clone()), now),
            (None, false) => self.sign(self.body(number, now)?, now),
            (None, true) => {
                let current = self.sign(self.body(number, now)?, now)?;
                let last = self.last_version(&current, now).await?.unwrap_or(now);
                self.sign(self.body(number, last - OLDER)?, now)
            }
        }
    }

    fn body(&self, number: u64, updated_at: Timestamp) -> Answer<Bytes> {
        let sample = Sample { number, updated_at, account: self.account() };
        self.webhooks.sample(self.topic, &sample).ok_or_else(|| {
            let topics: Vec<&str> = self.webhooks.profile().topics.iter().map(|topic| topic.name).collect();
            Refused::invalid("topic", format!("there is no sample of it; there are samples of {}", topics.join(", ")))
        })
    }

    fn sign(&self, body: Bytes, now: Timestamp) -> Answer<http::Request<Bytes>> {
        let delivery = self.may.api.ports().entropy.time_ordered_id(now);
        Ok(self.webhooks.sign(Unsigned {
            topic: self.topic,
            body,
            account: self.account(),
            delivery: &delivery,
            secrets: &self.secrets,
            url: &self.url,
            now,
        })?)
    }

    /// The last known change time of the entity that a request is about.
    async fn last_version(&self, request: &http::Request<Bytes>, now: Timestamp) -> Answer<Option<Timestamp>> {
        let arrival = Arrival { request, url: &self.url, secrets: &self.secrets, now };
        let unverified = |_| Refused::new(ProblemType::Unauthorized, "The request could not be verified.");
        let verified = verified::open(self.webhooks, &arrival).map_err(unverified)?;
        let notices = self.webhooks.parse(&verified)?;
        let Some(What::Entity(told)) = notices.into_iter().next().map(|notice| notice.what) else { return Ok(None) };
        let id = EntityId { kind: told.kind, connection: self.connection.id.clone(), id: told.id };
        let stored = records::get::<Entity>(self.may.api.table(), &id.key(self.may.tenant())).await?;
        let version = stored.map(|stored| stored.record.version).filter(|version| *version != Version::FINAL);
        Ok(version.and_then(|version| Timestamp::from_millisecond(version.0).ok()))
    }
}

async fn only_connection(may: &May<Operate>, provider: &dyn Provider) -> Answer<Connection> {
    let partition = hooktide_store::key::Partition::of(may.tenant(), hooktide_store::key::Area::Connections);
    let all = records::list_all::<Connection>(may.api.table(), partition, "", 1_000).await?;
    let mut of: Vec<Connection> = all
        .into_iter()
        .map(|(_, stored)| stored.record)
        .filter(|connection| connection.provider == provider.id() && connection.deleted_at.is_none())
        .collect();
    match (of.len(), of.pop()) {
        (1, Some(only)) => Ok(only),
        (0, _) => Err(Refused::invalid("connection", format!("there is none of {} yet; add one", provider.id()))),
        (_, last) => {
            let ids: Vec<String> = of.into_iter().chain(last).map(|one| format!("{} ({})", one.id, one.name)).collect();
            Err(Refused::invalid("connection", format!("there are several; say which: {}", ids.join(", "))))
        }
    }
}
