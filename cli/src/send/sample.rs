//! Where signed samples come from: the server, which holds the secrets, or the provider's own rules and a given secret.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use hooktide_model::entropy::Entropy;
use hooktide_model::secret::Secrets;
use hooktide_providers::{Sample, Unsigned, Webhooks};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SendArguments, read_body};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{field, harmless};
use crate::secrets;

/// How many samples are signed at once: each request to the server costs more than a signature.
pub(super) const AT_ONCE: u64 = 50;
/// How much older than now an `--old` sample is, where this command signs and cannot know the newest.
const OLD: SignedDuration = SignedDuration::from_hours(1);

/// The signer.
pub(super) enum Signer<'a> {
    /// The server.
    Server(Server<'a>),
    /// This command.
    Here(Box<Here<'a>>),
}

/// Asks the server for samples.
pub(super) struct Server<'a> {
    client: &'a Client,
    arguments: &'a SendArguments,
    body: Option<String>,
}

/// Signs by a provider's rules with a given secret.
pub(super) struct Here<'a> {
    provider: &'static dyn Webhooks,
    arguments: &'a SendArguments,
    body: Option<Bytes>,
    secrets: Secrets,
    account: String,
    url: String,
    entropy: Entropy,
}

impl<'a> Signer<'a> {
    /// The signer that the arguments ask for.
    pub(super) async fn of(arguments: &'a SendArguments, client: &'a Client) -> Result<Self, Failure> {
        let body = arguments.file.as_deref().map(read_body).transpose()?;
        let Some(secret) = &arguments.secret else {
            let body = body.map(|body| String::from_utf8(body.into())).transpose();
            let unfit = "The body is not UTF-8 text, which the server needs to sign it; give --secret to sign it here.";
            let body = body.map_err(|_| Failure::Usage(unfit.to_owned()))?;
            return Ok(Self::Server(Server { client, arguments, body }));
        };
        let provider = hooktide_providers::webhooks_by_id(&arguments.provider).ok_or_else(|| {
            Failure::Usage(format!("There is no provider {}; see `hooktide providers`.", arguments.provider))
        })?;
        let connection = match &arguments.connection {
            Some(id) => client.get(&["v1", "connections", id], &[]).await?,
            None => only_one(provider.id(), client.list(&["v1", "connections"]).await?)?,
        };
        let text = |name| connection.get(name).and_then(Value::as_str).map(str::to_owned);
        let url = text("webhook_url").ok_or_else(|| Failure::Failed("The connection names no address.".to_owned()))?;
        Ok(Self::Here(Box::new(Here {
            provider,
            arguments,
            body,
            secrets: hooktide_providers::signing_with(provider.profile(), &secrets::read_plain(secret)?),
            account: text("account").unwrap_or_else(|| "sample".to_owned()),
            url,
            entropy: Entropy::from_system().map_err(|fault| Failure::Failed(fault.to_string()))?,
        })))
    }

    /// Signed samples about `count` entities from `number` on, at most [`AT_ONCE`].
    pub(super) async fn samples(&self, number: u64, count: u64) -> Result<Vec<Request<Bytes>>, Failure> {
        match self {
            Self::Server(server) => server.samples(number, count).await,
            Self::Here(here) => (number..)
                .take(usize::try_from(count).unwrap_or_default())
                .map(|nth| here.sample(nth, Timestamp::now()))
                .collect(),
        }
    }
}

impl Server<'_> {
    async fn samples(&self, number: u64, count: u64) -> Result<Vec<Request<Bytes>>, Failure> {
        let SendArguments { provider, topic, connection, old, .. } = self.arguments;
        let mut body = json!({ "connection": connection, "number": number, "old": old, "body": self.body });
        if count > 1 {
            body["count"] = json!(count);
        }
        let signed = self.client.post(&["test", "events", provider, topic], &body).await.map_err(|failure| {
            if failure.is_status(StatusCode::FORBIDDEN) {
                failure.advise("The server signs samples for its operator only; anybody else gives --secret.")
            } else {
                failure
            }
        })?;
        requests_of(signed)
    }
}

