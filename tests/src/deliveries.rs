//! Deliveries of every provider, signed with the secrets of its samples.

use bytes::Bytes;
use hooktide_model::secret::{KeyId, LiveSecret, Secret, Secrets};
use hooktide_model::signing::SUBSCRIPTION_KEY;
use hooktide_providers::{Becomes, Provider, Sample, Unsigned, Webhooks};
use http::Request;
use jiff::Timestamp;

/// A provider that sends.
pub struct Sender {
    /// Which one.
    pub provider: &'static dyn Webhooks,
    /// What it signs with, and what verifies that.
    pub secrets: Vec<LiveSecret>,
    /// Where it sends.
    pub url: String,
}

impl Sender {
    /// One of each provider, in order, sending to an address that nobody has.
    pub fn all() -> Vec<Self> {
        let sender = |provider: &'static dyn Webhooks| Self {
            provider,
            secrets: secrets(provider),
            url: format!("https://hooks.example.com/webhooks/{}/sample", provider.id()),
        };
        hooktide_providers::ALL.iter().filter_map(|provider| provider.webhooks()).map(sender).collect()
    }

    /// Its secrets, opened.
    pub fn opened(&self) -> Secrets {
        Secrets::new(self.secrets.clone())
    }

    /// A topic that shows what it tells: one that becomes a change, else one that becomes a sync.
    pub fn typical(&self) -> &'static str {
        let topics = self.provider.profile().topics;
        let kind = topics.iter().find(|topic| matches!(topic.becomes, Becomes::Kind(_)));
        let sync = || topics.iter().find(|topic| matches!(topic.becomes, Becomes::Sync(_)));
        kind.or_else(sync).expect("a topic that tells something").name
    }

    /// A signed delivery; `number` says which one, and about which thing.
    pub fn delivery(&self, topic: &str, number: u64, now: Timestamp) -> Request<Bytes> {
        let account = self.provider.profile().sample_account;
        let sample = Sample { number, updated_at: now, account };
        let unsigned = Unsigned {
            topic,
            body: self.provider.sample(topic, &sample).expect("a sample of the topic"),
            account,
            delivery: &format!("delivery-{number}"),
            secrets: &self.opened(),
            url: &self.url,
            now,
        };
        self.provider.sign(unsigned).expect("a signed delivery")
    }
}

/// The secrets of its samples; where tokens are derived, the key that they are derived from.
fn secrets(provider: &dyn Provider) -> Vec<LiveSecret> {
    let derived = provider.profile().derives_tokens.then_some((SUBSCRIPTION_KEY, "hush-subscription-key"));
    let named = provider.profile().sample_secrets.iter().copied().chain(derived);
    let live = |(name, secret): (&str, &str)| LiveSecret {
        name: name.to_owned(),
        id: KeyId("sample".to_owned()),
        secret: Secret::new(secret),
        retires_at: None,
    };
    named.map(live).collect()
}
