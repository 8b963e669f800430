//! Verify: checks the signature of a request, with the secrets of its endpoint or a key that the provider publishes.

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
use hooktide_providers::verified::{self, Verified};
use hooktide_providers::{Arrival, Webhooks};

/// Secrets that a request may be signed with.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    /// The endpoint's own secrets, from the cache.
    Remembered,
    /// The key that the provider publishes under the id that the request names.
    Published,
    /// The endpoint's own secrets, read anew unless they were read within the last second, so that a new secret works at
    /// once and its deliveries do not count as failures.
    Latest,
}

/// The candidates in the order in which they are tried, each only if another secret might have signed the request.
const CANDIDATES: [Candidate; 4] =
    [Candidate::Remembered, Candidate::Published, Candidate::Latest, Candidate::Published];

/// A request that could not be verified.
struct Unopened {
    /// The reason.
    fault: AuthFault,
    /// The seconds after which to try again, if a key could not be looked up.
    retry_after: Option<u64>,
}

impl From<AuthFault> for Unopened {
    fn from(fault: AuthFault) -> Self {
        Self { fault, retry_after: None }
    }
}

impl Unopened {
    /// Whether a secret that was not tried might verify it.
    fn may_be_by_another_secret(&self) -> bool {
        matches!(self.fault, AuthFault::Mismatch | AuthFault::NoSecret)
    }
}

impl Receiver {
    /// Checks the signature with one candidate after the other.
    pub(super) async fn verify(
        &self,
        webhooks: &'static dyn Webhooks,
        request: &Request<Bytes>,
        remembered: Arc<OpenEndpoint>,
        network: &str,
        now: Timestamp,
    ) -> Result<(Arc<OpenEndpoint>, Verified), Refusal> {
        let mut endpoint = remembered;
        let mut unopened = Unopened::from(AuthFault::NoSecret);
        for candidate in CANDIDATES {
            if let Candidate::Latest = candidate {
                let latest = self.endpoints.latest(&self.ports, (webhooks.id(), endpoint.id.clone()), now).await?;
                let latest = latest.ok_or_else(not_found)?;
                if Arc::ptr_eq(&latest, &endpoint) {
                    break;
                }
                endpoint = latest;
            }
            let arrival = Arrival { request, url: &endpoint.url, secrets: &endpoint.secrets, now };
            let opened = match candidate {
                Candidate::Remembered | Candidate::Latest => verified::open(webhooks, &arrival).map_err(Unopened::from),
                Candidate::Published => self.by_published_key(webhooks, &arrival, &endpoint, network, unopened).await?,
            };
            unopened = match opened {
                Ok(verified) => return Ok((endpoint, verified)),
                Err(unopened) => unopened,
            };
            if !unopened.may_be_by_another_secret() {
                break;
            }
        }
        Err(self.refuse(webhooks, &endpoint.id, &unopened, network, now))
    }

    /// Verifies a request with the key that the provider publishes; if there is none, the earlier result `unopened` stays.
    async fn by_published_key(
        &self,
        webhooks: &'static dyn Webhooks,
        arrival: &Arrival<'_>,
        endpoint: &OpenEndpoint,
        network: &str,
        unopened: Unopened,
    ) -> Result<Result<Verified, Unopened>, Fault> {
        let Some(keys) = webhooks.api().and_then(|api| api.keys()) else { return Ok(Err(unopened)) };
        let wanted = match keys.wanted(arrival) {
            Ok(wanted) => wanted,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let (ports, settings, now) = (&self.ports, &self.settings, arrival.now);
        let asking = Asking { ports, settings, provider: webhooks, keys, endpoint, now };
        let budget = || self.key_budget.take(&endpoint.id, network, now);
        Ok(match self.remote_keys.key(&asking, &wanted, budget).await? {
            Known::Key(key) => {
                let secrets = &arrival.secrets.clone().with([key]);
                verified::open(webhooks, &Arrival { secrets, ..*arrival }).map_err(Unopened::from)
            }
            Known::None => Err(unopened),
            Known::Limited { retry_after } => Err(Unopened { retry_after: Some(retry_after), ..unopened }),
        })
    }

    /// The refusal of a request that could not be verified, which is counted.
    fn refuse(
        &self,
        webhooks: &'static dyn Webhooks,
        endpoint: &str,
        unopened: &Unopened,
        network: &str,
        now: Timestamp,
    ) -> Refusal {
        let allowance = self.limiter.count(endpoint, network, now);
        // Beyond the limit, strangers cannot fill the log either.
        if matches!(allowance, Allowance::Within) {
            info!(provider = webhooks.id(), endpoint, network, reason = %unopened.fault, "a webhook was refused");
        }
        let limited =
            |detail: &str, retry_after| Problem::new(ProblemType::Limited, detail.to_owned()).retry_after(retry_after);
        let problem = match (allowance, unopened.retry_after) {
            (Allowance::Within, None) => Problem::from(unopened.fault),
            (Allowance::Within, Some(retry_after)) => {
                limited("Too many keys that nobody knows were named; wait a minute.", retry_after)
            }
            (Allowance::Exceeded { retry_after }, _) => {
                limited("Too many requests from this address could not be verified; wait a minute.", retry_after)
            }
        };
        Refusal::Unverified(webhooks, problem)
    }
}
