//! What a receiver knows of endpoints: read through, bounded, and for a while only.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;

use super::flight::Flights;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secrets;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::{self, endpoint};

/// How many endpoints are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long an endpoint is remembered as unknown.
const UNKNOWN: Duration = Duration::from_secs(30);
/// How long an endpoint that was read is not read anew, whoever would like it to be.
const LATEST: Duration = Duration::from_secs(1);

/// An endpoint with its secrets opened.
#[derive(Debug)]
pub(super) struct OpenEndpoint {
    /// Its id.
    pub(super) id: String,
    /// The tenant that owns it.
    pub(super) tenant: Tenant,
    /// What verifies its deliveries.
    pub(super) secrets: Secrets,
    /// What the provider was told to call, which some sign.
    pub(super) url: String,
}

type Id = (&'static str, String);
type Found = Option<Arc<OpenEndpoint>>;

/// The endpoints that this instance has seen.
pub(super) struct EndpointCache {
    known: Mutex<Known>,
    flights: Flights<Id, Result<Found, Fault>>,
    lifetime: Duration,
    public_url: String,
}

struct Known {
    entries: LruCache<Id, (Timestamp, Found)>,
    /// How often something was forgotten: what was read meanwhile may be what was forgotten, and is not remembered.
    forgotten: u64,
}

impl EndpointCache {
    pub(super) fn new(settings: &Settings) -> Self {
        let known = Mutex::new(Known { entries: LruCache::new(CAPACITY), forgotten: 0 });
        let (lifetime, public_url) = (settings.endpoint_cache, settings.public_url.clone());
        Self { known, flights: Flights::new(), lifetime, public_url }
    }

    /// The endpoint, remembered or read; `None` if there is no such endpoint.
    pub(super) async fn get(
        &self,
        ports: &Ports,
        provider: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Result<Found, Fault> {
        if let Some((since, found)) = self.remembered(provider, id) {
            let lifetime = if found.is_some() { self.lifetime } else { UNKNOWN.min(self.lifetime) };
            // A clock that was set back makes everything stale, never everything fresh.
            if (since..since + lifetime).contains(&now) {
                return Ok(found);
            }
        }
        self.latest(ports, provider, id, now).await
    }

    /// The endpoint as it is now, or was a second ago: however many ask, it is read once a second.
    pub(super) async fn latest(
        &self,
        ports: &Ports,
        provider: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Result<Found, Fault> {
        let latest = async {
            match self.remembered(provider, id) {
                // Requests are told the time before they wait for others, so it may be a moment ago.
                Some((since, found)) if now.duration_since(since).unsigned_abs() < LATEST.min(self.lifetime) => {
                    Ok(found)
                }
                Some(_) | None => self.read(ports, provider, id, now).await,
            }
        };
        self.flights.once((provider, id.to_owned()), latest, |_| true).await
    }

    async fn read(&self, ports: &Ports, provider: &'static str, id: &str, now: Timestamp) -> Result<Found, Fault> {
        let forgotten = self.lock().forgotten;
        let stored = records::get::<endpoint::Endpoint>(&*ports.table, &endpoint::key(provider, id)).await?;
        let found = match stored.filter(|stored| stored.record.deleted_at.is_none()) {
            None => None,
            Some(stored) => {
                let derives =
                    hooktide_providers::by_id(provider).is_some_and(|provider| provider.profile().derives_tokens);
                let secrets = stored.record.open_secrets(&*ports.keys, derives).await?;
                let url = format!("{}/webhooks/{provider}/{id}", self.public_url);
                let url = stored.record.address(url);
                Some(Arc::new(OpenEndpoint { id: stored.record.id, tenant: stored.record.tenant, secrets, url }))
            }
        };
        let mut known = self.lock();
        if known.forgotten == forgotten {
            known.entries.put((provider, id.to_owned()), (now, found.clone()));
        }
        Ok(found)
    }

    /// Forgets an endpoint whose record changed.
    pub(super) fn forget(&self, provider: &'static str, id: &str) {
        let mut known = self.lock();
        known.entries.pop(&(provider, id.to_owned()));
        known.forgotten += 1;
    }

    fn remembered(&self, provider: &'static str, id: &str) -> Option<(Timestamp, Found)> {
        self.lock().entries.get(&(provider, id.to_owned())).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
