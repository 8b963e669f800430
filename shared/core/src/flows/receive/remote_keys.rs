//! Keys that a provider publishes: fetched by the id that a request names, remembered, and bounded, since nobody has
//! verified the request yet.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use lru::LruCache;

use super::cache::OpenEndpoint;
use crate::fault::Fault;
use crate::flows::{Ports, Settings};
use crate::providers::{KeyStep, Provider, RemoteKeys};
use crate::secret::{LiveSecret, Secrets};

/// How many keys are remembered.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// How long a key is used before it is fetched again.
const LIFETIME: Duration = Duration::from_secs(3600);
/// How long an id is remembered as unknown.
const UNKNOWN: Duration = Duration::from_secs(300);
/// For how long an endpoint asks for no key after it got no answer: whoever sends made-up ids would make it wait for each.
const PAUSE: Duration = Duration::from_secs(5);
/// How many requests fetching one key may take.
const STEPS: usize = 4;

/// What is known of a key.
pub(super) enum Known {
    /// It is this one; or there is none, as the provider said a while ago.
    Fresh(Option<LiveSecret>),
    /// There was one, which has to be fetched again.
    Stale,
    /// Nothing.
    Nothing,
}

/// The keys that this instance has fetched.
pub(super) struct KeyCache(Mutex<Remembered>);

struct Remembered {
    /// By provider and id.
    keys: LruCache<(&'static str, String), (Timestamp, Option<LiveSecret>)>,
    /// When the provider last gave no answer, by endpoint.
    failed: LruCache<String, Timestamp>,
}

impl KeyCache {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Remembered { keys: LruCache::new(CAPACITY), failed: LruCache::new(CAPACITY) }))
    }

    /// What is remembered of the key.
    pub(super) fn known(&self, provider: &'static str, id: &str, now: Timestamp) -> Known {
        let Some((since, key)) = self.lock().keys.get(&(provider, id.to_owned())).cloned() else {
            return Known::Nothing;
        };
        let lifetime = if key.is_some() { LIFETIME } else { UNKNOWN };
        match (since..since + lifetime).contains(&now) {
            true => Known::Fresh(key),
            false if key.is_some() => Known::Stale,
            false => Known::Nothing,
        }
    }

    /// Fetches the key for an endpoint and remembers what came of it. Nothing is locked meanwhile.
    pub(super) async fn fetch(
        &self,
        (ports, settings): (&Ports, &Settings),
        provider: &'static dyn Provider,
        id: &str,
        endpoint: &OpenEndpoint,
        now: Timestamp,
    ) -> Result<Option<LiveSecret>, Fault> {
        let (Some(keys), Some(api)) = (provider.remote_keys(), settings.api(provider)) else { return Ok(None) };
        let failed = self.lock().failed.get(&endpoint.id).copied();
        if failed.is_some_and(|since| (since..since + PAUSE).contains(&now)) {
            return Err(Fault::retryable("the provider gave no key a moment ago"));
        }
        match ask(ports, keys, api, id, &endpoint.secrets, now).await {
            Ok(key) => {
                self.lock().keys.put((provider.id(), id.to_owned()), (now, key.clone()));
                Ok(key)
            }
            // Nobody was asked: there is nothing to ask with.
            Err(fault @ Fault::Auth(_)) => Err(fault),
            Err(fault) => {
                self.lock().failed.put(endpoint.id.clone(), now);
                Err(fault)
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(
    ports: &Ports,
    keys: &dyn RemoteKeys,
    api: &str,
    id: &str,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Option<LiveSecret>, Fault> {
    let mut answers: Vec<Response<Bytes>> = Vec::new();
    loop {
        match keys.next(id, api, secrets, now, &answers)? {
            KeyStep::Ask(_) if answers.len() == STEPS => {
                return Err(Fault::failed("a provider's key takes too many requests"));
            }
            KeyStep::Ask(request) => answers.push(ports.http.send(request).await?),
            KeyStep::Found(key) => return Ok(Some(key)),
            KeyStep::Unknown => return Ok(None),
        }
    }
}