impl Here<'_> {
    fn sample(&self, number: u64, now: Timestamp) -> Result<Request<Bytes>, Failure> {
        let (provider, topic) = (self.provider, &self.arguments.topic);
        let updated_at = if self.arguments.old { now.checked_sub(OLD).unwrap_or(now) } else { now };
        let sample = Sample { number, updated_at, account: &self.account };
        let body = self.body.clone().or_else(|| provider.sample(topic, &sample)).ok_or_else(|| {
            let topics: Vec<&str> = provider.profile().topics.iter().map(|topic| topic.name).collect();
            Failure::Usage(format!("{} has no topic {topic}; it has {}.", provider.id(), topics.join(", ")))
        })?;
        let unsigned = Unsigned {
            topic,
            body,
            account: &self.account,
            delivery: &self.entropy.time_ordered_id(now),
            secrets: &self.secrets,
            url: &self.url,
            now,
        };
        provider.sign(unsigned).map_err(|fault| Failure::Failed(format!("The sample cannot be signed: {fault}.")))
    }
}

/// A signed request, as the server returns it.
#[derive(Deserialize)]
struct Signed {
    url: String,
    method: String,
    headers: BTreeMap<String, String>,
    body_base64: String,
    #[serde(default)]
    more: Vec<Signed>,
}

fn unfit(error: &dyn std::fmt::Display) -> Failure {
    Failure::Failed(format!("The server's sample is not usable: {error}."))
}

fn requests_of(signed: Value) -> Result<Vec<Request<Bytes>>, Failure> {
    let mut first: Signed = serde_json::from_value(signed).map_err(|error| unfit(&error))?;
    let more = std::mem::take(&mut first.more);
    std::iter::once(first).chain(more).map(request_of).collect()
}

fn request_of(signed: Signed) -> Result<Request<Bytes>, Failure> {
    let body = BASE64.decode(signed.body_base64.as_bytes()).map_err(|error| unfit(&error))?;
    let mut request = Request::builder().method(signed.method.as_str()).uri(signed.url);
    // The length is that of the body that is really sent.
    for (name, value) in signed.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")) {
        request = request.header(name, value);
    }
    request.body(body.into()).map_err(|error| unfit(&error))
}

/// The only connection of a provider.
fn only_one(provider: &str, connections: Vec<Value>) -> Result<Value, Failure> {
    let mut of_provider: Vec<Value> = connections.into_iter().filter(|it| field(it, "provider") == provider).collect();
    match (of_provider.pop(), of_provider.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => {
            let message = format!("{provider} has no connection. Add one with `hooktide connections add {provider}`.");
            Err(Failure::Failed(message))
        }
        (Some(last), others) => {
            let told = others.iter().chain([&last]).map(|it| {
                let (id, name) = (harmless(&field(it, "id")), harmless(&field(it, "name")));
                format!("\n  --connection {id}  {name}")
            });
            Err(Failure::Usage(format!("{provider} has several connections. Say which:{}", told.collect::<String>())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(id: &str, provider: &str) -> Value {
        json!({ "id": id, "provider": provider, "name": format!("Shop {id}") })
    }

    #[test]
    fn the_only_connection_of_a_provider_is_taken() {
        let only = only_one("shopify", vec![connection("a", "shopify"), connection("b", "square")]);
        assert_eq!(only, Ok(connection("a", "shopify")));
    }

    #[test]
    fn of_several_connections_one_must_be_named() {
        let failure = only_one("shopify", vec![connection("a", "shopify"), connection("b", "shopify")]).err();
        let expected =
            "shopify has several connections. Say which:\n  --connection a  Shop a\n  --connection b  Shop b";
        assert_eq!(failure, Some(Failure::Usage(expected.to_owned())));
        assert!(matches!(only_one("shopify", vec![]), Err(Failure::Failed(_))));
    }

    #[test]
    fn the_servers_sample_becomes_the_request_that_it_describes() {
        let signed = json!({
            "url": "http://127.0.0.1:8787/webhooks/shopify/a",
            "method": "POST",
            "headers": { "x-shopify-topic": "products/update", "Content-Length": "3" },
            "body_base64": "e30=",
        });
        let request = requests_of(signed).map(|mut requests| requests.remove(0));
        assert!(request.is_ok_and(|request| request.method() == "POST"
            && request.uri().path() == "/webhooks/shopify/a"
            && request.headers().len() == 1
            && request.body().as_ref() == b"{}"));
    }

    #[test]
    fn a_sample_that_is_no_request_is_told_as_such() {
        let signed = json!({ "url": "http://h/", "method": "POST", "headers": {}, "body_base64": "?" });
        assert!(matches!(requests_of(signed), Err(Failure::Failed(_))));
    }
}
