//! Keys that a provider publishes: fetched by the id that a request names, remembered, and bounded, since nobody has
//! verified the request yet.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use lru::LruCache;

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
/// How many requests fetching one key may take.
const STEPS: usize = 4;

type Entry = (Timestamp, Option<LiveSecret>);

/// The keys that this instance has fetched.
pub(super) struct KeyCache(Mutex<LruCache<(&'static str, String), Entry>>);

impl KeyCache {
    pub(super) fn new() -> Self {
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    /// The key, if it is remembered; `Some(None)` if it is known that there is none.
    pub(super) fn known(&self, provider: &'static str, id: &str, now: Timestamp) -> Option<Option<LiveSecret>> {
        let (since, key) = self.lock().get(&(provider, id.to_owned())).cloned()?;
        let lifetime = if key.is_some() { LIFETIME } else { UNKNOWN };
        (since..since + lifetime).contains(&now).then_some(key)
    }

    /// Fetches the key and remembers what came of it. Nothing is locked meanwhile.
    pub(super) async fn fetch(
        &self,
        ports: &Ports,
        settings: &Settings,
        provider: &'static dyn Provider,
        id: &str,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<Option<LiveSecret>, Fault> {
        let (Some(keys), Some(api)) = (provider.remote_keys(), settings.api(provider)) else { return Ok(None) };
        let key = ask(ports, keys, api, id, secrets, now).await?;
        self.lock().put((provider.id(), id.to_owned()), (now, key.clone()));
        Ok(key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<(&'static str, String), Entry>> {
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
    for _ in 0..=STEPS {
        match keys.next(id, api, secrets, now, &answers)? {
            KeyStep::Ask(request) => answers.push(ports.http.send(request).await?),
            KeyStep::Found(key) => return Ok(Some(key)),
            KeyStep::Unknown => return Ok(None),
        }
    }
    Err(Fault::failed("a provider's key takes too many requests"))
}
