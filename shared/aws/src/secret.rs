//! A secret in Secrets Manager, read through and for a while.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use hooktide_model::fault::Fault;
use hooktide_store::ports::Clock;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tracing::warn;

use crate::fault;

/// What faults name.
const SERVICE: &str = "Secrets Manager";
/// How long a secret is used as it was read.
const LIFETIME: Duration = Duration::from_secs(300);
/// How long it is used at the least, whoever asks for a newer one: made-up requests must not cause calls without end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A secret by its name or ARN, and what its text is read as.
pub struct StoredSecret<T> {
    client: Client,
    name: String,
    clock: Arc<dyn Clock>,
    parse: fn(&str) -> Result<T, Fault>,
    /// Held while reading, so that requests that come together cause one call.
    read: Mutex<Option<(Timestamp, Arc<T>)>>,
}

impl<T> StoredSecret<T> {
    /// The secret of this name or ARN.
    pub fn new(
        client: Client,
        name: impl Into<String>,
        clock: Arc<dyn Clock>,
        parse: fn(&str) -> Result<T, Fault>,
    ) -> Self {
        Self { client, name: name.into(), clock, parse, read: Mutex::new(None) }
    }

    /// What it was within the last five minutes.
    pub async fn get(&self) -> Result<Arc<T>, Fault> {
        self.read_within(LIFETIME).await
    }

    /// What it was within the last ten seconds, for when something is met that an older text does not explain.
    pub async fn get_anew(&self) -> Result<Arc<T>, Fault> {
        self.read_within(PATIENCE).await
    }

    async fn read_within(&self, lifetime: Duration) -> Result<Arc<T>, Fault> {
        let mut read = self.read.lock().await;
        let now = self.clock.now();
        let known = match &*read {
            // A clock that was set back makes everything stale, never everything fresh.
            Some((since, value)) if (*since..*since + lifetime).contains(&now) => return Ok(Arc::clone(value)),
            known => known.as_ref().map(|(_, value)| Arc::clone(value)),
        };
        match (self.fetch().await, known) {
            (Ok(value), _) => {
                let value = Arc::new(value);
                *read = Some((now, Arc::clone(&value)));
                Ok(value)
            }
            // An older text serves while a newer one is unavailable.
            (Err(fault), Some(value)) => {
                warn!(%fault, secret = self.name, "a secret could not be read anew");
                // Not with every request: each would wait until the call is given up.
                let since = now - LIFETIME + PATIENCE;
                *read = Some((since, Arc::clone(&value)));
                Ok(value)
            }
            (Err(fault), None) => Err(fault),
        }
    }

    async fn fetch(&self) -> Result<T, Fault> {
        let call = self.client.get_secret_value().secret_id(&self.name);
        let answer = call.send().await.map_err(|error| fault::sort(SERVICE, &error))?;
        (self.parse)(answer.secret_string().unwrap_or_default())
    }
}

impl<T> std::fmt::Debug for StoredSecret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSecret").field("name", &self.name).finish_non_exhaustive()
    }
}
