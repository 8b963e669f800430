//! What a receiver knows of endpoints: read through, bounded, and for a while only.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;

use crate::fault::Fault;
use crate::flows::{Ports, Settings};
use crate::records::{self, endpoint};
use crate::secret::Secrets;

/// How many endpoints are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long an endpoint is remembered as unknown.
const UNKNOWN: Duration = Duration::from_secs(30);

/// An endpoint with its secrets opened.
#[derive(Debug)]
pub(super) struct OpenEndpoint {
    /// Its id.
    pub(super) id: String,
    /// What verifies its deliveries.
    pub(super) secrets: Secrets,
    /// What the provider was told to call, which some sign.
    pub(super) url: String,
}

/// An endpoint that was found.
pub(super) struct Lookup {
    /// It.
    pub(super) endpoint: Arc<OpenEndpoint>,
    /// Whether it was remembered, and so may have changed since.
    pub(super) cached: bool,
}

type Entry = (Timestamp, Option<Arc<OpenEndpoint>>);

/// The endpoints that this instance has seen.
pub(super) struct EndpointCache {
    entries: Mutex<LruCache<(&'static str, String), Entry>>,
    lifetime: Duration,
    public_url: String,
}

impl EndpointCache {
    pub(super) fn new(settings: &Settings) -> Self {
        let (lifetime, public_url) = (settings.endpoint_cache, settings.public_url.clone());
        Self { entries: Mutex::new(LruCache::new(CAPACITY)), lifetime, public_url }
    }

    /// The endpoint, remembered or read; `None` if there is no such endpoint.
    pub(super) async fn get(
        &self,
        ports: &Ports,
        provider: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Lookup>, Fault> {
        if let Some((since, known)) = self.lock().get(&(provider, id.to_owned())).cloned() {
            let lifetime = if known.is_some() { self.lifetime } else { UNKNOWN.min(self.lifetime) };
            // A clock that was set back makes everything stale, never everything fresh.
            if (since..since + lifetime).contains(&now) {
                return Ok(known.map(|endpoint| Lookup { endpoint, cached: true }));
            }
        }
        Ok(self.refresh(ports, provider, id, now).await?.map(|endpoint| Lookup { endpoint, cached: false }))
    }

    /// Reads the endpoint and remembers it.
    pub(super) async fn refresh(
        &self,
        ports: &Ports,
        provider: &'static str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<OpenEndpoint>>, Fault> {
        let stored = records::get::<endpoint::Endpoint>(&*ports.table, &endpoint::key(provider, id)).await?;
        let found = match stored.filter(|stored| stored.record.deleted_at.is_none()) {
            None => None,
            Some(stored) => {
                let secrets = stored.record.open_secrets(&*ports.keys).await?;
                let url = format!("{}/webhooks/{provider}/{id}", self.public_url);
                let url = stored.record.address(url);
                Some(Arc::new(OpenEndpoint { id: stored.record.id, secrets, url }))
            }
        };
        self.lock().put((provider, id.to_owned()), (now, found.clone()));
        Ok(found)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<(&'static str, String), Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
