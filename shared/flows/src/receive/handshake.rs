//! Handshakes: requests by which a provider finds out whether we are who we say. Nobody proves who sends one, so little is kept.

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use tracing::info;

use super::cache::OpenEndpoint;
use super::limiter::Allowance;
use super::{Receipt, Receiver, Refusal, not_found, send};
use hooktide_model::envelope::{self, Envelope, EnvelopeKind};
use hooktide_model::fault::Fault;
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use hooktide_providers::{Arrival, HandshakeReply, Provider, Webhooks};
use hooktide_store::ports::QueueName;
use hooktide_store::records;
use hooktide_store::records::endpoint::{LastVerified, last_verified_key};
use hooktide_store::remembered::Remembered;

/// How many endpoints are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long no further code is kept after one.
const BETWEEN_CODES: Duration = Duration::from_secs(60);

/// The turns of endpoints to keep a code.
pub(super) struct CodeLimiter(Remembered<String, ()>);

impl CodeLimiter {
    pub(super) fn new() -> Self {
        Self(Remembered::new(CAPACITY))
    }

    /// Whether a code may be kept; then no other may for a minute.
    fn take(&self, endpoint: &str, now: Timestamp) -> bool {
        self.0.take_turn(endpoint.to_owned(), BETWEEN_CODES, now)
    }
}

impl Receiver {
    /// Answers a handshake, if the request is one. Handshakes are rare and someone is waiting, so the remembered endpoint is
    /// read anew first.
    pub(super) async fn handshake(
        &self,
        webhooks: &dyn Webhooks,
        request: &Request<Bytes>,
        endpoint: &OpenEndpoint,
        network: &str,
        now: Timestamp,
    ) -> Result<Option<HandshakeReply>, Refusal> {
        let reply = |endpoint: &OpenEndpoint| {
            webhooks.handshake(&Arrival { request, url: &endpoint.url, secrets: &endpoint.secrets, now })
        };
        if reply(endpoint).is_none() {
            return Ok(None);
        }
        let id = &endpoint.id;
        // Their senders are unproven, so handshakes are counted like requests that could not be verified.
        if let Allowance::Exceeded { retry_after } = self.limiter.count(id, network, now) {
            let detail = "Too many handshakes from this address; wait a minute.";
            return Err(Problem::new(ProblemType::Limited, detail).retry_after(retry_after).into());
        }
        let latest =
            self.endpoints.latest(&self.ports, (webhooks.id(), id.to_owned()), now).await?.ok_or_else(not_found)?;
        Ok(reply(&latest))
    }

    /// Queues a code for whoever set the endpoint up, if they wait for one; `None` if it is not kept.
    ///
    /// A code is awaited until one of the endpoint's live secrets has verified a delivery: from then on, whoever sends one has
    /// nothing to do with setting it up.
    pub(super) async fn keep(
        &self,
        provider: &dyn Provider,
        endpoint: &OpenEndpoint,
        code: String,
        now: Timestamp,
    ) -> Result<Option<Receipt>, Fault> {
        if !self.codes.take(&endpoint.id, now) || self.has_verified(provider, endpoint, now).await? {
            info!(
                provider = provider.id(),
                endpoint = endpoint.id,
                "a verification code is not kept: nobody awaits it"
            );
            return Ok(None);
        }
        let (provider, endpoint) = (provider.id().to_owned(), endpoint.id.clone());
        let kind = EnvelopeKind::Handshake(envelope::Handshake { provider, endpoint, code });
        let envelope = Envelope::new(self.ports.entropy.time_ordered_id(now), kind, now);
        send(&self.ports, envelope, QueueName::Notices).await.map(Some)
    }

    /// Whether a live secret of the endpoint has verified a delivery. Read once a minute at the most, for a code.
    async fn has_verified(
        &self,
        provider: &dyn Provider,
        endpoint: &OpenEndpoint,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        for id in endpoint.secrets.ids(now) {
            let key = last_verified_key(provider.id(), &endpoint.id, id);
            if records::get::<LastVerified>(&*self.ports.table, &key).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_a_minute_is_kept_of_an_endpoint() {
        let codes = CodeLimiter::new();
        let take = |endpoint, second| codes.take(endpoint, Timestamp::from_second(second).unwrap());
        assert!(take("a", 10) && !take("a", 10) && !take("a", 69) && take("a", 70));
        assert!(take("b", 10), "another endpoint has its own");
        assert!(take("a", 5), "a clock that was set back locks nobody out");
    }
}
