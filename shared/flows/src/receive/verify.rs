//! Verify: whether a request is by who it says, with the secrets of its endpoint or a key that the provider publishes.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use tracing::info;

use super::cache::OpenEndpoint;
use super::limiter::Allowance;
use super::remote_keys::{Asking, Known};
use super::{Receiver, Refusal, not_found};
use hooktide_model::fault::{AuthFault, Fault};
use hooktide_model::names::ProblemType;
use hooktide_model::problem::Problem;
use hooktide_model::secret::Secrets;
use hooktide_providers::Provider;
use hooktide_providers::verified::{self, Verified};

/// A request that could not be verified.
struct Unopened {
    /// Why.
    fault: AuthFault,
    /// After how many seconds it may be another matter, if it is for want of a key that could not be looked up.
    retry_after: Option<u64>,
}

impl Unopened {
    /// Whether a secret that was not tried might verify it.
    fn may_be_by_another_secret(&self) -> bool {
        matches!(self.fault, AuthFault::Mismatch | AuthFault::NoSecret)
    }
}

impl Receiver {
    /// Checks the signature. When no cached secret fits, the endpoint is read anew before refusing, so that a new secret
    /// works at once: once a second, whoever asks, so that nobody's failures speak against a new secret.
    pub(super) async fn verify(
        &self,
        provider: &'static dyn Provider,
        request: &Request<Bytes>,
        cached: Arc<OpenEndpoint>,
        network: &str,
        now: Timestamp,
    ) -> Result<(Arc<OpenEndpoint>, Verified), Refusal> {
        let mut unopened = match self.open(provider, request, &cached, network, now).await? {
            Ok(verified) => return Ok((cached, verified)),
            Err(unopened) => unopened,
        };
        let id = cached.id.clone();
        if unopened.may_be_by_another_secret() {
            let latest = self.endpoints.latest(&self.ports, provider.id(), &id, now).await?.ok_or_else(not_found)?;
            if !Arc::ptr_eq(&latest, &cached) {
                unopened = match self.open(provider, request, &latest, network, now).await? {
                    Ok(verified) => return Ok((latest, verified)),
                    Err(unopened) => unopened,
                };
            }
        }
        let allowance = self.limiter.count(&id, network, now);
        // Beyond the limit, strangers fill no log either.
        if matches!(allowance, Allowance::Within) {
            info!(provider = provider.id(), endpoint = id, network, reason = %unopened.fault, "a webhook was refused");
        }
        let problem = match (allowance, unopened.retry_after) {
            (Allowance::Within, None) => Problem::from(&Fault::Auth(unopened.fault)),
            (Allowance::Within, Some(retry_after)) => {
                let detail = "Too many keys that nobody knows were named; wait a minute.";
                Problem::new(ProblemType::Limited, detail).retry_after(retry_after)
            }
            (Allowance::Exceeded { retry_after }, _) => {
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
        network: &str,
        now: Timestamp,
    ) -> Result<Result<Verified, Unopened>, Fault> {
        let with = |secrets: &Secrets| verified::open(provider, request, &endpoint.url, secrets, now);
        let unopened = match with(&endpoint.secrets) {
            Ok(verified) => return Ok(Ok(verified)),
            Err(fault) => Unopened { fault, retry_after: None },
        };
        let Some(keys) = provider.remote_keys().filter(|_| unopened.may_be_by_another_secret()) else {
            return Ok(Err(unopened));
        };
        let wanted = match keys.wanted(request) {
            Ok(wanted) => wanted,
            Err(fault) => return Ok(Err(Unopened { fault, retry_after: None })),
        };
        let asking = Asking { ports: &self.ports, settings: &self.settings, provider, keys, endpoint, now };
        let budget = || self.key_budget.take(&endpoint.id, network, now);
        Ok(match self.remote_keys.key(&asking, &wanted, budget).await? {
            Known::Key(key) => {
                with(&endpoint.secrets.clone().with([key])).map_err(|fault| Unopened { fault, retry_after: None })
            }
            Known::None => Err(unopened),
            Known::Limited { retry_after } => Err(Unopened { retry_after: Some(retry_after), ..unopened }),
        })
    }
}
