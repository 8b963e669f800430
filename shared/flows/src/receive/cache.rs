//! The endpoints that a receiver knows: read through, bounded, and for a while only.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::flight::Flights;
use crate::{Ports, Settings};
use hooktide_model::fault::Fault;
use hooktide_model::secret::Secrets;
use hooktide_model::tenant::Tenant;
use hooktide_store::records::{self, endpoint};
use hooktide_store::remembered::Remembered;

/// How many endpoints are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long an endpoint is remembered as unknown.
const UNKNOWN: Duration = Duration::from_secs(30);
/// The shortest time between two reads of an endpoint.
const LATEST: Duration = Duration::from_secs(1);

/// An endpoint with its secrets opened.
#[derive(Debug)]
pub(super) struct OpenEndpoint {
    /// Its id.
    pub(super) id: String,
    /// The tenant that owns it.
    pub(super) tenant: Tenant,
    /// The secrets that verify its deliveries.
    pub(super) secrets: Secrets,
    /// The address registered with the provider, which some providers sign.
    pub(super) url: String,
}

/// The provider that an endpoint is of, and its id.
type Id = (&'static str, String);
type Found = Option<Arc<OpenEndpoint>>;

/// The endpoints that this instance has seen.
pub(super) struct EndpointCache {
    known: Remembered<Id, Found>,
    flights: Flights<Id, Result<Found, Fault>>,
    lifetime: Duration,
    public_url: String,
}

impl EndpointCache {
    pub(super) fn new(settings: &Settings) -> Self {
        let (lifetime, public_url) = (settings.endpoint_cache, settings.public_url.clone());
        Self { known: Remembered::new(CAPACITY), flights: Flights::default(), lifetime, public_url }
    }

    /// The endpoint, remembered or read; `None` if there is no such endpoint.
    pub(super) async fn get(&self, ports: &Ports, id: Id, now: Timestamp) -> Result<Found, Fault> {
        match self.known.get(&id, now) {
            Some(found) => Ok(found),
            None => self.latest(ports, id, now).await,
        }
    }

    /// The endpoint as it is now, or was a second ago: however many callers ask, it is read once a second.
    pub(super) async fn latest(&self, ports: &Ports, id: Id, now: Timestamp) -> Result<Found, Fault> {
        let latest = async {
            match self.known.last(&id) {
                // Requests are told the time before they wait for others, so it may be a moment ago.
                Some((since, found)) if now.duration_since(since).unsigned_abs() < LATEST.min(self.lifetime) => {
                    Ok(found)
                }
                Some(_) | None => self.read(ports, &id, now).await,
            }
        };
        self.flights.once(id.clone(), latest, |_| true).await
    }

    async fn read(&self, ports: &Ports, known: &Id, now: Timestamp) -> Result<Found, Fault> {
        let (provider, id) = (known.0, &*known.1);
        let reading = self.known.begin();
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
        let life = if found.is_some() { self.lifetime } else { UNKNOWN.min(self.lifetime) };
        self.known.finish(reading, known.clone(), found.clone(), life, now);
        Ok(found)
    }

    /// Forgets an endpoint whose record changed.
    pub(super) fn forget(&self, provider: &'static str, id: &str) {
        self.known.forget(&(provider, id.to_owned()));
    }
}
