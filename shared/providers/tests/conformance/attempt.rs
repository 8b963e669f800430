//! Attempts to have a request accepted: a fixture as recorded but for what is changed, or one that the provider signs.

use bytes::Bytes;
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::notice::Notice;
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_providers::verified::{self, Verified};
use hooktide_providers::{Arrival, Unsigned, Webhooks};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;

use crate::evidence::{Fixture, Place};

/// A request and all that it is judged by.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) request: Request<Bytes>,
    pub(crate) url: String,
    pub(crate) now: Timestamp,
    pub(crate) secrets: Secrets,
}

impl Attempt {
    /// With this body instead.
    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// With these values of a header instead; with none, without it.
    pub(crate) fn header(mut self, name: &str, values: &[Vec<u8>]) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.request.headers_mut().remove(&name);
        for value in values {
            self.request.headers_mut().append(&name, HeaderValue::from_bytes(value).unwrap());
        }
        self
    }

    /// With these values where its proof stands instead; with none, without it.
    pub(crate) fn proof(self, place: &Place, was: &str, values: &[Vec<u8>]) -> Self {
        let field = match place {
            Place::Header(name) => return self.header(name, values),
            Place::Field(field) => field,
        };
        let text = |value: &[u8]| match std::str::from_utf8(value) {
            Ok(value) => serde_json::to_vec(value).unwrap(),
            Err(_) => [b"\"", value, b"\""].concat(),
        };
        let named = |name: &str, value: &[u8]| [format!("\"{name}\":").as_bytes(), &text(value)].concat();
        let instead = match values {
            [] => named("nothing", b""),
            values => values.iter().map(|value| named(field, value)).collect::<Vec<_>>().join(&b","[..]),
        };
        let old = named(field, was.as_bytes());
        let body = self.request.body().clone();
        let at = body.windows(old.len()).position(|window| window == old).expect("the proof stands in the body");
        self.body([&body[..at], &instead, &body[at + old.len()..]].concat())
    }

    /// At this time instead.
    pub(crate) fn now(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Sent to this address instead.
    pub(crate) fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// With these secrets instead.
    pub(crate) fn secrets(mut self, secrets: Vec<LiveSecret>) -> Self {
        self.secrets = Secrets::new(secrets);
        self
    }

    /// The request as it is judged.
    pub(crate) fn arrival(&self) -> Arrival<'_> {
        Arrival { request: &self.request, url: &self.url, secrets: &self.secrets, now: self.now }
    }

    /// The outcome.
    pub(crate) fn open(&self, provider: &dyn Webhooks) -> Result<Verified, AuthFault> {
        verified::open(provider, &self.arrival())
    }

    /// Whether its body says, and that is signed, that it is of another topic than the one it was to be sent under.
    pub(crate) fn says_another_topic(&self, provider: &dyn Webhooks, topic: &str) -> bool {
        let label = self.open(provider).map(|verified| provider.label(&verified).topic);
        matches!(label, Ok(Some(label)) if label != topic)
    }

    /// Its notices, if it is accepted and means something.
    pub(crate) fn notices(&self, provider: &dyn Webhooks) -> Result<Vec<Notice>, Fault> {
        let verified = self.open(provider).map_err(|fault| Fault::failed(fault.to_string()))?;
        provider.parse(&verified)
    }
}

/// A secret without an end.
pub(crate) fn live(name: &str, id: &str, text: impl Into<Vec<u8>>) -> LiveSecret {
    LiveSecret { name: name.into(), id: KeyId(id.into()), secret: Secret::new(text), retires_at: None }
}

impl Fixture {
    /// The attempt that was recorded.
    pub(crate) fn attempt(&self) -> Attempt {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(self.body.clone()).unwrap();
        let secrets = self.secret().map(|(name, text)| live(name, self.key_id(), text)).into_iter().collect();
        Attempt { request, url: self.url.clone(), now: self.now(), secrets: Secrets::new(secrets) }
    }

    /// The fixture's account, as the provider reads it.
    pub(crate) fn account(&self, provider: &dyn Webhooks) -> String {
        let notices = self.attempt().notices(provider).unwrap_or_default();
        notices.into_iter().find_map(|notice| notice.account).unwrap_or_else(|| "somebody".into())
    }

    /// The fixture's delivery id, as the provider reads it.
    pub(crate) fn delivery(&self, provider: &dyn Webhooks) -> Option<String> {
        provider.label(&self.attempt().open(provider).ok()?).delivery
    }

    /// The provider's own hand, ready to write the fixture again.
    pub(crate) fn sender<'a>(&'a self, provider: &'a dyn Webhooks) -> Sender<'a> {
        Sender {
            provider,
            fixture: self,
            topic: self.topic(provider).unwrap_or_default(),
            account: self.account(provider),
            delivery: self.delivery(provider).unwrap_or_else(|| "delivery-1".into()),
            secret: self.signing().map_or("", |(_, text)| text).to_owned(),
        }
    }
}

/// The provider's own hand: it signs what it is given, as of the fixture where nothing else is said.
pub(crate) struct Sender<'a> {
    pub(crate) provider: &'a dyn Webhooks,
    pub(crate) fixture: &'a Fixture,
    pub(crate) topic: String,
    pub(crate) account: String,
    pub(crate) delivery: String,
    pub(crate) secret: String,
}

impl Sender<'_> {
    /// Under another topic.
    pub(crate) fn topic(mut self, topic: &str) -> Self {
        self.topic = topic.into();
        self
    }

    /// Under another delivery id.
    pub(crate) fn delivery(mut self, delivery: &str) -> Self {
        self.delivery = delivery.into();
        self
    }

    /// With another secret, although the fixture's is the one that is expected.
    pub(crate) fn secret(mut self, text: &str) -> Self {
        self.secret = text.to_owned();
        self
    }

    /// Signs a body. A provider may refuse to: a secret may be no key of its form.
    pub(crate) fn send(&self, body: impl Into<Bytes>) -> Result<Attempt, Fault> {
        let recorded = self.fixture.attempt();
        let (name, _) = self.fixture.signing().unwrap_or(("", ""));
        let secrets = Secrets::new(vec![live(name, self.fixture.key_id(), self.secret.as_str())]);
        let request = self.provider.sign(Unsigned {
            topic: &self.topic,
            body: body.into(),
            account: &self.account,
            delivery: &self.delivery,
            secrets: &secrets,
            url: &recorded.url,
            now: recorded.now,
        })?;
        Ok(Attempt { request, ..recorded })
    }

    /// Signs the fixture's own body.
    pub(crate) fn send_again(&self) -> Result<Attempt, Fault> {
        self.send(self.fixture.body.clone())
    }
}
